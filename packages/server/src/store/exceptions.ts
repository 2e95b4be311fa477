// The tables errors and error_groups: what is written to them and read from them.
import { exceptionFingerprint, type ExceptionRecord, type Milliseconds, type TimeRange, xxHash64 } from '@andon/model'
import { hexId, number, stringOf, textRecord, texts } from './cells.ts'
import type { Database } from './database.ts'
import { describeSource } from './source.ts'
import { once, type WriteOptions } from './spans.ts'
import { all, i64, ids, type Sql, sql, text, u32 } from './sql.ts'
import { TsvRows } from './tsv.ts'

const COLUMNS = ['ts', 'service', 'env', 'version', 'instance', 'route', 'fp', 'type', 'message', 'stack', 'handled', 'weight', 'trace_id', 'span_id', 'context']

/** An error that stands for others, because the span that recorded it does. */
export interface WeightedException extends ExceptionRecord {
  /** 1 where it is absent. */
  readonly weight?: number
}

export interface ErrorQuery {
  readonly range: TimeRange
  readonly service?: string
  readonly env?: string
  readonly version?: string
}

/** Errors of one service and fingerprint within a range. */
export interface ErrorGroup {
  readonly service: string
  /** The fingerprint, unsigned 64 bits in decimal. */
  readonly id: string
  readonly type: string
  /** Of its latest error. */
  readonly message: string
  /** By weight. */
  readonly count: number
  /** Of these, those that nothing caught. */
  readonly unhandled: number
  readonly firstInRange: Milliseconds
  readonly lastInRange: Milliseconds
  /** The most frequent ones, at most five. */
  readonly routes: readonly string[]
}

/** When a group was seen in one version of its service, as long as groups are kept. */
export interface ErrorVersion {
  readonly service: string
  readonly id: string
  readonly version: string
  readonly firstSeen: Milliseconds
  readonly lastSeen: Milliseconds
  readonly count: number
}

/** One error with whose it was. */
export interface SourcedError {
  readonly time: Milliseconds
  readonly service: string
  readonly env: string
  readonly version: string
  readonly instance: string
  readonly route: string
  readonly type: string
  readonly message: string
  readonly stack: string
  readonly handled: boolean
  readonly weight: number
  /** '' where they are not known. */
  readonly traceId: string
  readonly spanId: string
  readonly attributes: Readonly<Record<string, string>>
}

