import {
  type Context,
  context as contextApi,
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
import { isTracingSuppressed } from '@opentelemetry/core'
import type { Resource, Scope, SpanKind, SpanRecord } from '@andon/model'
import { createHash } from 'node:crypto'
import { newSpanId, newTraceId } from './ids.ts'
import type { Sampling } from './options.ts'
import { isSampled } from './sampler.ts'
import { Span } from './span.ts'

const KINDS: Readonly<Record<ApiKind, SpanKind>> = {
  [ApiKind.INTERNAL]: 'internal',
  [ApiKind.SERVER]: 'server',
  [ApiKind.CLIENT]: 'client',
  [ApiKind.PRODUCER]: 'producer',
  [ApiKind.CONSUMER]: 'consumer',
}

/** Where spans come from and go to. */
export interface TracerSetup {
  readonly resource: Resource
  readonly sampling: Sampling
  /** Takes each finished span that is sampled. */
  readonly record: (span: SpanRecord) => void
}

/** OpenTelemetry's tracer on our spans. */
export class AgentTracer implements Tracer {
  readonly #setup: TracerSetup
  readonly #scope: Scope

  constructor(setup: TracerSetup, scope: Scope) {
    this.#setup = setup
    this.#scope = scope
  }

  startSpan(name: string, options: SpanOptions = {}, active: Context = contextApi.active()): ApiSpan {
    if (isTracingSuppressed(active)) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT)
    const above = options.root === true ? undefined : trace.getSpanContext(active)
    const parent = above !== undefined && isSpanContextValid(above) ? above : undefined
    const context = this.#childContext(parent)
    if ((context.traceFlags & TraceFlags.SAMPLED) === 0) return trace.wrapSpanContext(context)
    return new Span({
      name,
      context,
      parentSpanId: parent?.spanId ?? '',
      kind: KINDS[options.kind ?? ApiKind.INTERNAL],
      attributes: options.attributes,
      links: options.links ?? [],
      startTime: options.startTime,
      resource: this.#setup.resource,
      scope: this.#scope,
      finished: this.#setup.record,
    })
  }

  #childContext(parent: ApiSpanContext | undefined): ApiSpanContext {
    const traceId = parent?.traceId ?? newTraceId()
    const traceFlags = isSampled(this.#setup.sampling, traceId, parent) ? TraceFlags.SAMPLED : TraceFlags.NONE
    const { traceState } = parent ?? {}
    return { traceId, spanId: newSpanId(), traceFlags, ...(traceState !== undefined && { traceState }) }
  }

  startActiveSpan<F extends (span: ApiSpan) => unknown>(name: string, fn: F): ReturnType<F>
  startActiveSpan<F extends (span: ApiSpan) => unknown>(name: string, options: SpanOptions, fn: F): ReturnType<F>
  startActiveSpan<F extends (span: ApiSpan) => unknown>(name: string, options: SpanOptions, context: Context, fn: F): ReturnType<F>
  startActiveSpan<F extends (span: ApiSpan) => unknown>(name: string, ...rest: readonly (SpanOptions | Context | F)[]): unknown {
    const fn = rest.at(-1)
    if (typeof fn !== 'function') return undefined
    const [options, given] = rest.length > 1 ? rest : []
    const parent = isContext(given) ? given : contextApi.active()
    const span = this.startSpan(name, isOptions(options) ? options : {}, parent)
    return contextApi.with(trace.setSpan(parent, span), () => fn(span))
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
  readonly #setup: TracerSetup
  readonly #tracers = new Map<string, AgentTracer>()

  constructor(setup: TracerSetup) {
    this.#setup = setup
  }

  getTracer(name: string, version = '', options?: TracerOptions): AgentTracer {
    const key = `${name}\n${version}`
    let tracer = this.#tracers.get(key)
    const scope = { name, version, attributes: {}, droppedAttributes: 0, schemaUrl: options?.schemaUrl ?? '' }
    if (tracer === undefined) this.#tracers.set(key, (tracer = new AgentTracer(this.#setup, scope)))
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

/** 32 hex digits as they are; anything else hashed to them. */
function traceIdOf(header: string): string {
  const lower = header.toLowerCase()
  return isValidTraceId(lower) ? lower : createHash('sha256').update(header).digest('hex').slice(0, 32)
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}

/** The asked-for tracer: starts spans by hand, and one around a request. */
export class DistributedTracer {
  readonly #tracer: Tracer

  /** @param tracer - the running agent's tracer of the global provider when absent */
  constructor(tracer: Tracer = trace.getTracer('andon')) {
    this.#tracer = tracer
  }

  /** Starts a span, under the given one or the active one. It is to be finished by the caller. */
  startSpan(name: string, { span, traceId, spanId }: SpanContext = {}): Span {
    const started = this.#tracer.startSpan(name, {}, contextOf(span, traceId, spanId))
    return isOurs(started) ? started : silent(name, started)
  }

  /**
   * Runs `next` within a span `http_request`, under the trace of `x-trace-id` where the request has one. The status is
   * recorded at the end of the answer.
   */
  traceRequest(request: TracedRequest, next: () => void): void
  traceRequest(request: TracedRequest, response: TracedResponse, next: () => void): void
  traceRequest(request: TracedRequest, second: TracedResponse | (() => void), third?: () => void): void {
    const response = typeof second === 'function' ? request.res : second
    const next = typeof second === 'function' ? second : (third ?? (() => undefined))
    const given = one(request.headers['x-trace-id'])
    const parent = given === undefined ? contextApi.active() : contextOf(undefined, traceIdOf(given), undefined)
    const attributes = { 'http.request.method': request.method ?? 'GET', 'url.path': (request.url ?? '/').split('?', 1)[0] ?? '/', 'user_agent.original': one(request.headers['user-agent']) ?? '' }
    const span = this.#tracer.startSpan('http_request', { kind: ApiKind.SERVER, attributes }, parent)
    if (given !== undefined && traceIdOf(given) !== given.toLowerCase()) span.setAttribute('andon.x_trace_id', given)
    // 'close' comes for aborted answers as well, after 'finish'.
    response?.once('close', () => {
      span.setAttribute('http.response.status_code', response.statusCode)
      if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
      span.end()
    })
    contextApi.with(trace.setSpan(parent, span), next)
    if (response === undefined) span.end()
  }
}

/** Also a span of a second copy of this package. */
function isOurs(span: ApiSpan): span is Span {
  return 'setTag' in span && 'finish' in span
}

const NOWHERE: Resource & Scope = { name: '', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }

/** A span that takes all calls and is sent nowhere, in the place of one that is not recorded. */
function silent(name: string, span: ApiSpan): Span {
  return new Span({ name, context: span.spanContext(), parentSpanId: '', kind: 'internal', attributes: undefined, links: [], startTime: undefined, resource: NOWHERE, scope: NOWHERE, finished: () => undefined })
}

function contextOf(span: ApiSpan | undefined, traceId: string | undefined, spanId: string | undefined): Context {
  const active = contextApi.active()
  if (span !== undefined) return trace.setSpan(active, span)
  if (traceId === undefined || !isValidTraceId(traceId)) return active
  const parent = spanId !== undefined && isValidSpanId(spanId) ? spanId : newSpanId()
  return trace.setSpanContext(active, { traceId, spanId: parent, traceFlags: TraceFlags.SAMPLED, isRemote: true })
}
