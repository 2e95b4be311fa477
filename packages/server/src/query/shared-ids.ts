// Zipkin's libraries may give both sides of a call one span id. Every other view of a trace needs one id for each span.
import { type SpanRecord, xxHash64 } from '@andon/model'

const CALLING: ReadonlySet<SpanRecord['kind']> = new Set(['client', 'producer'])
const CALLED: ReadonlySet<SpanRecord['kind']> = new Set(['server', 'consumer'])

/** What Zipkin's `shared` became when it was stored. */
const SHARED = 'zipkin.shared'

function serviceOf(span: SpanRecord): unknown {
  return span.resource.attributes['service.name']
}

/** An id of its own for the called side: the same whenever the trace is read. */
function ownId(span: SpanRecord, nth: number, taken: ReadonlySet<string>): string {
  for (let attempt = 0; ; attempt += 1) {
    const id = xxHash64(`${span.traceId}/${span.spanId}/${nth}/${attempt}`).toString(16).padStart(16, '0')
    if (!taken.has(id) && /[^0]/.test(id)) return id
  }
}

function byId(spans: readonly SpanRecord[]): Map<string, SpanRecord[]> {
  const groups = new Map<string, SpanRecord[]>()
  for (const span of spans) {
    const group = groups.get(span.spanId)
    if (group === undefined) groups.set(span.spanId, [span])
    else group.push(span)
  }
  return groups
}

/** The two sides of calls that share an id: which span stays, and which get an id of their own. */
interface Shared {
  readonly caller: SpanRecord
  readonly called: readonly { readonly span: SpanRecord; readonly id: string }[]
}

function sharedIds(spans: readonly SpanRecord[]): Map<string, Shared> {
  const groups = byId(spans)
  const taken = new Set(groups.keys())
  const shared = new Map<string, Shared>()
  for (const [id, group] of groups) {
    const caller = group.find((span) => CALLING.has(span.kind) && span.attributes[SHARED] !== true)
    if (caller === undefined || group.length === 1) continue
    const called = group.filter((span) => CALLED.has(span.kind)).map((span, nth) => {
      const own = ownId(span, nth, taken)
      taken.add(own)
      return { span, id: own }
    })
    if (called.length > 0) shared.set(id, { caller, called })
  }
  return shared
}

/** Whose child a span is that names a shared id as its parent: the called side's, unless it is of the caller's service and of no called one. */
function parentOf(span: SpanRecord, { caller, called }: Shared): string {
  const service = serviceOf(span)
  const own = called.find((each) => serviceOf(each.span) === service)
  if (own !== undefined) return own.id
  return serviceOf(caller) === service ? caller.spanId : (called[0]?.id ?? caller.spanId)
}

/**
 * The spans of one trace, each with an id of its own: where a call's two sides share one, the called side gets another and is the caller's child,
 * and the called service's spans are its children.
 *
 * @param spans - all of one trace, as they were sent; not modified
 * @returns the same list where no id is shared
 */
export function withOwnIds(spans: readonly SpanRecord[]): readonly SpanRecord[] {
  const shared = sharedIds(spans)
  if (shared.size === 0) return spans
  return spans.map((span) => {
    const called = shared.get(span.spanId)?.called.find((each) => each.span === span)
    if (called !== undefined) return { ...span, spanId: called.id, parentSpanId: span.spanId }
    const parent = shared.get(span.parentSpanId)
    return parent === undefined ? span : { ...span, parentSpanId: parentOf(span, parent) }
  })
}
