// Spans of a program as trees that can be compared with those of another run of it.
import { ok } from 'node:assert/strict'
import * as conventions from '@opentelemetry/semantic-conventions'
import type { SpanRecord } from '@andon/model'

/** A span without what differs from run to run. */
export interface Node {
  readonly name: string
  readonly kind: string
  readonly status: string
  /** Stable attributes only. */
  readonly attributes: ReadonlyMap<string, string>
  /** Type and message of each that was recorded. */
  readonly exceptions: readonly string[]
  /** In the order in which they started. */
  readonly children: readonly Node[]
}

/** The attributes of requests and databases that the semantic conventions call stable: the package has the others elsewhere. */
export const STABLE: ReadonlySet<string> = new Set(
  Object.entries(conventions).flatMap(([name, key]) => (name.startsWith('ATTR_') && typeof key === 'string' && /^(?:http|db|url|network|server|client|error|user_agent)\./.test(key) ? [key] : [])),
)

/** What a program told of its ports, by name. */
export type Ports = Readonly<Record<string, number>>

function normalise(key: string, value: unknown, ports: Ports): string {
  let text = String(value)
  for (const [name, port] of Object.entries(ports)) {
    if (key.endsWith('.port') && text === String(port)) return `<${name}>`
    text = text.replaceAll(`:${port}`, `:<${name}>`)
  }
  // The near end of a connection has another port each time.
  return key === 'network.peer.port' || key === 'client.port' ? '<any>' : text
}

/** @returns the spans without parents, with all that hangs below; fails where a parent is missing */
export function treesOf(spans: readonly SpanRecord[], ports: Ports): readonly Node[] {
  const known = new Set(spans.map(({ spanId }) => spanId))
  for (const { name, parentSpanId } of spans) ok(parentSpanId === '' || known.has(parentSpanId), `the parent of ${name} has not come`)
  const below = (parent: string): readonly Node[] =>
    spans
      .filter(({ parentSpanId }) => parentSpanId === parent)
      .toSorted((a, b) => (a.start < b.start ? -1 : Number(a.start > b.start)))
      .map(({ name, kind, status, attributes, events, spanId }) => ({
        name: normalise('name', name, ports),
        kind,
        status: status.code,
        attributes: new Map(Object.entries(attributes).flatMap(([key, value]) => (STABLE.has(key) ? [[key, normalise(key, value, ports)] as const] : []))),
        exceptions: events.flatMap((event) => (event.name === 'exception' ? [normalise('exception', [event.attributes['exception.type'], event.attributes['exception.message']].filter((each) => typeof each === 'string').join(': '), ports)] : [])),
        children: below(spanId),
      }))
  return below('')
}
