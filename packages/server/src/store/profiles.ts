// The tables stacks, profile_sets, profile_samples and profile_5m: what is written to them and read from them.
import { type Milliseconds, type ProfileFrame, type ProfileRecord, type ProfileType, type TimeRange, xxHash64 } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import { number, stringOf, texts } from './cells.ts'
import type { Database } from './database.ts'
import { LastWritten } from './last-written.ts'
import { once, type WriteOptions } from './spans.ts'
import { all, i64, name, type Sql, sql, text, u32 } from './sql.ts'
import { TsvRows } from './tsv.ts'

/** A profile with who sent it. */
export interface SourcedProfile {
  readonly service: string
  readonly env: string
  readonly version: string
  readonly instance: string
  /** What each value of a sample is, in their order; undefined for those that are not kept. */
  readonly types: readonly (ProfileType | undefined)[]
  readonly record: ProfileRecord
}

/** Which samples are merged. */
export interface ProfileQuery {
  readonly service: string
  readonly type: ProfileType
  readonly range: TimeRange
  readonly instance?: string
  readonly version?: string
  readonly route?: string
  /** 32 lower-case hex digits. */
  readonly traceId?: string
  /** 16 lower-case hex digits. */
  readonly spanId?: string
}

/** The sum of all samples of one stack. */
export interface MergedStack {
  /** The running function first. */
  readonly stack: readonly ProfileFrame[]
  /** Nanoseconds, bytes or objects. */
  readonly value: number
}

/** What was read for a query. */
export interface MergedProfile {
  /** The heaviest first. */
  readonly stacks: readonly MergedStack[]
  /** The lighter stacks that were left out: how many, and the sum of their samples. */
  readonly other: { readonly stacks: number; readonly value: number }
  /** Profiles that were sent within the range: the divisor for what is in use. */
  readonly profiles: number
  /** The part that was read from 5-minute sums; null where all was read from samples. */
  readonly rollup: TimeRange | null
  /** True where a part of the range has expired that sums cannot answer, because they know no instance, trace or span. */
  readonly isExpired: boolean
}

/** One kind of profile that a service sent within a range. */
export interface ProfileSet {
  readonly service: string
  readonly type: string
  readonly profiles: number
  readonly samples: number
  /** The starts of the first and the last of them. */
  readonly first: Milliseconds
  readonly last: Milliseconds
  /** When the one that lasted longest into the range ended. */
  readonly until: Milliseconds
}

/** Which sets are listed. */
export interface ProfileSetQuery {
  readonly range: TimeRange
  readonly service?: string
  readonly instance?: string
}

const SAMPLE_COLUMNS = ['service', 'type', 'ts', 'env', 'version', 'instance', 'route', 'trace_id', 'span_id', 'stack', 'value']
const SET_COLUMNS = ['service', 'type', 'env', 'version', 'instance', 'ts', 'seconds', 'samples', 'session']

const STACKS_REMEMBERED = 200_000
const NO_TRACE = Buffer.alloc(16)
const BUCKET: Milliseconds = 300_000
/** Buckets from which on sums are read: what they save is nothing for less. */
const BUCKETS_MIN = 12
const DAY: Milliseconds = 86_400_000

const frameText = (frame: ProfileFrame): string => `${frame.line}\t${frame.file.replaceAll('\t', ' ')}\t${frame.name}`

function readFrame(written: string): ProfileFrame {
  const [line = '0', file = '', ...rest] = written.split('\t')
  return { name: rest.join('\t'), file, line: Number(line) }
}

export class ProfileStore {
  readonly #database: Database
  readonly #clock: Clock
  readonly #rawDays: number
  /** By service and hash. */
  readonly #stacks: LastWritten<string>

  /** @param rawDays - how long single samples are kept */
  constructor(database: Database, clock: Clock, rawDays: number) {
    this.#database = database
    this.#clock = clock
    this.#rawDays = rawDays
    this.#stacks = new LastWritten(clock, STACKS_REMEMBERED)
  }

