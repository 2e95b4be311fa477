// Which traces there are: a search over the table `spans`.
import type { Milliseconds, Nanoseconds, SpanKind, SpanRecord, TimeRange } from '@andon/model'
import { columns, number, pairs, stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { spanCondition, spanFilters, traceCondition, type TraceFilter, within } from './span-filter.ts'
import { fixed, readSpans } from './spans-read.ts'
import { all, f64, i64, Param, Sql, sql, text, u32 } from './sql.ts'

/** Which traces are looked for; every condition holds for one span of the trace. */
export interface TraceQuery {
  readonly range: TimeRange
  readonly service?: string
  readonly operation?: string
  readonly kind?: SpanKind
  readonly status?: 'ok' | 'error'
  /** Of the matching span, in nanoseconds. */
  readonly minDurationNs?: number
  readonly maxDurationNs?: number
  /** Attributes of the span or its resource, by key; numbers and truth values are compared by their text. */
  readonly attributes?: Readonly<Record<string, string>>
  /** What else must hold. */
  readonly filter?: TraceFilter
  /** Only traces that come after this one in the order of the answer. */
  readonly after?: TracePosition
  /** 1..1001 */
  readonly limit: number
}

/** Where a trace stands in the answer of a search. */
export interface TracePosition {
  /** Start of its newest matching span. */
  readonly latest: Nanoseconds
  readonly traceId: string
}

/** What a list of traces shows of one. */
export interface TraceSummary {
  readonly traceId: string
  /** Of its earliest span. */
  readonly start: Milliseconds
  /** From the start of its earliest span to the end of its latest. */
  readonly durationNs: number
  /** Service and name of its root, or of its earliest span where the root is not stored. */
  readonly rootService: string
  readonly rootName: string
  readonly spanCount: number
  readonly errorCount: number
  readonly services: readonly { readonly name: string; readonly spans: number; readonly errors: number }[]
}

/** A trace that a search has found. */
export interface FoundTrace extends TraceSummary, TracePosition {
  /** Spans that fulfil the conditions. */
  readonly matched: number
}

const DAY = 86_400_000

/** Searches of traces. */
export class SpanSearchStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Traces with a span that matches, those with the newest matching span first. Reads the matching spans of the range, then the traces found. */
  async search(query: TraceQuery): Promise<FoundTrace[]> {
    const groups = query.filter === undefined ? undefined : traceCondition(query.filter, query.range)
    const having = [...(groups === undefined ? [] : [groups]), ...(query.after === undefined ? [] : [comesAfter(query.after)])]
    const found = await this.#database.query(
      sql`SELECT lower(hex(trace_id)), toUnixTimestamp64Nano(max(ts)) AS latest, count() FROM andon.spans WHERE ${matching(query)} GROUP BY trace_id HAVING ${all(having)}
        ORDER BY latest DESC, trace_id DESC LIMIT ${u32(query.limit)}`,
      ([traceId, latest, matched]) => ({ traceId: stringOf(traceId), latest: BigInt(stringOf(latest)), matched: number(matched) }),
    )
    if (found.length === 0) return []
    const summaries = await this.#summaries(found.map(({ traceId }) => traceId), query.range)
    return found.flatMap((each) => {
      const summary = summaries.get(each.traceId)
      return summary === undefined ? [] : [{ ...summary, ...each }]
    })
  }

  /**
   * Spans of found traces that fulfil the conditions of the search, by trace, the earliest first.
   *
   * @param perTrace - how many of each trace at most
   */
  async matchedSpans(query: TraceQuery, traces: readonly string[], perTrace: number): Promise<Map<string, SpanRecord[]>> {
    if (traces.length === 0) return new Map()
    const condition = sql`trace_id IN ${idsOf(traces)} AND ${matching(query)}`
    const spans = await readSpans(this.#database, condition, sql`ORDER BY trace_id, ts, span_id LIMIT ${u32(perTrace)} BY trace_id`)
    const byTrace = new Map<string, SpanRecord[]>()
    for (const span of spans) {
      const group = byTrace.get(span.traceId)
      if (group === undefined) byTrace.set(span.traceId, [span])
      else group.push(span)
    }
    return byTrace
  }

  async #summaries(traces: readonly string[], { start, end }: TimeRange): Promise<Map<string, TraceSummary>> {
    const summaries = await this.#database.query(
      sql`SELECT lower(hex(trace_id)), min(toUnixTimestamp64Nano(ts)), max(toUnixTimestamp64Nano(ts) + dur), count(), countIf(status = 'error'),
        argMin((toString(service), toString(name)), (parent_id != 0, ts)), sumMap(map(toString(service), toUInt64(1))) AS spans_of, (mapKeys(spans_of), mapValues(spans_of)),
        sumMap(map(toString(service), toUInt64(status = 'error'))) AS errors_of, (mapKeys(errors_of), mapValues(errors_of))
        FROM andon.spans WHERE trace_id IN ${idsOf(traces)} AND ${within({ start: start - DAY, end: end + DAY })} GROUP BY trace_id`,
      summaryOf,
    )
    return new Map(summaries.map((summary) => [summary.traceId, summary]))
  }
}