export class ExceptionStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Stores errors; settles when they are stored. */
  async write(exceptions: readonly WeightedException[], options: WriteOptions = {}): Promise<void> {
    const rows = new TsvRows()
    for (const exception of exceptions) appendException(rows, exception)
    await once(options, 'errors', (dedup) => this.#database.insert('errors', COLUMNS, rows, dedup))
  }

  /** Groups of errors that occurred in a range, the most frequent first, or only one of all services. Reads one partition per day. */
  async groups(query: ErrorQuery, limit: number, group?: string): Promise<ErrorGroup[]> {
    return await this.#database.query(
      sql`SELECT service, toString(fp), toString(argMax(type, ts)), argMax(message, ts), sum(weight) AS total, sumIf(weight, NOT handled),
        toUnixTimestamp64Milli(min(ts)), toUnixTimestamp64Milli(max(ts)), topKIf(5)(toString(route), route != '')
        FROM andon.errors WHERE ${conditions(query, group)} GROUP BY service, fp ORDER BY total DESC, service, fp LIMIT ${u32(limit)}`,
      ([service, id, type, message, count, unhandled, first, last, routes]) => ({
        service: stringOf(service),
        id: stringOf(id),
        type: stringOf(type),
        message: stringOf(message),
        count: number(count),
        unhandled: number(unhandled),
        firstInRange: number(first),
        lastInRange: number(last),
        routes: texts(routes),
      }),
    )
  }

  /** Of some groups all versions in which they were seen, also before the range and longer ago than single errors are kept; the earliest first. */
  async versions(groups: readonly string[]): Promise<ErrorVersion[]> {
    if (groups.length === 0) return []
    return await this.#database.query(
      sql`SELECT service, toString(fp), version, toUnixTimestamp64Milli(min(first_seen)) AS first, toUnixTimestamp64Milli(max(last_seen)), sum(n)
        FROM andon.error_groups WHERE fp IN ${ids(groups.map(BigInt))} GROUP BY service, fp, version ORDER BY first, version LIMIT 100000`,
      ([service, id, version, first, last, count]) => ({ service: stringOf(service), id: stringOf(id), version: stringOf(version), firstSeen: number(first), lastSeen: number(last), count: number(count) }),
    )
  }

  /** When each version of some services was first heard of: by its spans or, where it sends none, its errors. */
  async releases(services: readonly string[]): Promise<{ readonly service: string; readonly version: string; readonly since: Milliseconds }[]> {
    const found: { readonly service: string; readonly version: string; readonly since: Milliseconds }[] = []
    for (const service of services) {
      const rows = await this.#database.query(
        sql`SELECT version, min(since) FROM (
          SELECT toString(version) AS version, toInt64(toUnixTimestamp(min(minute))) * 1000 AS since FROM andon.red_1m WHERE service = ${text(service)} GROUP BY version
          UNION ALL SELECT toString(version) AS version, toUnixTimestamp64Milli(min(first_seen)) AS since FROM andon.error_groups WHERE service = ${text(service)} GROUP BY version
        ) WHERE version != '' GROUP BY version ORDER BY min(since) LIMIT 1000`,
        ([version, since]) => ({ service, version: stringOf(version), since: number(since) }),
      )
      found.push(...rows)
    }
    return found
  }

  /** Errors of one group, the newest first. */
  async events(group: string, query: ErrorQuery, limit: number): Promise<SourcedError[]> {
    return await this.#database.query(
      sql`SELECT toUnixTimestamp64Milli(ts), service, env, version, instance, route, type, message, stack, handled, weight, lower(hex(trace_id)), lower(hex(span_id)), (mapKeys(context), mapValues(context))
        FROM andon.errors WHERE ${conditions(query, group)} ORDER BY ts DESC LIMIT ${u32(limit)}`,
      (row) => ({
        time: number(row[0]),
        service: stringOf(row[1]),
        env: stringOf(row[2]),
        version: stringOf(row[3]),
        instance: stringOf(row[4]),
        route: stringOf(row[5]),
        type: stringOf(row[6]),
        message: stringOf(row[7]),
        stack: stringOf(row[8]),
        handled: row[9] === true || row[9] === 1,
        weight: number(row[10]),
        traceId: hexId(row[11], 32),
        spanId: hexId(row[12], 16),
        attributes: textRecord(row[13]),
      }),
    )
  }

  /** How many errors of a group there were in each route. */
  async routes(group: string, query: ErrorQuery): Promise<{ readonly route: string; readonly count: number }[]> {
    return await this.#database.query(sql`SELECT route, sum(weight) AS total FROM andon.errors WHERE ${conditions(query, group)} GROUP BY route ORDER BY total DESC, route LIMIT 200`, ([route, count]) => ({ route: stringOf(route), count: number(count) }))
  }

  /** How many errors of a group there were in each step of a range, by the start of the step in milliseconds. */
  async course(group: string, query: ErrorQuery, step: Milliseconds): Promise<Map<Milliseconds, number>> {
    const first = Math.floor(query.range.start)
    const rows = await this.#database.query(
      sql`SELECT ${i64(first)} + intDiv(toUnixTimestamp64Milli(ts) - ${i64(first)}, ${i64(step)}) * ${i64(step)} AS t, sum(weight) FROM andon.errors WHERE ${conditions(query, group)} GROUP BY t ORDER BY t`,
      ([t, count]) => [number(t), number(count)] as const,
    )
    return new Map(rows)
  }
}

function conditions({ range, service, env, version }: ErrorQuery, group?: string): Sql {
  const list = [sql`ts >= fromUnixTimestamp64Milli(${i64(Math.floor(range.start))}) AND ts < fromUnixTimestamp64Milli(${i64(Math.ceil(range.end))})`]
  if (service !== undefined) list.push(sql`service = ${text(service)}`)
  if (env !== undefined) list.push(sql`env = ${text(env)}`)
  if (version !== undefined) list.push(sql`version = ${text(version)}`)
  if (group !== undefined) list.push(sql`fp IN ${ids([BigInt(group)])}`)
  return all(list)
}

function appendException(rows: TsvRows, exception: WeightedException): void {
  const { service, env, version, instance } = describeSource(exception.resource)
  const route = stringOf(exception.attributes['http.route'] ?? '')
  const context = Object.entries(exception.attributes).map(([key, value]) => [key, stringOf(value)] as const)
  rows.milliseconds(Number(exception.time / 1_000_000n)).text(service).text(env).text(version).text(instance).text(route)
  rows.number(xxHash64(exceptionFingerprint(exception))).text(exception.type).text(exception.message).text(exception.stack)
  rows.text(String(exception.handled)).number(exception.weight ?? 1).raw(Buffer.from(exception.traceId.padStart(32, '0'), 'hex'))
  rows.number(BigInt(`0x${exception.spanId === '' ? '0' : exception.spanId}`)).textMap(context).end()
}
