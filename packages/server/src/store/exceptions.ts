// The tables errors and error_groups: what is written to them and read from them.
import { exceptionFingerprint, type ExceptionRecord, type Milliseconds, type TimeRange, xxHash64 } from '@andon/model'
import { number, stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { describeSource } from './source.ts'
import { token, type WriteOptions } from './spans.ts'
import { i64, sql, text } from './sql.ts'
import { TsvRows } from './tsv.ts'

const COLUMNS = ['ts', 'service', 'env', 'version', 'instance', 'route', 'fp', 'type', 'message', 'stack', 'handled', 'weight', 'trace_id', 'span_id', 'context']

/** Errors of one fingerprint and service. */
export interface ErrorGroup {
  readonly service: string
  /** The fingerprint, unsigned 64 bits in decimal. */
  readonly id: string
  readonly type: string
  /** Of its latest error. */
  readonly message: string
  readonly firstSeen: Milliseconds
  readonly lastSeen: Milliseconds
  readonly count: number
}

export class ExceptionStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Stores errors; settles when they are stored. */
  async write(exceptions: readonly ExceptionRecord[], options: WriteOptions = {}): Promise<void> {
    const rows = new TsvRows()
    for (const exception of exceptions) appendException(rows, exception)
    await this.#database.insert('errors', COLUMNS, rows, token(options, 'errors'))
  }

  /** Groups of errors that occurred in the days of a range, the most frequent first; at most 1,000. */
  async groups(range: TimeRange, service?: string): Promise<ErrorGroup[]> {
    const chosen = service === undefined ? sql`1` : sql`service = ${text(service)}`
    return await this.#database.query(
      sql`SELECT service, toString(fp), anyLast(type), anyLast(message), toUnixTimestamp64Milli(min(first_seen)), toUnixTimestamp64Milli(max(last_seen)), sum(n) AS total
        FROM andon.error_groups WHERE day >= toDate(fromUnixTimestamp64Milli(${i64(range.start)})) AND day <= toDate(fromUnixTimestamp64Milli(${i64(range.end)})) AND ${chosen}
        GROUP BY service, fp ORDER BY total DESC, service, fp LIMIT 1000`,
      ([name, id, type, message, first, last, count]) => ({
        service: stringOf(name),
        id: stringOf(id),
        type: stringOf(type),
        message: stringOf(message),
        firstSeen: number(first),
        lastSeen: number(last),
        count: number(count),
      }),
    )
  }
}

function appendException(rows: TsvRows, exception: ExceptionRecord): void {
  const { service, env, version, instance } = describeSource(exception.resource)
  const route = stringOf(exception.attributes['http.route'] ?? '')
  const context = Object.entries(exception.attributes).map(([key, value]) => [key, stringOf(value)] as const)
  rows.milliseconds(Number(exception.time / 1_000_000n)).text(service).text(env).text(version).text(instance).text(route)
  rows.number(xxHash64(exceptionFingerprint(exception))).text(exception.type).text(exception.message).text(exception.stack)
  rows.text(String(exception.handled)).number(1).raw(Buffer.from(exception.traceId.padStart(32, '0'), 'hex'))
  rows.number(BigInt(`0x${exception.spanId === '' ? '0' : exception.spanId}`)).textMap(context).end()
}
