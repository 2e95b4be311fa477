// Starts the agent: one for a process, however often it is asked for.
import { context, diag, metrics, propagation, trace } from '@opentelemetry/api'
import { type ExceptionRecord, STALL_EVENT, stallAttributes } from '@andon/model'
import { AsyncContextManager } from './context.ts'
import { Exporter } from './exporter.ts'
import { Governor } from './governor/governor.ts'
import { startInstrumentations } from './instrument/index.ts'
import { type Instrumented, outcomes } from './instrument/outcomes.ts'
import { limits } from './limits.ts'
import { MetricsCollector } from './metrics/collector.ts'
import { AgentMeterProvider } from './metrics/meter.ts'
import { type Stall, stallPeriod } from './metrics/runtime/stall.ts'
import { startRuntimeMetrics } from './metrics/runtime.ts'
import { ApplicationPerformanceMonitor, type PerformanceMonitor } from './monitor.ts'
import { startDiagnostics } from './options/diagnostics.ts'
import { environment } from './options/environment.ts'
import { warnUnused } from './options/unused.ts'
import { type AgentOptions, readOptions } from './options.ts'
import { ContinuousProfile } from './profile/continuous.ts'
import { SAMPLERS } from './profile/profiler.ts'
import { StallStacks } from './profile/stall-stacks.ts'
import { createPropagator } from './propagation.ts'
import { detectResource } from './resource.ts'
import { type RunningParts, setRunningParts } from './running.ts'
import { Sampler } from './sampler.ts'
import { SamplingPlan } from './sampling-plan.ts'
import { observeSelf } from './self.ts'
import { linkServer } from './server-link.ts'
import { flushAtEnd, sendFromChild } from './shutdown.ts'
import { nowNanoseconds } from './time.ts'
import { AgentTracerProvider, DistributedTracer } from './tracer.ts'
import { VERSION } from './version.ts'

/** A running agent. */
export interface Agent {
  readonly monitor: PerformanceMonitor
  /** The copies of known packages that were met in this process: those that record, and those that do not with the reason. */
  instrumented(): readonly Instrumented[]
  /** Sends what was recorded, then records nothing any more. */
  stop(): Promise<void>
}

const KEY = Symbol.for('andon.agent')
const FLUSH_MS = 5000
const STOP_MS = 3000

function isAgent(value: unknown): value is Agent {
  return typeof value === 'object' && value !== null && 'monitor' in value && 'stop' in value
}

function running(): Agent | undefined {
  const found: unknown = Reflect.get(globalThis, KEY)
  return isAgent(found) ? found : undefined
}

const IDLE: Agent = { monitor: new ApplicationPerformanceMonitor(), instrumented: () => [], stop: () => Promise.resolve() }

/**
 * Starts recording and sending. A second start, also of another copy of this package, gives the agent that runs already.
 * Never throws: what cannot be started is said through the API's `diag`.
 *
 * @param given - wins over the OTEL_* variables
 */
export function start(given: Partial<AgentOptions> = {}): Agent {
  const known = running()
  if (known !== undefined) return known
  const env = environment()
  startDiagnostics(env)
  const options = readOptions(given, env)
  warnUnused(env)
  if (options.disabled) return IDLE
  try {
    const agent = startAgent(options)
    Reflect.set(globalThis, KEY, agent)
    return agent
  } catch (error) {
    diag.error('andon: the agent could not be started', error)
    return IDLE
  }
}

/** The monitor of the running agent; one that records nothing when none runs. */
export function getMonitor(): PerformanceMonitor {
  return (running() ?? IDLE).monitor
}

