// Small reads of points that are wanted at the same time, as one: what a query costs is its parsing and planning, not its rows.
import { setImmediate as turn } from 'node:timers/promises'
import type { TimeRange } from '@andon/model'
import { USUAL_INTERVAL } from './known-series.ts'

/** Points of a read that is joined with others, at most. */
const SMALL = 20_000
/** Points of an answer that nobody asked for: so many, and this share of those that were asked for, are worth no second query. */
const SPARE = 2000
const SPARE_SHARE = 0.3
/** Points of an answer at most. */
const MOST = 200_000
/** Series of one question at most. */
const SERIES_MOST = 2000

interface Asked<Points> {
  readonly ids: readonly bigint[]
  readonly range: TimeRange
  readonly answer: (points: ReadonlyMap<bigint, Points>) => void
  readonly fail: (error: unknown) => void
}

interface Group<Points> {
  readonly members: Asked<Points>[]
  ids: ReadonlySet<bigint>
  range: TimeRange
  /** Points that its members ask for, each by itself. */
  asked: number
}

export interface JointReadsOptions<Points> {
  /** Reads the points of series in a range, whose ends are included. */
  readonly read: (ids: readonly bigint[], range: TimeRange) => Promise<ReadonlyMap<bigint, Points>>
  /** How many floats a point costs to read. */
  readonly weight: number
}

const union = (a: TimeRange, b: TimeRange): TimeRange => ({ start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) })

/**
 * Joins reads that are asked for while another one is under way, or in the same turn of the event loop. May be called concurrently;
 * at most one round of reads is under way.
 */
export class JointReads<Points> {
  readonly #options: JointReadsOptions<Points>
  #waiting: Asked<Points>[] = []
  #isRunning = false

  constructor(options: JointReadsOptions<Points>) {
    this.#options = options
  }

  /** Whether a read is small enough to be joined with others. */
  isSmall(series: number, range: TimeRange): boolean {
    return series <= SERIES_MOST && this.#cost(series, range) <= SMALL
  }

  /**
   * Points of series in a range.
   *
   * @returns those, and perhaps others: of further series, and before and after the range
   * @throws what the read of the joined question throws
   */
  async read(ids: readonly bigint[], range: TimeRange): Promise<ReadonlyMap<bigint, Points>> {
    return await new Promise((answer, fail) => {
      this.#waiting.push({ ids, range, answer, fail })
      if (!this.#isRunning) void this.#run()
    })
  }

  #cost(series: number, { start, end }: TimeRange): number {
    return series * (Math.max(0, end - start) / USUAL_INTERVAL + 1) * this.#options.weight
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    await turn()
    while (this.#waiting.length > 0) {
      const groups = this.#grouped(this.#waiting)
      this.#waiting = []
      await Promise.all(groups.map(async (group) => await this.#answer(group)))
    }
    this.#isRunning = false
  }

  /** Each with the first group whose answer holds little then that nobody asked for. */
  #grouped(asked: readonly Asked<Points>[]): Group<Points>[] {
    const groups: Group<Points>[] = []
    for (const one of asked.toSorted((a, b) => a.range.start - b.range.start)) {
      const own = this.#cost(one.ids.length, one.range)
      const isFit = (group: Group<Points>): boolean => {
        const further = one.ids.reduce((count, id) => count + Number(!group.ids.has(id)), 0)
        return this.#cost(group.ids.size + further, union(group.range, one.range)) <= Math.min(MOST, (group.asked + own) * (1 + SPARE_SHARE) + SPARE)
      }
      const fit = groups.find(isFit)
      if (fit === undefined) groups.push({ members: [one], ids: new Set(one.ids), range: one.range, asked: own })
      else {
        fit.members.push(one)
        fit.ids = new Set([...fit.ids, ...one.ids])
        fit.range = union(fit.range, one.range)
        fit.asked += own
      }
    }
    return groups
  }

  async #answer({ members, ids, range }: Group<Points>): Promise<void> {
    try {
      const points = await this.#options.read([...ids], range)
      for (const { answer } of members) answer(points)
    } catch (error) {
      for (const { fail } of members) fail(error)
    }
  }
}
