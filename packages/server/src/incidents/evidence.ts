// What is kept of an incident beyond the retention of where it comes from: copies, bounded.
import type { Evidence, Incident, Milliseconds, PinnedCourses, PinnedSeries, PinnedTrace, TimeRange } from '@andon/model'

/** Where evidence comes from; each settles within the time that a query may take, or rejects. */
export interface EvidenceSource {
  /** The slowest traces of a service, the slowest first. */
  slowTraces(service: string, range: TimeRange): Promise<readonly PinnedTrace[]>
  /** Groups of errors, the most frequent first. */
  errors(service: string, range: TimeRange): Promise<readonly object[]>
  /** Database statements, those that took the most time first. */
  statements(service: string, range: TimeRange): Promise<readonly object[]>
  series(expression: string, range: TimeRange): Promise<readonly PinnedSeries[]>
}

export interface Gathered {
  readonly evidence: readonly Evidence[]
  /** What could not be had, for people. */
  readonly failures: readonly string[]
}

/** JSON of one piece. */
const PIECE_MAX = 96 * 1024
const TRACES_MAX = 5
const SPANS_MAX = 200
const ROWS_MAX = 10
const EXPRESSIONS_MAX = 8
const SERIES_MAX = 6
/** Before the onset, so that it can be seen what was usual. */
const BEFORE: Milliseconds = 15 * 60_000
const AFTER: Milliseconds = 2 * 60_000
/** Of an incident that lasts long its beginning counts. */
const RANGE_MAX: Milliseconds = 6 * 3_600_000

/** The time of which evidence is kept: from some minutes before the onset to the end, or until now. */
export function evidenceRange({ onsetAt, marks }: Pick<Incident, 'onsetAt' | 'marks'>, now: Milliseconds): TimeRange {
  const end = Math.min(now, (marks.resolved?.at ?? now) + AFTER)
  const start = Math.max(onsetAt, marks.detected.at - RANGE_MAX) - BEFORE
  return { start, end: Math.max(start + 60_000, Math.min(end, start + RANGE_MAX)) }
}

function sizeOf(value: unknown): number {
  return JSON.stringify(value).length
}

/** A list whose JSON fits: what does not is left out at its end. */
function fitting<T>(list: readonly T[], max: number): readonly T[] {
  let size = 2
  const kept = list.findIndex((one) => (size += sizeOf(one) + 1) > max)
  return kept === -1 ? list : list.slice(0, kept)
}

function traceEvidence(trace: PinnedTrace, at: Milliseconds): Evidence {
  const spans = fitting(trace.spans.slice(0, SPANS_MAX), PIECE_MAX)
  const { traceId, durationMs, rootService, rootName } = trace
  return { name: `trace-${traceId}`, kind: 'trace', title: `${rootService} ${rootName}: ${Math.round(durationMs)} ms`.slice(0, 200), at, cut: spans.length < trace.spans.length, data: { ...trace, spans, spanCount: trace.spans.length } }
}

function listEvidence(kind: 'errors' | 'statements', title: string, list: readonly object[], at: Milliseconds): Evidence[] {
  const kept = fitting(list.slice(0, ROWS_MAX), PIECE_MAX)
  return kept.length === 0 ? [] : [{ name: kind, kind, title, at, cut: kept.length < list.length, data: kept }]
}

/** What to draw: what its alerts watch, and how its service fares. */
export function expressionsOf({ alerts, service }: Pick<Incident, 'alerts' | 'service'>): readonly { readonly title: string; readonly expression: string }[] {
  const watched = new Map<string, string>()
  for (const { rule, expression } of alerts) if (expression !== null && !watched.has(expression)) watched.set(expression, rule)
  const own = [...watched].slice(0, EXPRESSIONS_MAX - 3).map(([expression, title]) => ({ title, expression }))
  if (service === '') return own
  const selector = `service_name=${JSON.stringify(service)}`
  const duration = 'http_server_request_duration_seconds'
  return [
    ...own,
    { title: 'Requests per second', expression: `sum(rate(${duration}_count{${selector}}[2m]))` },
    { title: 'Share of failed requests', expression: `sum(rate(${duration}_count{${selector},http_response_status_code=~"5.."}[2m])) / sum(rate(${duration}_count{${selector}}[2m]))` },
    { title: 'p95 of requests, seconds', expression: `histogram_quantile(0.95, sum(rate(${duration}{${selector}}[2m])))` },
  ]
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 200) : 'it failed'
}

/**
 * Copies what an incident can be understood by; what fails does not stop the rest.
 *
 * @returns pieces of at most 96 KiB of JSON each: 5 traces, 10 groups of errors, 10 statements, 6 series of each of 8 expressions
 */
export async function gather(incident: Incident, source: EvidenceSource, now: Milliseconds): Promise<Gathered> {
  const range = evidenceRange(incident, now)
  const { service } = incident
  const evidence: Evidence[] = []
  const failures: string[] = []
  const attempt = async (what: string, work: () => Promise<readonly Evidence[]>): Promise<void> => {
    try {
      evidence.push(...(await work()))
    } catch (error) {
      failures.push(`${what}: ${reasonOf(error)}`)
    }
  }
  if (service !== '') {
    await attempt('traces', async () => (await source.slowTraces(service, range)).slice(0, TRACES_MAX).map((trace) => traceEvidence(trace, now)))
    await attempt('errors', async () => listEvidence('errors', `Errors of ${service}`, await source.errors(service, range), now))
    await attempt('statements', async () => listEvidence('statements', `Database statements of ${service}`, await source.statements(service, range), now))
  }
  for (const [index, { title, expression }] of expressionsOf(incident).entries()) {
    await attempt(title, async () => {
      const series = await source.series(expression, range)
      const kept = fitting(series.slice(0, SERIES_MAX), PIECE_MAX)
      return kept.length === 0 ? [] : [{ name: `series-${index}`, kind: 'series', title, at: now, cut: kept.length < series.length, data: { expression, ...range, series: kept } satisfies PinnedCourses }]
    })
  }
  return { evidence, failures }
}
