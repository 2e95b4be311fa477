// Whether each request has exactly its spans.
import type { SeenSpan } from './received.ts'

export interface Completeness {
  readonly spans: number
  /** Traces with a span of the server: requests that were recorded. */
  readonly recorded: number
  /** Those with one span of the server and exactly two statements, both below it. */
  readonly complete: number
  /** Traces without a span of the server: statements that joined no request. */
  readonly strays: number
}

/** Whether a span lies below another, over whatever lies between them. */
function isBelow(span: SeenSpan, top: SeenSpan, byId: ReadonlyMap<string, SeenSpan>): boolean {
  let at: SeenSpan | undefined = span
  for (let depth = 0; at !== undefined && depth < 10; depth += 1) {
    if (at.parent === top.id) return true
    at = byId.get(at.parent)
  }
  return false
}

function isComplete(own: readonly SeenSpan[]): boolean {
  const servers = own.filter(({ role }) => role === 'server')
  const statements = own.filter(({ role }) => role === 'statement')
  const [server] = servers
  if (server === undefined || servers.length !== 1 || statements.length !== 2) return false
  const byId = new Map(own.map((span) => [span.id, span]))
  return statements.every((statement) => isBelow(statement, server, byId))
}

export function checkRequests(spans: Iterable<SeenSpan>): Completeness {
  const traces = new Map<string, SeenSpan[]>()
  let count = 0
  for (const span of spans) {
    count += 1
    const own = traces.get(span.trace)
    if (own === undefined) traces.set(span.trace, [span])
    else own.push(span)
  }
  let [recorded, complete, strays] = [0, 0, 0]
  for (const own of traces.values()) {
    if (own.some(({ role }) => role === 'server')) recorded += 1
    else if (own.some(({ role }) => role === 'statement')) strays += 1
    if (isComplete(own)) complete += 1
  }
  return { spans: count, recorded, complete, strays }
}
