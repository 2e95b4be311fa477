// Database statements: what each costs, where it is run, and how often one request repeats it.
import { type BucketCounts, bucketQuantile, type Milliseconds, type Ratio, type Seconds, SPAN_SCALE, type TimeRange } from '@andon/model'
import type { KnownStatement, StatementBy, StatementExample, StatementPart, StatementQuery, StatementSums, StatementTotals } from '../store/statements.ts'
import { gridOf, type Values } from './grid.ts'

/** What statements are read from. */
export interface StatementSource {
  totals(query: StatementQuery, limit: number): Promise<readonly StatementTotals[]>
  seconds(query: StatementQuery): Promise<Seconds>
  texts(statements: readonly string[]): Promise<ReadonlyMap<string, KnownStatement>>
  parts(statement: string, query: StatementQuery, by: StatementBy): Promise<readonly StatementPart[]>
  course(statement: string, query: StatementQuery, step: Milliseconds): Promise<ReadonlyMap<Milliseconds, StatementSums>>
  examples(statement: string, query: StatementQuery, limit: number): Promise<readonly StatementExample[]>
}

/** What executions of a statement cost. */
export interface StatementCost {
  /** By weight: may be a fraction. */
  readonly calls: number
  /** Per second. */
  readonly rate: number
  readonly errorRatio: Ratio | null
  readonly totalSeconds: Seconds
  readonly meanSeconds: Seconds | null
  readonly p50: Seconds | null
  readonly p95: Seconds | null
  /** Calls that are known to have waited for a connection of the pool, and the sum of what they waited. */
  readonly waits: number
  readonly waitSeconds: Seconds
  /** Mean time between question and answer on the wire; null where nothing tells. */
  readonly serverMeanSeconds: Seconds | null
  /** Mean number of returned rows; null where nothing tells. */
  readonly rowsMean: number | null
  /** The most executions within one trace: many of them are an N+1. */
  readonly perTraceMax: number
}

/** A statement of one service. */
export interface Statement extends StatementCost {
  /** xxHash64 of the text, unsigned in decimal; "0" for those that are not told apart. */
  readonly id: string
  readonly service: string
  readonly system: string
  /** Without values. */
  readonly text: string
  readonly operation: string
  readonly collections: readonly string[]
  /** Of the time that all statements took. */
  readonly share: Ratio | null
}

export interface StatementList {
  /** Of all statements, also those that are not listed. */
  readonly totalSeconds: Seconds
  readonly statements: readonly Statement[]
}

export interface StatementDetail extends StatementCost {
  readonly id: string
  readonly system: string
  readonly text: string
  readonly operation: string
  readonly collections: readonly string[]
  readonly t: readonly Milliseconds[]
  readonly course: { readonly rate: Values; readonly errorRatio: Values; readonly meanSeconds: Values; readonly p95: Values }
  /** '' where it is not known. */
  readonly routes: readonly (StatementCost & { readonly route: string })[]
  /** The functions that run it, of those calls that say so. */
  readonly callers: readonly (StatementCost & { readonly caller: string })[]
  readonly versions: readonly (StatementCost & { readonly version: string })[]
  /** The slowest executions that are kept, each of another trace. */
  readonly examples: readonly StatementExample[]
}

const MINUTE: Milliseconds = 60_000
const COURSE_POINTS = 120
const EXAMPLES = 10
const NOTHING: StatementSums = { calls: 0, errors: 0, seconds: 0, waits: 0, waitSeconds: 0, serverCalls: 0, serverSeconds: 0, answers: 0, rows: 0, perTraceMax: 0, buckets: new Map() }

const mean = (sum: number, count: number): number | null => (count > 0 ? sum / count : null)

function quantileOf(buckets: BucketCounts, q: number): Seconds | null {
  const value = bucketQuantile(0, buckets, SPAN_SCALE, q)
  return Number.isNaN(value) ? null : value
}