  /** Stores profiles; settles when they are stored. Stacks first, so that no sample refers to nothing. */
  async write(profiles: readonly SourcedProfile[], options: WriteOptions = {}): Promise<void> {
    const samples = new TsvRows()
    const sets = new TsvRows()
    const stacks = new Map<string, { service: string; hash: bigint; frames: readonly string[] }>()
    const hashes = new Map<readonly ProfileFrame[], bigint>()
    for (const profile of profiles) {
      const start = Number(profile.record.start / 1_000_000n)
      for (const sample of profile.record.samples) {
        let hash = hashes.get(sample.stack)
        if (hash === undefined) {
          const frames = sample.stack.map(frameText)
          hash = xxHash64(frames.join('\n'))
          hashes.set(sample.stack, hash)
          stacks.set(`${profile.service}\n${hash}`, { service: profile.service, hash, frames })
        }
        appendSample(samples, profile, sample, hash, start)
      }
      for (const type of profile.types) {
        if (type !== undefined) sets.text(profile.service).text(type).text(profile.env).text(profile.version).text(profile.instance).milliseconds(start).number(Number(profile.record.duration) / 1e9).number(profile.record.samples.length).text('').end()
      }
    }
    await this.#writeStacks(stacks)
    await once(options, 'profile_samples', (dedup) => this.#database.insert('profile_samples', SAMPLE_COLUMNS, samples, dedup))
    await once(options, 'profile_sets', (dedup) => this.#database.insert('profile_sets', SET_COLUMNS, sets, dedup))
  }

  async #writeStacks(stacks: ReadonlyMap<string, { service: string; hash: bigint; frames: readonly string[] }>): Promise<void> {
    const due = [...stacks].filter(([key]) => this.#stacks.isDue(key))
    if (due.length === 0) return
    const seconds = Math.floor(this.#clock.now() / 1000)
    const rows = new TsvRows()
    for (const [, { service, hash, frames }] of due) {
      rows.text(service).number(hash).list(frames, (part, each) => part.text(each)).number(seconds).end()
    }
    await this.#database.insert('stacks', ['service', 'hash', 'frames', 'last_seen'], rows)
    this.#stacks.note(due.map(([key]) => key))
  }

  /**
   * The sums of the samples of each stack, the heaviest `limit` of them. Of an hour and more, whole 5-minute buckets are read from their
   * sums and the edges from samples, which is the same answer; where the samples of an edge have expired, its whole bucket is counted.
   */
  async merged(query: ProfileQuery, limit: number): Promise<MergedProfile> {
    const { range, rollup, isExpired } = planOf(query, this.#clock.now() - this.#rawDays * DAY)
    const source = sourceOf(query, range, rollup)
    const [stacks, profiles] = await Promise.all([
      this.#database.query(
        sql`SELECT frames, total FROM (SELECT stack, sum(value) AS total FROM (${source}) GROUP BY stack ORDER BY total DESC, stack LIMIT ${u32(limit)}) AS sums
          LEFT ANY JOIN (SELECT hash, frames FROM andon.stacks WHERE service = ${text(query.service)}) AS known ON known.hash = sums.stack ORDER BY total DESC, stack`,
        ([frames, total]) => ({ stack: texts(frames).map(readFrame), value: number(total) }),
      ),
      this.#count({ ...query, range }),
    ])
    const other = stacks.length < limit ? { stacks: 0, value: 0 } : await this.#other(source, stacks)
    return { stacks, other, profiles, rollup, isExpired }
  }

  async #other(source: Sql, known: readonly MergedStack[]): Promise<MergedProfile['other']> {
    const [whole = { stacks: 0, value: 0 }] = await this.#database.query(sql`SELECT uniqExact(stack), sum(value) FROM (${source})`, ([stacks, value]) => ({ stacks: number(stacks), value: number(value) }))
    return { stacks: Math.max(0, whole.stacks - known.length), value: Math.max(0, whole.value - known.reduce((sum, { value }) => sum + value, 0)) }
  }

  /** How many profiles of a kind were sent. */
  async #count({ service, type, range, instance, version }: ProfileQuery): Promise<number> {
    const [found = 0] = await this.#database.query(
      sql`SELECT count() FROM andon.profile_sets WHERE service = ${text(service)} AND type = ${text(type)} AND ${within(range)} AND ${ifGiven('instance', instance)} AND ${ifGiven('version', version)}`,
      ([profiles]) => number(profiles),
    )
    return found
  }

  /** What each service sent, in the order of their names. */
  async sets({ range, service, instance }: ProfileSetQuery): Promise<ProfileSet[]> {
    return await this.#database.query(
      sql`SELECT service, type, count(), sum(samples), toUnixTimestamp64Milli(min(ts)), toUnixTimestamp64Milli(max(ts)), max(toUnixTimestamp64Milli(ts) + toInt64(seconds * 1000))
        FROM andon.profile_sets WHERE ${within(range)} AND ${ifGiven('service', service)} AND ${ifGiven('instance', instance)} GROUP BY service, type ORDER BY service, type LIMIT 10000`,
      ([sender, type, profiles, samples, first, last, until]) => ({ service: stringOf(sender), type: stringOf(type), profiles: number(profiles), samples: number(samples), first: number(first), last: number(last), until: number(until) }),
    )
  }
}

