import {
  type AnyValue,
  type Attributes as ApiAttributes,
  type Context,
  context as contextApi,
  type Exception,
  type Link,
  propagation,
  type Span as ApiSpan,
  type SpanContext,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
} from '@opentelemetry/api'
import type { AttributeValue, Resource, Scope, SpanEvent, SpanKind, SpanLink, SpanRecord } from '@andon/model'
import { toAttributes, toValue } from './attributes.ts'
import { nowNanoseconds, toNanoseconds } from './time.ts'

/** What a span is started with. */
export interface SpanStart {
  readonly name: string
  readonly context: SpanContext
  readonly parentSpanId: string
  readonly kind: SpanKind
  readonly attributes: ApiAttributes | undefined
  readonly links: readonly Link[]
  readonly startTime: TimeInput | undefined
  readonly resource: Resource
  readonly scope: Scope
  /** Takes the finished span. */
  readonly finished: (span: SpanRecord) => void
}

const MAX_ATTRIBUTES = 128
const MAX_EVENTS = 128

/** Names of before the stable conventions, under which the asked-for interface sets its tags. */
const RENAMED: Readonly<Record<string, string>> = {
  'http.method': 'http.request.method',
  'http.url': 'url.full',
  'http.user_agent': 'user_agent.original',
  'http.status_code': 'http.response.status_code',
}

const STATUSES = { [SpanStatusCode.UNSET]: 'unset', [SpanStatusCode.OK]: 'ok', [SpanStatusCode.ERROR]: 'error' } as const

function toLink({ context, attributes }: Link): SpanLink {
  const { traceId, spanId, traceState, traceFlags } = context
  return { traceId, spanId, traceState: traceState?.serialize() ?? '', flags: traceFlags, attributes: toAttributes(attributes), droppedAttributes: 0 }
}

/** An exception as the conventions describe it. */
function describe(exception: Exception): { type: string; message: string; stack: string } {
  if (typeof exception === 'string') return { type: 'Error', message: exception, stack: '' }
  return { type: exception.name ?? String(exception.code ?? 'Error'), message: exception.message ?? '', stack: exception.stack ?? '' }
}

/**
 * A live operation: the asked-for interface (setTag, setBaggageItem, finish) over OpenTelemetry's. After its end every
 * call is ignored.
 */
export class Span implements ApiSpan {
  readonly #start: SpanStart
  readonly #began: bigint
  readonly #clockOffset: bigint
  readonly #attributes: Record<string, AttributeValue> = {}
  readonly #events: SpanEvent[] = []
  readonly #links: SpanLink[]
  #droppedAttributes = 0
  #droppedEvents = 0
  #name: string
  #status: SpanRecord['status'] = { code: 'unset', message: '' }
  #ended = false

  constructor(start: SpanStart) {
    this.#start = start
    this.#name = start.name
    const now = nowNanoseconds()
    this.#began = start.startTime === undefined ? now : toNanoseconds(start.startTime)
    // Ends are measured on the steady clock: the wall clock may be set while the span runs.
    this.#clockOffset = now - process.hrtime.bigint()
    this.#links = start.links.map(toLink)
    if (start.attributes !== undefined) this.setAttributes(start.attributes)
  }

  spanContext(): SpanContext {
    return this.#start.context
  }

  isRecording(): boolean {
    return !this.#ended
  }

  setAttribute(key: string, value: AnyValue): this {
    if (this.#ended || key === '' || value === undefined || value === null) return this
    if (!(key in this.#attributes) && Object.keys(this.#attributes).length >= MAX_ATTRIBUTES) this.#droppedAttributes += 1
    else this.#attributes[key] = toValue(key, value)
    return this
  }

  setAttributes(attributes: ApiAttributes): this {
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) this.setAttribute(key, value)
    return this
  }

  /** OpenTracing's name of setAttribute; the older names of HTTP tags are stored under today's. */
  setTag(key: string, value: AnyValue): this {
    return this.setAttribute(RENAMED[key] ?? key, value)
  }

  /** Sends a value along with every call made in the active context; gives the context that carries it. */
  setBaggageItem(key: string, value: string): Context {
    const active = contextApi.active()
    const baggage = (propagation.getBaggage(active) ?? propagation.createBaggage()).setEntry(key, { value })
    this.setAttribute(`baggage.${key}`, value)
    return propagation.setBaggage(active, baggage)
  }

  addEvent(name: string, attributesOrTime?: ApiAttributes | TimeInput, time?: TimeInput): this {
    if (this.#ended) return this
    const isTime = typeof attributesOrTime === 'number' || attributesOrTime instanceof Date || Array.isArray(attributesOrTime)
    const at = isTime ? attributesOrTime : time
    if (this.#events.length >= MAX_EVENTS) this.#droppedEvents += 1
    else this.#events.push({ time: at === undefined ? this.#now() : toNanoseconds(at), name, attributes: isTime ? {} : toAttributes(attributesOrTime), droppedAttributes: 0 })
    return this
  }

  addLink(link: Link): this {
    if (!this.#ended) this.#links.push(toLink(link))
    return this
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link)
    return this
  }

  setStatus({ code, message }: SpanStatus): this {
    if (!this.#ended && this.#status.code !== 'ok') this.#status = { code: STATUSES[code], message: message ?? '' }
    return this
  }

  updateName(name: string): this {
    if (!this.#ended) this.#name = name
    return this
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const { type, message, stack } = describe(exception)
    this.addEvent('exception', { 'exception.type': type, 'exception.message': message, ...(stack !== '' && { 'exception.stacktrace': stack }) }, time)
  }

  #now(): bigint {
    return process.hrtime.bigint() + this.#clockOffset
  }

  end(endTime?: TimeInput): void {
    if (this.#ended) return
    this.#ended = true
    const { context, parentSpanId, kind, resource, scope, finished } = this.#start
    const end = endTime === undefined ? this.#now() : toNanoseconds(endTime)
    finished({
      traceId: context.traceId,
      spanId: context.spanId,
      parentSpanId,
      traceState: context.traceState?.serialize() ?? '',
      flags: context.traceFlags,
      name: this.#name,
      kind,
      start: this.#began,
      end: end < this.#began ? this.#began : end,
      attributes: this.#attributes,
      droppedAttributes: this.#droppedAttributes,
      events: this.#events,
      droppedEvents: this.#droppedEvents,
      links: this.#links,
      droppedLinks: 0,
      status: this.#status,
      resource,
      scope,
    })
  }

  /** OpenTracing's name of end. */
  finish(endTime?: TimeInput): void {
    this.end(endTime)
  }
}
