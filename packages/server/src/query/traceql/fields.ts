// What TraceQL can name of a span, and of which type its values are.
import { SPAN_KINDS, SPAN_STATUSES } from '@andon/model'
import type { AttributeScope, SpanField, SpanIntrinsic } from '../../store/span-filter.ts'
import { failAt, type Token, unquote } from './tokens.ts'

/** Types of the values of intrinsics; attributes have any. */
export type FieldType = 'text' | 'kind' | 'status' | 'nanoseconds' | 'any'

const INTRINSICS: Readonly<Record<string, readonly [SpanIntrinsic, FieldType]>> = {
  name: ['name', 'text'],
  kind: ['kind', 'kind'],
  status: ['status', 'status'],
  statusMessage: ['statusMessage', 'text'],
  duration: ['duration', 'nanoseconds'],
  rootName: ['rootName', 'text'],
  rootServiceName: ['rootService', 'text'],
  traceDuration: ['traceDuration', 'nanoseconds'],
  'span:name': ['name', 'text'],
  'span:kind': ['kind', 'kind'],
  'span:status': ['status', 'status'],
  'span:statusMessage': ['statusMessage', 'text'],
  'span:duration': ['duration', 'nanoseconds'],
  'span:id': ['spanId', 'text'],
  'span:parentID': ['parentId', 'text'],
  'trace:id': ['traceId', 'text'],
  'trace:duration': ['traceDuration', 'nanoseconds'],
  'trace:rootName': ['rootName', 'text'],
  'trace:rootService': ['rootService', 'text'],
  'event:name': ['eventName', 'text'],
  'event:timeSinceStart': ['eventTime', 'nanoseconds'],
  'link:spanID': ['linkSpanId', 'text'],
  'link:traceID': ['linkTraceId', 'text'],
  'instrumentation:name': ['scopeName', 'text'],
  'instrumentation:version': ['scopeVersion', 'text'],
}

/** Names of what is no attribute, as TraceQL writes them, in order. */
export const INTRINSIC_NAMES: readonly string[] = Object.keys(INTRINSICS).toSorted()

/** Words of the two enumerations. */
export const KEYWORDS: Readonly<Record<'kind' | 'status', readonly string[]>> = { kind: SPAN_KINDS, status: SPAN_STATUSES }

const SCOPES: Readonly<Record<string, AttributeScope>> = { '': 'any', span: 'span', resource: 'resource', event: 'event', link: 'link' }

/** A field and what it is compared with. */
export interface NamedField {
  readonly field: SpanField
  readonly type: FieldType
  /** As it was written. */
  readonly name: string
}

/** Parts of a name in quotes may hold anything: `span."a b"`. */
function plainKey(written: string): string {
  return written.replaceAll(/"((?:[^"\\]|\\.)*)"/g, (_, inner: string) => unquote(inner))
}

/**
 * The field that a token names; undefined when it names none.
 *
 * @throws AndonError bad_query for what TraceQL knows and we do not keep in a form that can be searched
 */
export function fieldOf(token: Token, query: string): NamedField | undefined {
  if (token.kind === 'word') {
    const known = Object.hasOwn(INTRINSICS, token.text) ? INTRINSICS[token.text] : undefined
    return known === undefined ? undefined : { field: { intrinsic: known[0] }, type: known[1], name: token.text }
  }
  if (token.kind !== 'attribute') return undefined
  const dot = token.text.indexOf('.')
  const scope = SCOPES[token.text.slice(0, dot)]
  const key = plainKey(token.text.slice(dot + 1))
  if (key === '') return failAt(query, token.at, 'an attribute without a name')
  if (scope === undefined) return failAt(query, token.at, `the scope ${token.text.slice(0, dot)} is not supported`, 'Attributes can be asked as .x, span.x, resource.x, event.x and link.x; of the instrumentation its name and version, instrumentation:name.')
  return { field: { scope, key }, type: 'any', name: token.text }
}

/**
 * The field of a tag as Tempo's routes of tags name it: with a scope, an intrinsic, or a plain name, which is looked for on the span and its resource.
 *
 * @throws AndonError bad_query as `fieldOf`
 */
export function fieldOfTag(tag: string): NamedField {
  const isScoped = /^(?:span|resource|event|link|instrumentation|parent)?\./.test(tag)
  const found = fieldOf({ kind: isScoped ? 'attribute' : 'word', text: tag, at: 0 }, tag)
  return found ?? { field: { scope: 'any', key: plainKey(tag) }, type: 'any', name: tag }
}
