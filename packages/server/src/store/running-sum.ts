// What PromQL sees of what was sent: a delta series is a running sum, with a point at the start of each interval too.
import type { Milliseconds } from '@andon/model'
import { combine, compatible } from './histogram-value.ts'
import type { HistogramForm, HistogramValue } from './metric-rows.ts'

/** Points of one series at increasing times; all arrays are equally long. */
export interface SeenPoints {
  readonly ts: Milliseconds[]
  readonly v: number[]
  /** 1 where the point is a stale marker. */
  readonly stale: number[]
  /** Start of the counter's life; 0 where it is not known. */
  readonly start: Milliseconds[]
}

/** Takes the raw points of one series in the order of their times and gives what PromQL sees. */
export class RunningSum {
  readonly points: SeenPoints = { ts: [], v: [], stale: [], start: [] }
  #sum = 0
  #began: Milliseconds = 0

  #push(ts: Milliseconds, v: number, stale: 0 | 1, start: Milliseconds): void {
    const { points } = this
    // Two points of one time: the later one counts, as a repeated cumulative point is read once.
    if (points.ts.at(-1) === ts) {
      points.v[points.v.length - 1] = v
      points.stale[points.stale.length - 1] = stale
      return
    }
    points.ts.push(ts)
    points.v.push(v)
    points.stale.push(stale)
    points.start.push(start)
  }

  /** @param delta - whether `v` is what came since `start`, or all since the counter began */
  add(ts: Milliseconds, start: Milliseconds, v: number, delta: boolean, stale: boolean): void {
    if (stale) {
      this.#push(ts, v, 1, 0)
      return
    }
    if (!delta) {
      this.#sum = 0
      this.#began = 0
      this.#push(ts, v, 0, start)
      return
    }
    // An interval whose beginning is not known opens with no point.
    const last = this.points.ts.at(-1) ?? 0
    const opens = start > 0 && start < ts ? start : 0
    if (this.#began === 0) {
      this.#sum = 0
      this.#began = opens === 0 ? ts : opens
    }
    if (opens > last) this.#push(opens, this.#sum, 0, this.#began)
    this.#sum += v
    this.#push(ts, this.#sum, 0, this.#began)
  }
}

/** The same for histograms. */
export class RunningHistogram {
  readonly points: SeenPoints = { ts: [], v: [], stale: [], start: [] }
  readonly values: (HistogramValue | undefined)[] = []
  #sum: HistogramValue | undefined
  #began: Milliseconds = 0

  #push(ts: Milliseconds, value: HistogramValue | undefined, start: Milliseconds): void {
    const { points, values } = this
    if (points.ts.at(-1) === ts) {
      values[values.length - 1] = value
      points.stale[points.stale.length - 1] = value === undefined ? 1 : 0
      return
    }
    points.ts.push(ts)
    points.v.push(Number.NaN)
    points.stale.push(value === undefined ? 1 : 0)
    points.start.push(start)
    values.push(value)
  }

  add(ts: Milliseconds, start: Milliseconds, value: HistogramValue, form: HistogramForm, stale: boolean): void {
    if (stale) {
      this.#push(ts, undefined, 0)
      return
    }
    if (form !== 'delta') {
      this.#sum = undefined
      this.#push(ts, value, start)
      return
    }
    const opens = start > 0 && start < ts ? start : 0
    const goesOn = this.#sum !== undefined && compatible(this.#sum, value)
    if (!goesOn) this.#began = opens === 0 ? ts : opens
    const before = goesOn && this.#sum !== undefined ? this.#sum : nothing(value)
    if (opens > (this.points.ts.at(-1) ?? 0)) this.#push(opens, before, this.#began)
    // That a running sum goes on needs not be told from its buckets at every point.
    this.#sum = { ...combine(before, value, 1), ...(goesOn && { hint: 'same' }) }
    this.#push(ts, this.#sum, this.#began)
  }
}

/** An empty histogram of the same shape. */
function nothing(value: HistogramValue): HistogramValue {
  return { ...value, zeroCount: 0, count: 0, sum: 0, positive: new Map(), negative: new Map() }
}