function startAgent(options: AgentOptions): Agent {
  limits.span = options.limits
  const resource = detectResource(options, VERSION)
  const scope = { name: 'andon', version: VERSION, attributes: {}, droppedAttributes: 0, schemaUrl: '' }
  const meters = new AgentMeterProvider()
  const exporter = new Exporter(options, resource, meters)
  const sampler = new Sampler(options.sampling, undefined, exporter.spans.waiting)
  const tracers = new AgentTracerProvider(sampler, (of) => exporter.spans.sinkOf(of))
  context.setGlobalContextManager(new AsyncContextManager())
  propagation.setGlobalPropagator(createPropagator(options.propagators))
  trace.setGlobalTracerProvider(tracers)
  metrics.setGlobalMeterProvider(meters)
  const ends = [startInstrumentations(tracers, meters, options.instrumentations)]
  if (!options.instrumentations.disabled.includes('runtime-node')) ends.push(startRuntimeMetrics(meters.getMeter('andon', VERSION), options.stallMs, stallTeller(options, exporter, { resource, scope })))
  const profiles = new ContinuousProfile(options, resource)
  const sampling = new SamplingPlan(options.sampling, sampler)
  const link = linkServer({ options, exporter, sampling, resource, scope, profile: (wanted) => profiles.want(wanted) })
  const { budget, metricIntervalMs } = options
  const governor = new Governor({ budget, metricIntervalMs, sampler, sampling, profiles, exporter, meters, record: link.record })
  observeSelf(meters.getMeter('andon', VERSION), { exporter, meters, profiles, governor })
  ends.push(link.stop, () => governor.stop())
  exporter.start()
  profiles.start()
  governor.start()
  const parts: RunningParts = {
    alerts: link.alerts,
    record: (exception) => exporter.recordException({ ...exception, resource, scope }),
    flush: () => exporter.flush(FLUSH_MS),
  }
  const monitor = new ApplicationPerformanceMonitor({
    metrics: new MetricsCollector(meters.getMeter('andon', VERSION)),
    tracer: new DistributedTracer(tracers.getTracer('andon', VERSION)),
    ...parts,
  })
  setRunningParts(parts)
  const atExit = (): void => sendFromChild(exporter.takeUnsent(), options.signals, STOP_MS)
  const uncaught = (error: Error): void => exporter.recordException(uncaughtRecord(error, { resource, scope }))
  const flushAll = async (withinMs: number, giveUp: boolean): Promise<void> => {
    // Profiles first: with them come the stacks of stalls, which are events.
    await Promise.all([profiles.flush(withinMs, giveUp), exporter.flush(withinMs, { giveUp, isEnd: true })])
    exporter.goOn()
  }
  ends.push(flushAtEnd({ flush: () => flushAll(STOP_MS, true), uncaught, atExit, recorded: () => exporter.recorded }), () => profiles.stop())
  return {
    monitor,
    instrumented: outcomes,
    stop: async () => {
      await flushAll(FLUSH_MS, false)
      for (const end of ends) end()
      exporter.stop()
      Reflect.deleteProperty(globalThis, KEY)
      setRunningParts(undefined)
      for (const api of [trace, metrics, propagation, context]) api.disable()
    },
  }
}

/** Takes stalls of the event loop and sends them as events. */
function stallTeller({ stallMs }: AgentOptions, exporter: Exporter, source: Pick<ExceptionRecord, 'resource' | 'scope'>): (stall: Stall) => void {
  const stalls = new StallStacks({
    sampler: SAMPLERS.cpu,
    now: nowNanoseconds,
    periodMs: stallPeriod(stallMs),
    record: ({ time, traceId, spanId, ...stall }) => exporter.recordEvent({ name: STALL_EVENT, time, traceId, spanId, attributes: stallAttributes(stall), ...source }),
  })
  return (stall) => stalls.found(stall)
}

function uncaughtRecord(error: Error, source: Pick<ExceptionRecord, 'resource' | 'scope'>): ExceptionRecord {
  const { name, message, stack = '' } = error
  const ids = trace.getActiveSpan()?.spanContext()
  return { time: BigInt(Date.now()) * 1_000_000n, type: name, message, stack, handled: false, traceId: ids?.traceId ?? '', spanId: ids?.spanId ?? '', attributes: {}, ...source }
}
