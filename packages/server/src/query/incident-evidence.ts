// What incidents are understood by: the slowest traces of a service, its errors and statements, courses, and what it cost those who used it.
import type { Milliseconds, PinnedSeries, PinnedSpan, PinnedTrace, SpanRecord, TimeRange } from '@andon/model'
import type { QueryResult } from './engine.ts'
import { promString } from './grid.ts'
import type { FoundTrace, TraceQuery } from './spans.ts'

/** What it is read from. */
export interface IncidentSources {
  readonly spans: { search(query: TraceQuery): Promise<readonly FoundTrace[]>; trace(id: string, near?: Milliseconds): Promise<readonly SpanRecord[]> }
  readonly errors: { list(query: { readonly range: TimeRange; readonly service: string }, limit: number): Promise<readonly object[]> }
  readonly statements: { list(query: { readonly range: TimeRange; readonly service: string }, limit: number): Promise<{ readonly statements: readonly object[] }> }
  readonly engine: {
    instant(expression: string, time: Milliseconds): Promise<QueryResult>
    range(expression: string, start: Milliseconds, end: Milliseconds, step: Milliseconds): Promise<QueryResult>
  }
}

/** Requests of a service, and how many of them failed; null where it is not known. */
export interface RequestCount {
  readonly requests: number | null
  readonly failed: number | null
}

const TRACES = 5
/** Traces that one search looks through. */
const SEARCHED = 300
const ROWS = 10
const POINTS = 120
const STEP_MIN: Milliseconds = 15_000
const NS_PER_MS = 1_000_000

/** Numbers of 64 bits as JSON can hold them. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
  return value
}

function spanOf({ spanId, parentSpanId, name, kind, start, end, attributes, events, status, resource }: SpanRecord): PinnedSpan {
  return {
    spanId,
    parentSpanId,
    name,
    kind,
    service: String(plain(resource.attributes['service.name'] ?? '')),
    start: Number(start) / NS_PER_MS,
    durationMs: Number(end - start) / NS_PER_MS,
    attributes: plain(attributes),
    events: events.map((event) => ({ time: Number(event.time) / NS_PER_MS, name: event.name, attributes: plain(event.attributes) })),
    status: status.code,
    message: status.message,
  }
}

/** Reads what an incident keeps. Holds nothing; may be called concurrently. */
export class IncidentEvidenceReader {
  readonly #from: IncidentSources

  constructor(from: IncidentSources) {
    this.#from = from
  }

  /** The slowest traces of a service, the slowest first, at most five: of its newest ones, and of the newest among those that are slower than nine in ten of these. */
  async slowTraces(service: string, range: TimeRange): Promise<readonly PinnedTrace[]> {
    const { spans } = this.#from
    const newest = await spans.search({ range, service, limit: SEARCHED })
    const durations = newest.map(({ durationNs }) => durationNs).toSorted((a, b) => a - b)
    const bound = durations[Math.floor(durations.length * 0.9)] ?? 0
    // Where the first search has seen all there is nothing slower.
    const slow = newest.length < SEARCHED || bound === 0 ? [] : await spans.search({ range, service, minDurationNs: bound, limit: SEARCHED })
    const all = new Map([...newest, ...slow].map((trace) => [trace.traceId, trace]))
    const slowest = [...all.values()].toSorted((a, b) => b.durationNs - a.durationNs).slice(0, TRACES)
    const kept: PinnedTrace[] = []
    for (const { traceId, start, durationNs, rootService, rootName, errorCount } of slowest) {
      const records = await spans.trace(traceId, start)
      kept.push({ traceId, start, durationMs: durationNs / NS_PER_MS, rootService, rootName, errors: errorCount, spans: records.map(spanOf) })
    }
    return kept
  }

  async errors(service: string, range: TimeRange): Promise<readonly object[]> {
    return await this.#from.errors.list({ range, service }, ROWS)
  }

  async statements(service: string, range: TimeRange): Promise<readonly object[]> {
    return (await this.#from.statements.list({ range, service }, ROWS)).statements
  }

  /** An expression at up to 120 times of a range; histograms are left out. */
  async series(expression: string, { start, end }: TimeRange): Promise<readonly PinnedSeries[]> {
    const step = Math.max(STEP_MIN, Math.ceil((end - start) / POINTS / STEP_MIN) * STEP_MIN)
    const result = await this.#from.engine.range(expression, Math.floor(start / step) * step, end, step)
    if (result.type !== 'matrix') return []
    return result.series.map(({ labels, points }) => ({ labels, points: points.filter(([, value]) => Number.isFinite(value)) })).filter(({ points }) => points.length > 0)
  }

  /** Requests to a service within a range, by its metrics, or its spans where it sends none. */
  async requests(service: string, { start, end }: TimeRange): Promise<RequestCount> {
    const seconds = Math.max(1, Math.ceil((end - start) / 1000))
    const of = `service_name=${promString(service)}`
    const measured = await this.#count('http_server_request_duration_seconds_count', [of], 'http_response_status_code=~"5.."', { seconds, end })
    return measured.requests !== null ? measured : await this.#count('traces_spanmetrics_calls_total', [`service=${promString(service)}`, 'span_kind=~"SPAN_KIND_SERVER|SPAN_KIND_CONSUMER"'], 'status_code="STATUS_CODE_ERROR"', { seconds, end })
  }

  async #count(metric: string, selector: readonly string[], failed: string, { seconds, end }: { readonly seconds: number; readonly end: Milliseconds }): Promise<RequestCount> {
    const ask = async (conditions: readonly string[]): Promise<number | null> => {
      const result = await this.#from.engine.instant(`sum(increase(${metric}{${conditions.join(',')}}[${seconds}s]))`, end)
      const value = result.type === 'vector' ? result.samples[0]?.value : undefined
      return value !== undefined && Number.isFinite(value) ? value : null
    }
    const requests = await ask(selector)
    return { requests, failed: requests === null ? null : ((await ask([...selector, failed])) ?? 0) }
  }
}
