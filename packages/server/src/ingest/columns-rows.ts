// Columns of samples as rows of the table, each with its increase since the sample before.
import { SampleRows } from '../store/metric-write.ts'
import type { PreviousSample } from '../store/metrics.ts'
import { sampleIncrease } from './increase.ts'
import { increaseOfDelta, isCumulativeCounter, isIncrement, SampleColumns, tableFlags } from './sample-columns.ts'
import type { RememberedSeries } from './series.ts'

let turns = 0

/** What series remembered before some rows were made, so that it can be given back when the rows are not stored. */
export class Before {
  readonly #series: RememberedSeries[] = []
  readonly #previous: (PreviousSample | null | undefined)[] = []
  readonly #turn: number

  constructor() {
    turns += 1
    this.#turn = turns
  }

  /** Whether a sample of the series is among the rows. */
  has(series: RememberedSeries): boolean {
    return series.turn === this.#turn
  }

  /** To be called before the series remembers another sample. */
  keep(series: RememberedSeries): void {
    if (this.has(series)) return
    series.turn = this.#turn
    this.#series.push(series)
    this.#previous.push(series.previousSample)
  }

  giveBack(): void {
    for (const [index, series] of this.#series.entries()) series.previousSample = this.#previous[index]
  }
}

/** @returns false where a sample is older than one of its series before it, which does not happen in `sorted` ones */
function append(rows: SampleRows, columns: SampleColumns, before: Before, isSorted: boolean): boolean {
  const { length } = columns
  for (let index = 0; index < length; index += 1) {
    const series = columns.series[index]
    if (series === undefined) continue
    const ts = columns.ts[index] ?? 0
    const start = columns.start[index] ?? 0
    const value = columns.value[index] ?? 0
    const flags = columns.flags[index] ?? 0
    let increase = 0
    if (isIncrement(flags)) increase = increaseOfDelta(flags, value)
    else if (isCumulativeCounter(flags)) {
      const previous = series.previousSample ?? null
      increase = sampleIncrease(ts, start, value, previous)
      if (previous === null || ts > previous.ts) {
        before.keep(series)
        series.previousSample = { ts, start, value }
      } else if (!isSorted && before.has(series)) return false
    }
    rows.add(series.idText, { ts, start, value, flags: tableFlags(flags), increase })
  }
  return true
}

/** All columns as one, in the order of their times. */
function sorted(all: readonly SampleColumns[]): SampleColumns {
  const places = all.flatMap((columns) => columns.ts.map((ts, index) => ({ columns, index, ts }))).toSorted((a, b) => a.ts - b.ts)
  const one = new SampleColumns()
  for (const { columns, index, ts } of places) {
    const series = columns.series[index]
    if (series !== undefined) one.add(series, ts, columns.start[index] ?? 0, columns.value[index] ?? 0, columns.flags[index] ?? 0)
  }
  return one
}

/**
 * The rows of samples; from now on their series remember them as their last ones.
 *
 * @returns the rows, and what gives back what was remembered before
 */
export function columnRows(all: readonly SampleColumns[]): { readonly rows: SampleRows; readonly before: Before } {
  const capacity = all.reduce((sum, { length }) => sum + length, 0)
  const made = { rows: new SampleRows(capacity), before: new Before() }
  if (all.every((columns) => append(made.rows, columns, made.before, false))) return made
  made.before.giveBack()
  const again = { rows: new SampleRows(capacity), before: new Before() }
  append(again.rows, sorted(all), again.before, true)
  return again
}