function costOf(sums: StatementSums, seconds: Seconds): StatementCost {
  const { calls, errors, waits, waitSeconds, serverCalls, serverSeconds, answers, rows, perTraceMax, buckets } = sums
  return {
    calls,
    rate: calls / seconds,
    errorRatio: mean(errors, calls),
    totalSeconds: sums.seconds,
    meanSeconds: mean(sums.seconds, calls),
    p50: quantileOf(buckets, 0.5),
    p95: quantileOf(buckets, 0.95),
    waits,
    waitSeconds,
    serverMeanSeconds: mean(serverSeconds, serverCalls),
    rowsMean: mean(rows, answers),
    perTraceMax,
  }
}

function summed(parts: readonly StatementSums[]): StatementSums {
  return parts.reduce((sum, part) => {
    const buckets = new Map(sum.buckets)
    for (const [index, count] of part.buckets) buckets.set(index, (buckets.get(index) ?? 0) + count)
    return {
      calls: sum.calls + part.calls,
      errors: sum.errors + part.errors,
      seconds: sum.seconds + part.seconds,
      waits: sum.waits + part.waits,
      waitSeconds: sum.waitSeconds + part.waitSeconds,
      serverCalls: sum.serverCalls + part.serverCalls,
      serverSeconds: sum.serverSeconds + part.serverSeconds,
      answers: sum.answers + part.answers,
      rows: sum.rows + part.rows,
      perTraceMax: Math.max(sum.perTraceMax, part.perTraceMax),
      buckets,
    }
  }, NOTHING)
}

/** From the minute in which a range begins. */
function whole(range: TimeRange): TimeRange {
  return { start: Math.floor(range.start / MINUTE) * MINUTE, end: range.end }
}

const unknown = (id: string): KnownStatement => ({ id, system: '', text: '', operation: '', collections: [] })

/** What statements cost. Holds nothing; may be called concurrently. */
export class StatementReader {
  readonly #source: StatementSource

  constructor(source: StatementSource) {
    this.#source = source
  }

  /** Statements by service, those with the most time first. */
  async list(query: StatementQuery, limit: number): Promise<StatementList> {
    const range = whole(query.range)
    const seconds = Math.max(1, (range.end - range.start) / 1000)
    const [totals, totalSeconds] = await Promise.all([this.#source.totals(query, limit), this.#source.seconds(query)])
    const texts = await this.#source.texts([...new Set(totals.map(({ id }) => id))])
    const statements = totals.map((each) => ({ ...(texts.get(each.id) ?? unknown(each.id)), service: each.service, ...costOf(each, seconds), share: mean(each.seconds, totalSeconds) }))
    return { totalSeconds, statements }
  }

  /** One statement, of all services or one. @returns undefined where it is not known */
  async one(id: string, query: StatementQuery): Promise<StatementDetail | undefined> {
    const known = (await this.#source.texts([id])).get(id)
    if (known === undefined) return undefined
    const range = whole(query.range)
    const seconds = Math.max(1, (range.end - range.start) / 1000)
    const { step } = gridOf(range, COURSE_POINTS, MINUTE)
    const [routes, callers, versions, course, examples] = await Promise.all([
      this.#source.parts(id, query, 'route'),
      this.#source.parts(id, query, 'caller'),
      this.#source.parts(id, query, 'version'),
      this.#source.course(id, query, step),
      this.#source.examples(id, query, EXAMPLES),
    ])
    const t: Milliseconds[] = []
    for (let at = range.start; at < range.end; at += step) t.push(at)
    const pick = (value: (cost: StatementCost) => number | null): Values =>
      t.map((at) => {
        const sums = course.get(at)
        return sums === undefined ? null : value(costOf(sums, Math.max(1, Math.min(step, range.end - at) / 1000)))
      })
    return {
      ...known,
      ...costOf(summed([...course.values()]), seconds),
      t,
      course: { rate: pick(({ rate }) => rate), errorRatio: pick(({ errorRatio }) => errorRatio), meanSeconds: pick(({ meanSeconds }) => meanSeconds), p95: pick(({ p95 }) => p95) },
      routes: routes.map(({ key, ...sums }) => ({ route: key, ...costOf(sums, seconds) })),
      callers: callers.filter(({ key }) => key !== '').map(({ key, ...sums }) => ({ caller: key, ...costOf(sums, seconds) })),
      versions: versions.map(({ key, ...sums }) => ({ version: key, ...costOf(sums, seconds) })),
      examples,
    }
  }
}
