import {
  type Context,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  isValidSpanId,
  isValidTraceId,
  type Span as ApiSpan,
  type SpanOptions,
  SpanStatusCode,
  SpanKind as ApiKind,
  trace,
  TraceFlags,
  type Tracer,
  type TracerOptions,
  type TracerProvider,
  type SpanContext as ApiSpanContext,
} from '@opentelemetry/api'
import type { Milliseconds, Scope } from '@andon/model'
import { activeContext, isSuppressed, knownBaggage, runIn, spanOf, withSpan } from './context.ts'
import { newSpanId, parse32 } from './ids.ts'
import { LocalTrace, type SpanSink } from './local-trace.ts'
import { traceIdOf } from './propagation/x-trace-id.ts'
import type { Sampler } from './sampler.ts'
import { Span } from './span.ts'
import { endWith } from './span-work.ts'
import { toClock } from './time.ts'
import { objectOf, textOf } from './wrong-use.ts'

/** The API numbers kinds from 0, OTLP from 1. */
function kindOf(kind: unknown): number {
  return typeof kind === 'number' && kind >= 0 && kind <= 4 ? Math.trunc(kind) + 1 : 1
}

/** OpenTelemetry's tracer on our spans. */
export class AgentTracer implements Tracer {
  readonly #sampler: Sampler
  readonly #sink: SpanSink

  constructor(sampler: Sampler, sink: SpanSink) {
    this.#sampler = sampler
    this.#sink = sink
  }

  /**
   * Starts a span under that of a context. For instrumentation.
   *
   * @param kind - OTLP's number
   * @param startMs - on the recorder's clock
   */
  begin(name: string, kind: number, active: Context, startMs: Milliseconds = performance.now()): Span {
    const above = spanOf(active)
    if (above instanceof Span) {
      this.#sampler.children += 1
      const span = new Span(above.trace, this.#sink, name, kind, startMs).setParent(above.idHigh, above.idLow, false)
      if (above.baggage !== undefined) span.baggage = above.baggage.after(knownBaggage(active, above))
      return span
    }
    const parent = above?.spanContext()
    return parent === undefined || !isSpanContextValid(parent) ? this.beginUnder(undefined, name, kind, startMs) : this.beginUnder(parent, name, kind, startMs)
  }

  /** Starts this process' part of a trace. @param above - the span in another process; undefined at the root of a trace */
  beginUnder(above: ApiSpanContext | undefined, name: string, kind: number, startMs: Milliseconds): Span {
    const local = this.#sampler.start(above)
    const span = new Span(local, this.#sink, name, kind, startMs)
    if (above !== undefined) span.setParent(parse32(above.spanId, 0), parse32(above.spanId, 8), above.isRemote === true)
    local.setRoot(span)
    return span
  }

  startSpan(name: string, options: SpanOptions = {}, active: Context = activeContext()): ApiSpan {
    if (isSuppressed(active)) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT)
    return this.start(name, objectOf(options, 'the options of a span'), active)
  }

  /** As startSpan, where tracing is not suppressed. */
  start(name: string, options: SpanOptions, active: Context): Span {
    const { startTime, root, attributes, links } = options
    const kind = kindOf(options.kind)
    const startMs = startTime === undefined ? performance.now() : toClock(startTime)
    const called = typeof name === 'string' ? name : textOf(name, 'the name of a span')
    const span = root === true ? this.beginUnder(undefined, called, kind, startMs) : this.begin(called, kind, active, startMs)
    if (attributes !== undefined) span.setAttributes(attributes)
    if (links !== undefined) span.addLinks(links)
    return span
  }

  startActiveSpan<F extends (span: ApiSpan) => unknown>(name: string, fn: F): ReturnType<F>
  startActiveSpan<F extends (span: ApiSpan) => unknown>(name: string, options: SpanOptions, fn: F): ReturnType<F>
  startActiveSpan<F extends (span: ApiSpan) => unknown>(name: string, options: SpanOptions, context: Context, fn: F): ReturnType<F>
  startActiveSpan<F extends (span: ApiSpan) => unknown>(name: string, ...rest: readonly (SpanOptions | Context | F)[]): unknown {
    const fn = rest.at(-1)
    if (typeof fn !== 'function') return undefined
    const [options, given] = rest.length > 1 ? rest : []
    const parent = isContext(given) ? given : activeContext()
    const span = this.startSpan(name, isOptions(options) ? options : {}, parent)
    return runIn(withSpan(parent, span), () => fn(span))
  }
}

function isContext(value: unknown): value is Context {
  return typeof value === 'object' && value !== null && 'getValue' in value
}

function isOptions(value: unknown): value is SpanOptions {
  return typeof value === 'object' && value !== null && !('getValue' in value)
}

/** OpenTelemetry's provider on our tracers. */
export class AgentTracerProvider implements TracerProvider {
  readonly sampler: Sampler
  readonly #sinkOf: (scope: Scope) => SpanSink
  readonly #tracers = new Map<string, AgentTracer>()

