// What is known of one objective: its last days by minute, its alarm, and which of its minutes are stored.
import { type Indicator, type Milliseconds, type Objective, type Slice, type TimeRange, xxHash64 } from '@andon/model'
import { SLICE_MS, type DetectionState, detectionStep, DETECTION_START } from './detection.ts'
import { isWithin, maintenanceWithin } from './maintenance.ts'
import { MinuteRing, type Tally } from './minute-ring.ts'

const MINUTE: Milliseconds = 60_000

/** One slice of one route in one version. */
export interface CountedSlice extends Tally {
  readonly time: Milliseconds
  readonly route: string
  readonly version: string
}

/** A minute to be stored. */
export interface CountedMinute {
  readonly time: Milliseconds
  readonly route: string
  readonly version: string
  readonly good: number
  readonly total: number
}

const indicatorText = (indicator: Indicator): string => JSON.stringify(indicator, Object.keys(indicator).toSorted((a, b) => (a < b ? -1 : 1)))

/** By what the slices of an objective are stored: what is counted otherwise is another. */
export function sliceKey({ id, indicator }: Pick<Objective, 'id' | 'indicator'>): string {
  return `${id}@${xxHash64(indicatorText(indicator)).toString(16).padStart(16, '0').slice(0, 8)}`
}

function summed(rows: readonly CountedSlice[], key: (row: CountedSlice) => string): Map<string, CountedSlice> {
  const sums = new Map<string, CountedSlice>()
  for (const row of rows) {
    const of = key(row)
    const held = sums.get(of)
    sums.set(of, held === undefined ? row : { ...held, bad: held.bad + row.bad, total: held.total + row.total, worth: held.worth + row.worth })
  }
  return sums
}

/** Tells the minutes of one objective apart. */
export function minuteKey({ time, route, version }: Pick<CountedMinute, 'time' | 'route' | 'version'>): string {
  return `${time}\0${route}\0${version}`
}

const minute = (time: Milliseconds): Milliseconds => Math.floor(time / MINUTE) * MINUTE

/** Minutes of slices, by time, route and version. */
export function minutesOf(rows: readonly CountedSlice[]): Map<string, CountedMinute> {
  const key = ({ time, route, version }: CountedSlice): string => minuteKey({ time: minute(time), route, version })
  return new Map([...summed(rows, key)].map(([of, { time, route, version, bad, total }]) => [of, { time: minute(time), route, version, good: total - bad, total }]))
}

/** Minutes that differ from those that are stored; those that are there no more are stored as empty. */
export function changedMinutes(now: ReadonlyMap<string, CountedMinute>, stored: ReadonlyMap<string, CountedMinute>): CountedMinute[] {
  const changed = [...now].filter(([key, { good, total }]) => stored.get(key)?.total !== total || stored.get(key)?.good !== good).map(([, row]) => row)
  const gone = [...stored].filter(([key, { total }]) => !now.has(key) && total !== 0).map(([, row]) => ({ ...row, good: 0, total: 0 }))
  return [...changed, ...gone]
}

/**
 * Holds one objective. What was counted long ago enough is settled: it becomes part of the kept state of the alarm, once. What is younger may
 * still be counted again, and the alarm of now is reckoned from the settled state through it.
 */
export class ObjectiveTracker {
  readonly objective: Objective
  readonly key: string
  readonly ring: MinuteRing = new MinuteRing()
  /** Up to when slices are part of `settled`; a whole minute. */
  settledTo: Milliseconds
  settled: DetectionState
  /** As of the newest slice. */
  tip: DetectionState
  /** The end of the newest slice that was counted. */
  end: Milliseconds
  /** When something was counted last. */
  lastData: Milliseconds | undefined
  #stored: ReadonlyMap<string, CountedMinute> = new Map()

  constructor(objective: Objective, { settledTo, settled = DETECTION_START }: { readonly settledTo: Milliseconds; readonly settled?: DetectionState }) {
    this.objective = objective
    this.key = sliceKey(objective)
    this.settledTo = settledTo
    this.settled = settled
    this.tip = settled
    this.end = settledTo
  }

  get budget(): number {
    return 1 - this.objective.target
  }

  /**
   * Takes what was counted from `settledTo` to `end`, in place of what it knew of that time.
   *
   * @param rows - of slices within that time
   * @param settleTo - whole minute, up to which nothing is counted again
   * @returns minutes that are not stored as they now are; `stored` must be told of them
   */
  take(rows: readonly CountedSlice[], end: Milliseconds, settleTo: Milliseconds): CountedMinute[] {
    const from = this.settledTo
    const bySlice = summed(rows, ({ time }) => String(time))
    this.#fillRing(from, end, bySlice)
    const times = maintenanceWithin(this.objective.maintenance, { start: from, end })
    let state = this.settled
    for (let time = from; time < end; time += SLICE_MS) {
      const found = bySlice.get(String(time))
      if (found !== undefined && found.total > 0) this.lastData = Math.max(this.lastData ?? 0, time + SLICE_MS)
      state = found === undefined || isWithin(times, time) ? state : detectionStep(state, evidence(time, found), this.budget)
      if (time + SLICE_MS === settleTo) this.settled = state
    }
    this.tip = state
    this.end = end
    if (settleTo > from) this.settledTo = settleTo
    return this.#unstored(rows, end)
  }

  #fillRing(from: Milliseconds, end: Milliseconds, bySlice: ReadonlyMap<string, CountedSlice>): void {
    const times = maintenanceWithin(this.objective.maintenance, { start: from, end })
    for (let start = from; start < end; start += MINUTE) {
      const sum = { bad: 0, total: 0, worth: 0 }
      if (!isWithin(times, start)) {
        for (let time = start; time < start + MINUTE; time += SLICE_MS) {
          const { bad = 0, total = 0, worth = 0 } = bySlice.get(String(time)) ?? {}
          sum.bad += bad
          sum.total += total
          sum.worth += worth
        }
      }
      this.ring.set(start, sum)
    }
  }

  /** Whole minutes alone: the one under way is stored when it is over. */
  #unstored(rows: readonly CountedSlice[], end: Milliseconds): CountedMinute[] {
    const now = new Map([...minutesOf(rows)].filter(([, { time }]) => time + MINUTE <= end))
    const changed = changedMinutes(now, this.#stored)
    this.#stored = new Map([...now].filter(([, { time }]) => time >= this.settledTo))
    return changed
  }

  /** What could not be stored is tried again. */
  forgetStored(): void {
    this.#stored = new Map()
  }

  /** All that was counted in the time before the newest slice. */
  sum(lengthMs: Milliseconds): Tally {
    return this.ring.sum(this.end - lengthMs, this.end)
  }

  /** Takes minutes as they were stored, before a restart. */
  refill(minutes: readonly { readonly time: Milliseconds; readonly good: number; readonly total: number }[], range: TimeRange): void {
    const times = maintenanceWithin(this.objective.maintenance, range)
    for (const { time, good, total } of minutes) {
      if (!isWithin(times, time)) this.ring.set(time, { bad: total - good, total, worth: total })
      this.lastData = Math.max(this.lastData ?? 0, time + MINUTE)
    }
  }
}

/** Weighted counts as what the samples are worth. */
function evidence(time: Milliseconds, { bad, total, worth }: Tally): Slice {
  return { time, n: Math.max(0, worth), bad: total > 0 ? bad * (worth / total) : 0 }
}
