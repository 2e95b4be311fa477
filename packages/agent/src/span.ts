import {
  type AnyValue,
  type Attributes as ApiAttributes,
  type Context,
  type Exception,
  isSpanContextValid,
  type Link,
  type Span as ApiSpan,
  type SpanContext,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
} from '@opentelemetry/api'
import type { Milliseconds, SpanEvent, SpanLink } from '@andon/model'
import type { SpanSource } from '@andon/wire'
import { activeContext, withSpan } from './context.ts'
import { hex32, random32 } from './ids.ts'
import { limited, limits } from './limits.ts'
import type { EndedSpan, LocalTrace, SpanSink } from './local-trace.ts'
import { redactSql } from './secrets/sql.ts'
import { isStatementKey, isSystemKey, redactStatement } from './secrets/statements.ts'
import { redactText } from './secrets/text.ts'
import { SpanBaggage } from './span-baggage.ts'
import { nowNanoseconds, toClock, toNanoseconds } from './time.ts'
import { guarded, objectOf, textOf, wrongUse } from './wrong-use.ts'

// Bits 8 and 9 of OTLP's flags say whether the parent is remote.
const PARENT_IS_LOCAL = 0x100
const PARENT_IS_REMOTE = 0x200

/** The end of a span that runs: earlier than any time, since a span may lie before the start of the process. */
const RUNNING: Milliseconds = -Infinity


/** Names of before the stable conventions, under which the asked-for interface sets its tags. */
const RENAMED: Readonly<Record<string, string>> = {
  'http.method': 'http.request.method',
  'http.url': 'url.full',
  'http.user_agent': 'user_agent.original',
  'http.status_code': 'http.response.status_code',
}

function toLink({ context, attributes }: Link): SpanLink {
  if (!isSpanContextValid(context)) throw new Error('it needs the context of a span')
  const { traceId, spanId, traceState, traceFlags } = context
  return { traceId, spanId, traceState: traceState?.serialize() ?? '', flags: traceFlags, ...limited(attributes, limits.span.attributesPerLink) }
}

/** An exception as the conventions describe it. */
function describe(exception: Exception): { type: string; message: string; stack: string } {
  if (typeof exception === 'string') return { type: 'Error', message: exception, stack: '' }
  return { type: exception.name ?? String(exception.code ?? 'Error'), message: exception.message ?? '', stack: exception.stack ?? '' }
}

/** The value of an attribute with other texts. */
function textsOf(value: unknown, change: (text: string) => string): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => textsOf(each, change))
  return typeof value === 'string' ? change(value) : value
}

/**
 * A live operation: the asked-for interface (setTag, setBaggageItem, finish) over OpenTelemetry's. After its end every
 * call is ignored. Its fields are what the encoder reads when it ends; they are not for callers.
 */
export class Span implements ApiSpan, EndedSpan {
  readonly trace: LocalTrace
  readonly sink: SpanSink
  readonly idHigh: number
  readonly idLow: number
  parentHigh = 0
  parentLow = 0
  flags: number
  readonly kind: number
  name: string
  startMs: Milliseconds
  /** `RUNNING` until the end. */
  endMs: Milliseconds = RUNNING
  readonly attributes: unknown[] = []
  block: Uint8Array | undefined = undefined
  peer: Uint8Array | undefined = undefined
  droppedAttributes = 0
  events: SpanEvent[] | undefined = undefined
  droppedEvents = 0
  links: SpanLink[] | undefined = undefined
  statusCode: SpanStatusCode = SpanStatusCode.UNSET
  statusMessage = ''
  repeat = 1
  /** What was set on it, and what those above it had when it began. */
  baggage: SpanBaggage | undefined = undefined
  readonly #isRecorded: boolean
  /** Whether an instrumentation has told a statement, whose values are taken out at the end, when its database is known. */
  #hasStatement = false
  #context: SpanContext | undefined

  /** The root of a trace, until `setParent`. */
  constructor(trace: LocalTrace, sink: SpanSink, name: string, kind: number, startMs: Milliseconds) {
    this.trace = trace
    this.sink = sink
    this.idHigh = random32()
    this.idLow = random32() || 1
    this.flags = trace.flags | PARENT_IS_LOCAL
    this.kind = kind
    this.name = name
    this.startMs = startMs
    this.#isRecorded = trace.isRecorded
  }

  /** @param isRemote - whether the parent is in another process */
  setParent(high: number, low: number, isRemote: boolean): this {
    this.parentHigh = high
    this.parentLow = low
    if (isRemote) this.flags |= PARENT_IS_REMOTE
    return this
  }

