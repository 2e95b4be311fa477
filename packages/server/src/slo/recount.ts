// Every hour is counted once more when the next one is over: what came late is then there.
import type { Milliseconds, TimeRange } from '@andon/model'
import type { SloSlice, SloSliceStore } from '../store/slo-slices.ts'
import type { Requests, SliceCounter } from './count-slices.ts'
import { changedMinutes, minuteKey, minutesOf, type ObjectiveTracker } from './tracker.ts'

const HOUR: Milliseconds = 3_600_000
/** After the end of an hour, until all of it is settled. */
const SETTLED_MS: Milliseconds = 4 * 60_000
/** Hours that are counted once more at one evaluation. */
const HOURS_MAX = 24

export interface RecountDeps {
  readonly counter: SliceCounter
  readonly slices: Pick<SloSliceStore, 'read' | 'write'>
  readonly now: () => Milliseconds
  /** Told of what could not be counted; an hour that could not be stored is tried again. */
  readonly failed: (what: string, error: unknown) => void
}

const floorHour = (time: Milliseconds): Milliseconds => Math.floor(time / HOUR) * HOUR

export class Recount {
  readonly #deps: RecountDeps
  /** Up to when hours are counted once more; undefined where there is nothing of before. */
  #to: Milliseconds | undefined

  constructor(deps: RecountDeps) {
    this.#deps = deps
  }

  /** What came late before a restart may not have been counted. @param settledTo - what was settled then */
  resume(settledTo: Milliseconds): void {
    this.#to = floorHour(settledTo) - 2 * HOUR
  }

  /** Counts the hours that are due. @param goesOn - false when the server stops */
  async run(end: Milliseconds, trackers: readonly ObjectiveTracker[], goesOn: () => boolean): Promise<void> {
    const due = floorHour(end - SETTLED_MS) - HOUR
    this.#to ??= due
    try {
      for (let hour = 0; this.#to < due && hour < HOURS_MAX && goesOn(); hour += 1) {
        await this.#hour({ start: this.#to, end: this.#to + HOUR }, trackers)
        this.#to += HOUR
      }
    } catch (error) {
      this.#deps.failed('an hour of objectives could not be counted once more', error)
    }
  }

  async #hour(range: TimeRange, trackers: readonly ObjectiveTracker[]): Promise<void> {
    const { counter, slices, now, failed } = this.#deps
    const settled = trackers.filter(({ settledTo }) => settledTo >= range.end)
    const requests = await counter.requests(range, settled.map(({ objective }) => objective), false)
    const changed: SloSlice[] = []
    for (const tracker of settled) {
      try {
        changed.push(...(await this.#late(tracker, range, requests)))
      } catch (error) {
        failed(`the objective ${tracker.objective.id} could not be counted once more`, error)
      }
    }
    await slices.write(changed, now())
  }

  async #late({ key, objective }: ObjectiveTracker, range: TimeRange, requests: Requests): Promise<SloSlice[]> {
    const stored = await this.#deps.slices.read({ slo: key, range })
    const now = minutesOf(await this.#deps.counter.rowsOf(objective, range, requests))
    return changedMinutes(now, new Map(stored.map((row) => [minuteKey(row), row]))).map((row) => ({ ...row, slo: key }))
  }
}
