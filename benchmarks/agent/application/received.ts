// Reads what agents send, in the three formats of the peers, as far as the check of a request needs it.
import { unzipSync } from 'node:zlib'
import { decodeMulti } from '@msgpack/msgpack'
import { decodeSpans } from '@andon/wire'

export interface Received {
  readonly path: string
  readonly body: Uint8Array
  readonly isPacked: boolean
}

/** A span of whichever agent. */
export interface SeenSpan {
  readonly trace: string
  readonly id: string
  /** Empty where it has none. */
  readonly parent: string
  readonly role: 'server' | 'statement' | 'other'
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** An identifier, which formats write as text or as a number. */
function idOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'bigint' || (typeof value === 'number' && value !== 0) ? String(value) : ''
}

function fromOtlp(body: Uint8Array): SeenSpan[] {
  return decodeSpans(body).map(({ traceId, spanId, parentSpanId, kind, attributes, name }) => {
    const isStatement = attributes['db.query.text'] !== undefined || attributes['db.statement'] !== undefined
    const opens = /connect/i.test(name)
    return { trace: traceId, id: spanId, parent: parentSpanId, role: kind === 'server' ? 'server' : isStatement && !opens ? 'statement' : 'other' }
  })
}

/** A list of traces, each a list of spans. @see https://docs.datadoghq.com/tracing/guide/send_traces_to_agent_by_api/ */
function fromDatadog(body: Uint8Array): SeenSpan[] {
  const seen: SeenSpan[] = []
  for (const payload of decodeMulti(body, { useBigInt64: true })) {
    for (const trace of list(payload)) {
      for (const each of list(trace)) {
        const { trace_id, span_id, parent_id, type, name } = record(each)
        const parent = idOf(parent_id)
        const role = type === 'web' && parent === '0' ? 'server' : type === 'sql' && name === 'pg.query' ? 'statement' : 'other'
        seen.push({ trace: idOf(trace_id), id: idOf(span_id), parent: parent === '0' ? '' : parent, role })
      }
    }
  }
  return seen
}

/** Lines of JSON. @see https://github.com/elastic/apm/tree/main/specs/agents */
function fromElastic(body: Uint8Array): SeenSpan[] {
  const seen: SeenSpan[] = []
  for (const line of Buffer.from(body).toString('utf8').split('\n')) {
    if (!line.startsWith('{"transaction"') && !line.startsWith('{"span"')) continue
    const { transaction, span } = record(JSON.parse(line))
    const { trace_id, id, parent_id, subtype } = record(transaction ?? span)
    seen.push({ trace: idOf(trace_id), id: idOf(id), parent: idOf(parent_id), role: transaction !== undefined ? 'server' : subtype === 'postgresql' ? 'statement' : 'other' })
  }
  return seen
}

const READERS: Readonly<Record<string, (body: Uint8Array) => SeenSpan[]>> = { '/v1/traces': fromOtlp, '/v0.4/traces': fromDatadog, '/intake/v2/events': fromElastic }

/** Whether a path is one on which spans come. */
export function carriesSpans(path: string): boolean {
  return path in READERS
}

export function readSpans({ path, body, isPacked }: Received): SeenSpan[] {
  return READERS[path]?.(isPacked ? unzipSync(body) : body) ?? []
}
