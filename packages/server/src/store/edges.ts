// The table edges_1m: what is written to it and read from it.
import { AndonError, EDGE_KINDS, type EdgeKind, type EdgeRecord, type Milliseconds, type TimeRange } from '@andon/model'
import { counts, number, stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { once, type WriteOptions } from './spans.ts'
import { i64, Sql, sql, text } from './sql.ts'
import { TsvRows } from './tsv.ts'

const COLUMNS = ['client', 'peer', 'server', 'kind', 'env', 'minute', 'n', 'err', 'err_unseen', 'dur_sum', 'pos', 'server_n', 'server_dur_sum', 'server_pos']
/** Rows that one read gives at most. */
const ROWS_MAX = 500_000
const MINUTE: Milliseconds = 60_000

/** How calls to an address were divided among the servers behind it. */
export interface NamedPeer {
  readonly client: string
  readonly peer: string
  readonly env: string
  readonly server: string
  readonly calls: number
}

export interface EdgeQuery {
  readonly range: TimeRange
  /** A multiple of a minute; records of one edge are added up over so long. One step over the whole range when absent. */
  readonly step?: Milliseconds
  /** Whether the buckets of durations are read; without, they are empty. */
  readonly buckets: boolean
  /** Only the edges of this client. */
  readonly client?: string
}

/** Seconds that a DateTime can hold. */
function secondsOf(time: Milliseconds): number {
  return Math.min(0xffff_ffff, Math.max(0, Math.ceil(time / 1000)))
}

/** The minutes of a range, as a condition: from the one in which it begins to the one in which it ends. */
export function minutesIn({ start, end }: TimeRange): Sql {
  return sql`minute >= toDateTime(${i64(secondsOf(Math.floor(start / MINUTE) * MINUTE))}) AND minute < toDateTime(${i64(secondsOf(end))})`
}

/** The start of the step that a minute lies in, in milliseconds. */
export function stepOf(step: Milliseconds | undefined, range: TimeRange): Sql {
  const first = Math.max(0, Math.floor(range.start / MINUTE) * MINUTE)
  return step === undefined ? sql`${i64(first)}` : sql`${i64(first)} + intDiv(toUnixTimestamp(minute) * 1000 - ${i64(first)}, ${i64(step)}) * ${i64(step)}`
}

export class EdgeStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Stores edges; settles when they are stored. */
  async write(edges: readonly EdgeRecord[], options: WriteOptions = {}): Promise<void> {
    const rows = new TsvRows(edges.length * 256)
    for (const edge of edges) {
      rows.text(edge.client).text(edge.peer).text(edge.server).text(edge.kind).text(edge.env).number(edge.minute / 1000)
      rows.number(edge.calls).number(edge.errors).number(edge.unseenErrors).number(edge.seconds).valueMap(edge.buckets)
      rows.number(edge.serverCalls).number(edge.serverSeconds).valueMap(edge.serverBuckets).end()
    }
    await once(options, 'edges', (dedup) => this.#database.insert('edges_1m', COLUMNS, rows, dedup))
  }

  /**
   * Edges of the minutes of a range, added up by step; `minute` is then the start of the step. Reads one partition per week.
   *
   * @throws AndonError query_too_large past 500,000 rows
   */
  async read({ range, step, buckets, client }: EdgeQuery, signal?: AbortSignal): Promise<EdgeRecord[]> {
    const of = client === undefined ? sql`1` : sql`client = ${text(client)}`
    const maps = buckets ? sql`sumMap(pos), sumMap(server_pos)` : new Sql('0, 0', {})
    const edges = await this.#database.query(
      sql`SELECT client, peer, server, kind, env, ${stepOf(step, range)} AS t, sum(n), sum(err), sum(err_unseen), sum(dur_sum), sum(server_n), sum(server_dur_sum), ${maps}
        FROM andon.edges_1m WHERE ${minutesIn(range)} AND ${of} GROUP BY client, peer, server, kind, env, t ORDER BY client, peer, server, kind, env, t LIMIT ${i64(ROWS_MAX + 1)}`,
      edgeOf,
      signal,
    )
    if (edges.length > ROWS_MAX) throw new AndonError('query_too_large', `the service map is more than ${ROWS_MAX} rows`)
    return edges
  }

  /** Which servers were found behind which addresses in a range. */
  async named(range: TimeRange, signal?: AbortSignal): Promise<NamedPeer[]> {
    return await this.#database.query(
      sql`SELECT client, peer, env, server, sum(n) FROM andon.edges_1m WHERE ${minutesIn(range)} AND kind = 'service' AND server != '' GROUP BY client, peer, env, server LIMIT ${i64(ROWS_MAX)}`,
      ([client, peer, env, server, calls]) => ({ client: stringOf(client), peer: stringOf(peer), env: stringOf(env), server: stringOf(server), calls: number(calls) }),
      signal,
    )
  }

  /** Whether anything was ever stored and is still kept. */
  async any(): Promise<boolean> {
    const [found] = await this.#database.query(sql`SELECT count() FROM andon.edges_1m`, ([count]) => number(count) > 0)
    return found ?? false
  }
}

function kindOf(value: unknown): EdgeKind {
  return EDGE_KINDS.find((kind) => kind === value) ?? 'service'
}

function edgeOf(row: readonly unknown[]): EdgeRecord {
  return {
    client: stringOf(row[0]),
    peer: stringOf(row[1]),
    server: stringOf(row[2]),
    kind: kindOf(row[3]),
    env: stringOf(row[4]),
    minute: number(row[5]),
    calls: number(row[6]),
    errors: number(row[7]),
    unseenErrors: number(row[8]),
    seconds: number(row[9]),
    serverCalls: number(row[10]),
    serverSeconds: number(row[11]),
    buckets: counts(row[12]),
    serverBuckets: counts(row[13]),
  }
}
