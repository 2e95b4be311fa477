// The table stalls: what is written to it and read from it.
import type { Milliseconds, StallRecord, TimeRange } from '@andon/model'
import { hexId, number, stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { token, type WriteOptions } from './spans.ts'
import { i64, sql, text, u32 } from './sql.ts'
import { TsvRows } from './tsv.ts'

const COLUMNS = ['service', 'ts', 'env', 'version', 'instance', 'kind', 'seconds', 'cpu_seconds', 'route', 'trace_id', 'span_id', 'stack', 'share', 'samples']

/** A block of an event loop with whose it was. */
export interface SourcedStall extends StallRecord {
  readonly service: string
  readonly env: string
  readonly version: string
  readonly instance: string
  /** When it ended. */
  readonly time: Milliseconds
  /** 32 lower-case hex digits; '' where it is not known. */
  readonly traceId: string
  /** 16 lower-case hex digits; '' where it is not known. */
  readonly spanId: string
}

/** Which stalls are listed. */
export interface StallQuery {
  readonly service: string
  readonly range: TimeRange
  readonly limit: number
}

export class StallStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Stores stalls; settles when they are stored. */
  async write(stalls: readonly SourcedStall[], options: WriteOptions = {}): Promise<void> {
    const rows = new TsvRows(4096)
    for (const { service, time, env, version, instance, kind, seconds, cpuSeconds, route, traceId, spanId, stack, share, samples } of stalls) {
      rows.text(service).milliseconds(time).text(env).text(version).text(instance).text(kind).number(seconds).number(cpuSeconds).text(route)
      rows.raw(Buffer.from(traceId.padStart(32, '0'), 'hex')).number(BigInt(`0x${spanId === '' ? '0' : spanId}`)).text(stack).number(share).number(samples).end()
    }
    await this.#database.insert('stalls', COLUMNS, rows, token(options, 'stalls'))
  }

  /** The newest first. Reads one partition per day of the range. */
  async list({ service, range, limit }: StallQuery): Promise<SourcedStall[]> {
    return await this.#database.query(
      sql`SELECT toUnixTimestamp64Milli(ts), env, version, instance, kind, seconds, cpu_seconds, route, lower(hex(trace_id)), lower(hex(span_id)), stack, share, samples FROM andon.stalls
        WHERE service = ${text(service)} AND ts >= fromUnixTimestamp64Milli(${i64(Math.floor(range.start))}) AND ts < fromUnixTimestamp64Milli(${i64(Math.ceil(range.end))})
        ORDER BY ts DESC, seconds DESC LIMIT ${u32(limit)}`,
      ([time, env, version, instance, kind, seconds, cpuSeconds, route, traceId, spanId, stack, share, samples]) => ({
        service,
        time: number(time),
        env: stringOf(env),
        version: stringOf(version),
        instance: stringOf(instance),
        kind: stringOf(kind) === 'cpu' ? 'cpu' : 'waiting',
        seconds: number(seconds),
        cpuSeconds: number(cpuSeconds),
        route: stringOf(route),
        traceId: hexId(traceId, 32),
        spanId: hexId(spanId, 16),
        stack: stringOf(stack),
        share: number(share),
        samples: number(samples),
      }),
    )
  }
}
