import { diag, SpanStatusCode, trace } from '@opentelemetry/api'
import type { ExceptionRecord } from '@andon/model'
import { type AlertManager, checkErrorRate, checkMetric } from './alert-manager.ts'
import { contextAttributes } from './attributes.ts'
import { type MetricData, MetricsCollector, type Tags } from './metrics/collector.ts'
import { PerformanceProfiler } from './profile/profiler.ts'
import { runningParts } from './running.ts'
import type { Span } from './span.ts'
import { Timer } from './timer.ts'
import { DistributedTracer, type SpanContext } from './tracer.ts'
import { guarded, objectOf, textOf } from './wrong-use.ts'

/** What an error is recorded with: low-cardinality keys become tags of the counter, all of it goes with the record. */
export type ErrorContext = Readonly<Record<string, unknown>>

/** The asked-for interface. */
export interface PerformanceMonitor {
  /** Starts a span and a measurement of an operation; its stop records the histogram `operation.duration`. */
  startTimer(operation: string): Timer
  /** Records a gauge, and holds it against the thresholds of its name. */
  recordMetric(name: string, value: number, tags?: Tags): void
  recordError(error: Error, context?: ErrorContext): void
  createSpan(name: string, context?: SpanContext): Span
  /** Settles when what was recorded has been sent, or could not be within its deadline. Never rejects. */
  flush(): Promise<void>
  getMetrics(): MetricData[]
  readonly profiler: PerformanceProfiler
}

/** What a monitor is made of, by name. */
export interface MonitorParts {
  readonly metrics?: MetricsCollector | undefined
  readonly tracer?: DistributedTracer | undefined
  readonly profiler?: PerformanceProfiler | undefined
  readonly alerts?: AlertManager | undefined
  /** Takes each recorded error; the running agent, which sends it, when absent. */
  readonly record?: (exception: Omit<ExceptionRecord, 'resource' | 'scope'>) => void
  /** The running agent's when absent. */
  readonly flush?: () => Promise<void>
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number
}

/** Context keys with few values, which may be tags. */
const TAG_KEYS = ['operation', 'component', 'route', 'http.route', 'method', 'severity'] as const

/** What a program threw: also what is no error, or is one of another realm. */
function errorOf(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  const { name, message, stack }: { name?: unknown; message?: unknown; stack?: unknown } = typeof thrown === 'object' && thrown !== null ? thrown : {}
  const error = new Error(typeof message === 'string' ? message : textOf(thrown, 'an error'))
  if (typeof name === 'string') error.name = name
  if (typeof stack === 'string') error.stack = stack
  return error
}

/** A collector, not parts by their names. */
function isCollector(given: object): given is MetricsCollector {
  return 'recordGauge' in given
}

/** The asked-for class; every part has a working default. */
export class ApplicationPerformanceMonitor implements PerformanceMonitor {
  /** Sessions of profiling by id, and around one function. */
  readonly profiler: PerformanceProfiler
  readonly #metrics: MetricsCollector
  readonly #tracer: DistributedTracer
  /** The running agent's when absent. */
  readonly #alerts: AlertManager | undefined
  readonly #record: NonNullable<MonitorParts['record']>
  readonly #flush: () => Promise<void>
  readonly #now: (() => number) | undefined

  /** Each of the four may be left out, or be undefined. */
  constructor(metrics?: MetricsCollector, tracer?: DistributedTracer, profiler?: PerformanceProfiler, alertManager?: AlertManager)
  constructor(parts: MonitorParts)
  // Programs without types leave a part out by null, too.
  constructor(first: MetricsCollector | MonitorParts | null = {}, tracer?: DistributedTracer, profiler?: PerformanceProfiler, alerts?: AlertManager) {
    const given = objectOf(first ?? {}, 'the parts of a monitor')
    const parts: MonitorParts = isCollector(given) ? { metrics: given, tracer, profiler, alerts } : { tracer, profiler, alerts, ...given }
    this.#metrics = parts.metrics ?? new MetricsCollector()
    this.#tracer = parts.tracer ?? new DistributedTracer()
    this.profiler = parts.profiler ?? new PerformanceProfiler()
    this.#alerts = parts.alerts ?? undefined
    this.#record = parts.record ?? ((exception) => runningParts()?.record(exception))
    this.#flush = parts.flush ?? (async () => await runningParts()?.flush())
    this.#now = parts.now
  }

  startTimer(operation: string): Timer {
    const span = this.#tracer.startSpan(operation)
    return new Timer((duration) => {
      span.setAttribute('duration', duration)
      span.end()
      this.#metrics.recordHistogram('operation.duration', duration, { operation, status: 'success' })
    }, this.#now)
  }

  recordMetric(name: string, value: number, tags: Tags = {}): void {
    this.#metrics.recordGauge(name, value, tags)
    // The gauge has said what it refuses, and no alert manager is to take it for a measurement.
    if (!Number.isFinite(value)) return
    guarded('the tags of a metric could not be read', () => checkMetric(this.#alerts, name, value, Object.fromEntries(Object.entries(tags).map(([key, each]) => [key, String(each)]))))
  }

  recordError(error: Error, context: ErrorContext = {}): void {
    guarded('an error could not be recorded', () => this.#recordError(errorOf(error), objectOf(context, 'the context of an error')))
  }

  #recordError(error: Error, context: ErrorContext): void {
    const tags = Object.fromEntries(TAG_KEYS.flatMap((key) => (typeof context[key] === 'string' ? [[key, context[key]]] : [])))
    this.#metrics.incrementCounter('errors.total', { error_type: error.name, ...tags })
    const span = trace.getActiveSpan()
    const ids = span?.spanContext()
    span?.addEvent('exception', { 'exception.type': error.name, 'exception.message': error.message, 'exception.stacktrace': error.stack ?? '', 'andon.exception.logged': true })
    span?.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
    this.#record({
      time: BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e3)) * 1000n,
      type: error.name,
      message: error.message,
      stack: error.stack ?? '',
      handled: true,
      traceId: ids?.traceId ?? '',
      spanId: ids?.spanId ?? '',
      attributes: contextAttributes(context),
    })
    checkErrorRate(this.#alerts, error, context)
  }

  createSpan(name: string, context: SpanContext = {}): Span {
    return this.#tracer.startSpan(name, context)
  }

  async flush(): Promise<void> {
    try {
      await this.#flush()
    } catch (error) {
      diag.warn('andon: what was recorded could not be flushed', error)
    }
  }

  getMetrics(): MetricData[] {
    return this.#metrics.getMetrics()
  }
}