/** What of a range is read from where. */
interface Plan {
  /** The whole, which is larger than asked for where an edge can only be answered as a bucket. */
  readonly range: TimeRange
  readonly rollup: TimeRange | null
  readonly isExpired: boolean
}

/** @param rawFrom - samples before it have expired */
function planOf({ range, instance, traceId, spanId }: ProfileQuery, rawFrom: Milliseconds): Plan {
  const { start, end } = range
  const isOld = start < rawFrom
  // The sums do not know these.
  if (instance !== undefined || traceId !== undefined || spanId !== undefined) return { range, rollup: null, isExpired: isOld }
  const first = isOld ? Math.floor(start / BUCKET) * BUCKET : Math.ceil(start / BUCKET) * BUCKET
  const last = end < rawFrom ? Math.ceil(end / BUCKET) * BUCKET : Math.floor(end / BUCKET) * BUCKET
  const isLong = last - first >= BUCKETS_MIN * BUCKET
  if (last <= first || !(isLong || isOld)) return { range, rollup: null, isExpired: isOld }
  return { range: { start: Math.min(start, first), end: Math.max(end, last) }, rollup: { start: first, end: last }, isExpired: false }
}

/** Stacks with values, of a plan: a stack may occur several times. */
function sourceOf(query: ProfileQuery, range: TimeRange, rollup: TimeRange | null): Sql {
  const chosen = conditions(query)
  if (rollup === null) return sql`SELECT stack, value FROM andon.profile_samples WHERE ${all([within(range), ...chosen])}`
  const edges = sql`(${within({ start: range.start, end: rollup.start })} OR ${within({ start: rollup.end, end: range.end })})`
  // Buckets are whole seconds; 5-minute sums do not overlap the edges.
  const buckets = sql`ts >= toDateTime(${i64(rollup.start / 1000)}, 'UTC') AND ts < toDateTime(${i64(rollup.end / 1000)}, 'UTC')`
  return sql`SELECT stack, value FROM andon.profile_samples WHERE ${all([edges, ...chosen])} UNION ALL SELECT stack, value FROM andon.profile_5m WHERE ${all([buckets, ...chosen])}`
}

function appendSample(rows: TsvRows, profile: SourcedProfile, sample: ProfileRecord['samples'][number], hash: bigint, start: Milliseconds): void {
  const { labels, time, values } = sample
  const traceId = /^[\da-f]{32}$/.test(labels['trace_id'] ?? '') ? Buffer.from(labels['trace_id'] ?? '', 'hex') : NO_TRACE
  const spanId = /^[\da-f]{16}$/.test(labels['span_id'] ?? '') ? BigInt(`0x${labels['span_id'] ?? '0'}`) : 0n
  profile.types.forEach((type, index) => {
    const value = values[index] ?? 0
    if (type === undefined || value === 0) return
    rows.text(profile.service).text(type).milliseconds(time === 0n ? start : Number(time / 1_000_000n)).text(profile.env).text(profile.version).text(profile.instance)
    rows.text(labels['route'] ?? '').raw(traceId).number(spanId).number(hash).number(value).end()
  })
}

function within({ start, end }: TimeRange): Sql {
  return sql`ts >= fromUnixTimestamp64Milli(${i64(Math.floor(start))}) AND ts < fromUnixTimestamp64Milli(${i64(Math.ceil(end))})`
}

function ifGiven(column: string, value: string | undefined): Sql {
  return value === undefined ? sql`1` : sql`${name(column)} = ${text(value)}`
}

/** All but the range. */
function conditions(query: ProfileQuery): Sql[] {
  const list = [sql`service = ${text(query.service)}`, sql`type = ${text(query.type)}`, ifGiven('version', query.version), ifGiven('route', query.route)]
  if (query.instance !== undefined) list.push(sql`instance = ${text(query.instance)}`)
  if (query.traceId !== undefined) list.push(sql`trace_id = toFixedString(unhex(${text(query.traceId)}), 16)`)
  if (query.spanId !== undefined) list.push(sql`span_id = reinterpretAsUInt64(reverse(unhex(${text(query.spanId)})))`)
  return list
}