function idsOf(traces: readonly string[]): Sql {
  return sql`(SELECT ${fixed(sql`arrayJoin(${new Param('Array(String)', traces)})`)})`
}

function comesAfter({ latest, traceId }: TracePosition): Sql {
  return sql`(latest < ${i64(latest)} OR (latest = ${i64(latest)} AND trace_id < ${fixed(sql`${text(traceId)}`)}))`
}

/** Rows of spans that fulfil all conditions of single spans. */
function matching(query: TraceQuery): Sql {
  const list = [within(query.range)]
  if (query.service !== undefined) list.push(sql`service = ${text(query.service)}`)
  if (query.operation !== undefined) list.push(sql`name = ${text(query.operation)}`)
  if (query.kind !== undefined) list.push(sql`kind = ${text(query.kind)}`)
  if (query.status !== undefined) list.push(query.status === 'error' ? sql`status = 'error'` : sql`status != 'error'`)
  if (query.minDurationNs !== undefined) list.push(sql`dur >= ${f64(query.minDurationNs)}`)
  if (query.maxDurationNs !== undefined) list.push(sql`dur <= ${f64(query.maxDurationNs)}`)
  for (const [key, value] of Object.entries(query.attributes ?? {})) list.push(attributeShows(key, value))
  if (query.filter !== undefined) list.push(spanCondition({ kind: 'any', of: spanFilters(query.filter) }, query.range))
  return all(list)
}

/** A number or truth value is found by its text, so that `http.response.status_code=500` needs no type. */
function attributeShows(key: string, value: string): Sql {
  const [k, v] = [text(key), text(value)]
  // 0.5 and 5e-1 are one number.
  const parsed = value.trim() === '' ? Number.NaN : Number(value)
  const float = Number.isNaN(parsed) ? new Sql('0', {}) : sql`(mapContains(attrs_num, ${k}) AND attrs_num[${k}] = ${f64(parsed)})`
  return sql`((mapContains(attrs, ${k}) AND attrs[${k}] = ${v}) OR (mapContains(attrs_int, ${k}) AND toString(attrs_int[${k}]) = ${v})
    OR ${float} OR (mapContains(attrs_bool, ${k}) AND toString(attrs_bool[${k}]) = ${v})
    OR resource IN (SELECT hash FROM andon.resources WHERE mapContains(attrs, ${k}) AND attrs[${k}] = ${v}))`
}

function summaryOf(row: readonly unknown[]): TraceSummary {
  const traceId = stringOf(row[0])
  const start = BigInt(stringOf(row[1]))
  const [rootService, rootName] = columns(row[5])
  const errors = new Map(pairs(row[9]).map(([name, count]) => [name, number(count)]))
  return {
    traceId,
    start: Number(start / 1_000_000n),
    durationNs: Number(BigInt(stringOf(row[2])) - start),
    rootService: stringOf(rootService),
    rootName: stringOf(rootName),
    spanCount: number(row[3]),
    errorCount: number(row[4]),
    services: pairs(row[7]).map(([name, spans]) => ({ name, spans: number(spans), errors: errors.get(name) ?? 0 })),
  }
}
