import type { FakeClock } from '../runtime/clock.ts'
import type { StateLog, StateRow, StoredState } from '../store/state.ts'

/** A state log in memory. */
export class FakeLog implements Pick<StateLog, 'append' | 'latest'> {
  readonly rows: (StateRow & StoredState)[] = []
  readonly #clock: FakeClock

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  append(rows: readonly StateRow[]): Promise<number[]> {
    const revisions = rows.map((row) => {
      // As the table keeps it: as JSON.
      const doc: unknown = JSON.parse(JSON.stringify(row.doc))
      return this.rows.push({ ...row, doc, revision: this.rows.length + 1, written: this.#clock.now() })
    })
    return Promise.resolve(revisions)
  }

  latest(kind: string): Promise<StoredState[]> {
    const latest = new Map(this.rows.filter((row) => row.kind === kind).map((row) => [row.key, row]))
    return Promise.resolve([...latest.values()])
  }
}