  spanContext(): SpanContext {
    if (this.#context !== undefined) return this.#context
    const { id: traceId, flags: traceFlags, traceState } = this.trace
    const spanId = `${hex32(this.idHigh)}${hex32(this.idLow)}`
    this.#context = traceState === undefined ? { traceId, spanId, traceFlags } : { traceId, spanId, traceFlags, traceState }
    return this.#context
  }

  isRecording(): boolean {
    return this.#isRecorded && this.endMs === RUNNING
  }

  /** Adds an attribute whose key is not there yet, without looking. For instrumentation. */
  append(key: string, value: string | number | boolean): void {
    if (this.#isRecorded) this.attributes.push(key, value)
  }

  setAttribute(key: string, value: AnyValue): this {
    if (!this.#isRecorded || this.endMs !== RUNNING || key === '' || value === undefined || value === null) return this
    const { attributes } = this
    const kept = Array.isArray(value) ? [...value] : value
    if (isStatementKey(key)) this.#hasStatement = true
    for (let index = 0; index < attributes.length; index += 2) {
      if (attributes[index] !== key) continue
      attributes[index + 1] = kept
      return this
    }
    if (attributes.length >= limits.span.attributes * 2) this.droppedAttributes += 1
    else attributes.push(key, kept)
    return this
  }

  setAttributes(attributes: ApiAttributes): this {
    try {
      for (const key in attributes) if (Object.hasOwn(attributes, key)) this.setAttribute(key, attributes[key])
    } catch (error) {
      wrongUse(`attributes of a span could not be read: ${textOf(error, 'what was thrown')}`)
    }
    return this
  }

  /** OpenTracing's name of setAttribute; the older names of HTTP tags are stored under today's. */
  setTag(key: string, value: AnyValue): this {
    return this.setAttribute(typeof key === 'string' ? (RENAMED[key] ?? key) : key, value)
  }

  /**
   * Sends a value along with every call that is made under this span from now on: while it is active, under spans below it, and in
   * the context that this gives. Baggage that a context is given later, or deprived of, is the newer word.
   *
   * @returns the active context with this span
   */
  setBaggageItem(key: string, value: string): Context {
    if (this.endMs !== RUNNING) return activeContext()
    const [name, item] = [textOf(key, 'the key of a baggage item'), textOf(value, 'the value of a baggage item')]
    if ((this.baggage ??= new SpanBaggage()).set(name, item)) this.setAttribute(`baggage.${name}`, item)
    else wrongUse('a span carries 180 baggage items; further ones are left out')
    return withSpan(activeContext(), this)
  }

  addEvent(name: string, attributesOrTime?: ApiAttributes | TimeInput, time?: TimeInput): this {
    if (!this.isRecording()) return this
    const isTime = typeof attributesOrTime === 'number' || attributesOrTime instanceof Date || Array.isArray(attributesOrTime)
    const at = isTime ? attributesOrTime : time
    const events = (this.events ??= [])
    if (events.length >= limits.span.events) this.droppedEvents += 1
    else guarded('an event could not be read', () => events.push({ time: at === undefined ? nowNanoseconds() : toNanoseconds(at), name: textOf(name, 'the name of an event'), ...limited(isTime ? undefined : attributesOrTime, limits.span.attributesPerEvent) }))
    return this
  }

  addLink(link: Link): this {
    if (this.isRecording() && (this.links?.length ?? 0) < limits.span.links) guarded('a link could not be read', () => (this.links ??= []).push(toLink(link)))
    return this
  }

  addLinks(links: Link[]): this {
    guarded('links could not be read', () => links.forEach((link) => this.addLink(link)))
    return this
  }

  setStatus(status: SpanStatus): this {
    if (!this.isRecording() || this.statusCode === SpanStatusCode.OK) return this
    const { code, message = '' } = objectOf(status, 'the status of a span')
    this.statusCode = code === SpanStatusCode.OK || code === SpanStatusCode.ERROR ? code : SpanStatusCode.UNSET
    this.statusMessage = message === '' ? '' : redactText(textOf(message, 'the message of a status'))
    return this
  }

  updateName(name: string): this {
    if (this.endMs === RUNNING) this.name = textOf(name, 'the name of a span')
    return this
  }

  recordException(exception: Exception, time?: TimeInput): void {
    guarded('an exception could not be read', () => {
      const { type, message, stack } = describe(exception)
      this.addEvent('exception', { 'exception.type': type, 'exception.message': message, ...(stack !== '' && { 'exception.stacktrace': stack }) }, time)
    })
  }

  end(endTime?: TimeInput): void {
    this.endAt(endTime === undefined ? performance.now() : toClock(endTime))
  }

  /** Ends the span at a time of the recorder's clock. */
  endAt(at: Milliseconds): void {
    if (this.endMs !== RUNNING) return
    this.endMs = Math.max(at, this.startMs)
    if (this.#hasStatement) this.#redactStatements()
    this.trace.finished(this)
  }

  #redactStatements(): void {
    const { attributes } = this
    const at = attributes.findIndex((key, index) => index % 2 === 0 && isSystemKey(key))
    const system = at < 0 ? '' : String(attributes[at + 1])
    for (let index = 0; index < attributes.length; index += 2) {
      const [key, value] = [attributes[index], attributes[index + 1]]
      if (typeof key !== 'string' || !isStatementKey(key)) continue
      // Some name a span by the begin of its statement.
      if (typeof value === 'string' && value.startsWith(this.name)) this.name = redactSql(this.name, system)
      attributes[index + 1] = textsOf(value, (text) => redactStatement(text, system))
    }
  }

  fold(other: SpanSource): number {
    this.repeat += 1
    this.endMs += other.endMs - other.startMs
    return this.repeat
  }

  /** OpenTracing's name of end. */
  finish(endTime?: TimeInput): void {
    this.end(endTime)
  }
}