  /** @param sinkOf - where the spans of a scope go */
  constructor(sampler: Sampler, sinkOf: (scope: Scope) => SpanSink) {
    this.sampler = sampler
    this.#sinkOf = sinkOf
  }

  getTracer(name: string, version = '', options?: TracerOptions): AgentTracer {
    const key = `${name}\n${version}\n${options?.schemaUrl ?? ''}`
    let tracer = this.#tracers.get(key)
    if (tracer === undefined) {
      tracer = new AgentTracer(this.sampler, this.#sinkOf({ name, version, attributes: {}, droppedAttributes: 0, schemaUrl: options?.schemaUrl ?? '' }))
      this.#tracers.set(key, tracer)
    }
    return tracer
  }
}

/** What a span may be started under: a span, or the ids of one elsewhere. */
export interface SpanContext {
  readonly span?: ApiSpan
  readonly traceId?: string
  readonly spanId?: string
}

/** A request and a response of Node's http, as far as traceRequest reads and writes them. */
export interface TracedRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Express and others put the response here. */
  readonly res?: TracedResponse
}

export interface TracedResponse {
  readonly statusCode: number
  once(event: 'finish' | 'close', listener: () => void): unknown
}

function one(header: string | string[] | undefined): string | undefined {
  const first: unknown = Array.isArray(header) ? header[0] : header
  return typeof first === 'string' ? first : undefined
}

/** The asked-for tracer: starts spans by hand, and one around a request. */
export class DistributedTracer {
  readonly #tracer: Tracer

  /** @param tracer - the running agent's tracer of the global provider when absent */
  constructor(tracer: Tracer = trace.getTracer('andon')) {
    this.#tracer = tracer
  }

  /** Starts a span, under the given one or the active one. It is to be finished by the caller. */
  startSpan(name: string, context: SpanContext = {}): Span {
    const { span, traceId, spanId } = objectOf(context, 'what a span is started under')
    const started = this.#tracer.startSpan(name, {}, contextOf(span, traceId, spanId))
    return isOurs(started) ? started : silent(name, started)
  }

  /**
   * Runs `next` within a span `http_request`, under the trace of `x-trace-id` where the request has one. The status is
   * recorded at the end of the answer; without an answer the span ends with `next`, and with the promise that it gives.
   *
   * @returns what `next` gives
   * @throws what `next` throws
   */
  traceRequest<T>(request: TracedRequest, next: () => T): T
  traceRequest<T>(request: TracedRequest, response: TracedResponse, next: () => T): T
  traceRequest(request: TracedRequest, second: TracedResponse | (() => unknown), third?: () => unknown): unknown {
    const { method = 'GET', url = '/', headers = {}, res } = objectOf(request, 'a request')
    const sent = objectOf(headers, 'the headers of a request')
    const response = typeof second === 'function' ? res : second
    const next = typeof second === 'function' ? second : (third ?? (() => undefined))
    const given = one(sent['x-trace-id']) || undefined
    const agent = one(sent['user-agent'])
    const parent = given === undefined ? activeContext() : contextOf(undefined, traceIdOf(given), undefined)
    const attributes = { 'http.request.method': method, 'url.path': textOf(url, 'the address of a request').split('?', 1)[0] ?? '/', ...(agent !== undefined && { 'user_agent.original': agent }) }
    const span = this.#tracer.startSpan('http_request', { kind: ApiKind.SERVER, attributes }, parent)
    if (given !== undefined && traceIdOf(given) !== given.toLowerCase()) span.setAttribute('andon.x_trace_id', given)
    const run = (): unknown => runIn(withSpan(parent, span), next)
    if (typeof response?.once !== 'function') return endWith(span, run)
    endAfter(span, response)
    return run()
  }
}

/** An aborted answer closes without having finished; a span that has ended takes no notice. */
function endAfter(span: ApiSpan, response: TracedResponse): void {
  const end = (): void => {
    span.setAttribute('http.response.status_code', response.statusCode)
    if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
  }
  response.once('finish', end)
  response.once('close', end)
}

/** Also a span of a second copy of this package. */
function isOurs(span: ApiSpan): span is Span {
  return 'setTag' in span && 'finish' in span
}

const NOWHERE: SpanSink = { write: () => undefined, lose: () => undefined }

/** A span that takes all calls and is sent nowhere, where no agent runs. */
function silent(name: string, span: ApiSpan): Span {
  const { traceId, traceFlags } = span.spanContext()
  const above = isValidTraceId(traceId) ? span.spanContext() : undefined
  return new Span(new LocalTrace(above, traceFlags, 'drop'), NOWHERE, name, 1, performance.now())
}

function contextOf(span: ApiSpan | undefined, traceId: string | undefined, spanId: string | undefined): Context {
  const active = activeContext()
  if (span !== undefined) return trace.setSpan(active, span)
  if (traceId === undefined || !isValidTraceId(traceId)) return active
  const parent = spanId !== undefined && isValidSpanId(spanId) ? spanId : newSpanId()
  return trace.setSpanContext(active, { traceId, spanId: parent, traceFlags: TraceFlags.SAMPLED, isRemote: true })
}
