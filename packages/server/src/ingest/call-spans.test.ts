// Spans of calls between services, for tests.
import type { Resource, SpanRecord } from '@andon/model'

export const NOON: number = Date.UTC(2026, 5, 1, 12)
const SCOPE = { name: 'test', version: '1', attributes: {}, droppedAttributes: 0, schemaUrl: '' }
const resources = new Map<string, Resource>()

function resourceOf(service: string): Resource {
  const known = resources.get(service) ?? { attributes: { 'service.name': service }, droppedAttributes: 0, schemaUrl: '' }
  resources.set(service, known)
  return known
}

export const traceId = (n: number): string => n.toString(16).padStart(32, '0')
export const spanId = (n: number): string => n.toString(16).padStart(16, '0')

/** A span of a service that begins at noon and takes 10 ms. */
export function spanOf(service: string, ids: { trace: number; span: number; parent?: number }, more: Partial<SpanRecord> = {}): SpanRecord {
  const start = BigInt(NOON) * 1_000_000n
  return {
    traceId: traceId(ids.trace),
    spanId: spanId(ids.span),
    parentSpanId: ids.parent === undefined ? '' : spanId(ids.parent),
    traceState: '',
    flags: 1,
    name: 'op',
    kind: 'internal',
    start,
    end: start + 10_000_000n,
    attributes: {},
    droppedAttributes: 0,
    events: [],
    droppedEvents: 0,
    links: [],
    droppedLinks: 0,
    status: { code: 'unset', message: '' },
    resource: resourceOf(service),
    scope: SCOPE,
    ...more,
  }
}

/** The two halves of a call. */
export function call(n: number, client: string, server: string, more: { readonly client?: Partial<SpanRecord>; readonly server?: Partial<SpanRecord> } = {}): [SpanRecord, SpanRecord] {
  const [from, to] = [2 * n + 1, 2 * n + 2]
  return [
    spanOf(client, { trace: n + 1, span: from }, { kind: 'client', attributes: { 'server.address': `${server}.local`, 'server.port': 80n }, ...more.client }),
    spanOf(server, { trace: n + 1, span: to, parent: from }, { kind: 'server', ...more.server }),
  ]
}
