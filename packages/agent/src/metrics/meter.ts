// OpenTelemetry's meter on our instruments.
import {
  type Attributes as ApiAttributes,
  type BatchObservableCallback,
  type BatchObservableResult,
  type Counter,
  diag,
  type Gauge,
  type Histogram,
  type Meter,
  type MeterOptions,
  type MeterProvider,
  type MetricOptions,
  type Observable,
  type ObservableCounter,
  type ObservableGauge,
  type ObservableUpDownCounter,
  type UpDownCounter,
} from '@opentelemetry/api'
import type { Bytes, MetricRecord, Resource, Scope } from '@andon/model'
import type { Bound, Instrument, InstrumentKind, Interval } from './instrument.ts'
import { InstrumentSet } from './instrument-set.ts'
import { ObservableInstrument } from './observable.ts'

/** OpenTelemetry's counter and up-down counter; `bind` is ours. */
export class AgentCounter implements Counter, UpDownCounter {
  readonly #instrument: Instrument

  constructor(instrument: Instrument) {
    this.#instrument = instrument
  }

  add(value: number, attributes?: ApiAttributes): void {
    this.#instrument.record(value, attributes)
  }

  /** A handle for one attribute set, for hot code. */
  bind(attributes: ApiAttributes): Bound {
    return this.#instrument.bind(attributes)
  }
}

/** OpenTelemetry's gauge and histogram; `bind` is ours. */
export class AgentRecorder implements Gauge, Histogram {
  readonly #instrument: Instrument

  constructor(instrument: Instrument) {
    this.#instrument = instrument
  }

  record(value: number, attributes?: ApiAttributes): void {
    this.#instrument.record(value, attributes)
  }

  /** A handle for one attribute set, for hot code. */
  bind(attributes: ApiAttributes): Bound {
    return this.#instrument.bind(attributes)
  }
}

function guarded(run: () => unknown, what: string): void {
  const failed = (error: unknown): void => diag.warn(`andon: a callback of ${what} failed`, error)
  try {
    const result = run()
    if (result instanceof Promise) result.catch(failed)
  } catch (error) {
    failed(error)
  }
}

export class AgentMeter implements Meter {
  readonly #scope: Scope
  readonly #instruments: InstrumentSet
  readonly #observables: Set<ObservableInstrument>
  readonly #batches: Set<() => void>

  constructor(scope: Scope, shared: { instruments: InstrumentSet; observables: Set<ObservableInstrument>; batches: Set<() => void> }) {
    this.#scope = scope
    this.#instruments = shared.instruments
    this.#observables = shared.observables
    this.#batches = shared.batches
  }

  #instrument(name: string, kind: InstrumentKind, { unit = '', description = '' }: MetricOptions = {}, isObserved = false): Instrument {
    return this.#instruments.get({ name, kind, isObserved, unit, description, scope: this.#scope })
  }

  createCounter(name: string, options?: MetricOptions): AgentCounter {
    return new AgentCounter(this.#instrument(name, 'counter', options))
  }

  createUpDownCounter(name: string, options?: MetricOptions): AgentCounter {
    return new AgentCounter(this.#instrument(name, 'updown', options))
  }

  createGauge(name: string, options?: MetricOptions): AgentRecorder {
    return new AgentRecorder(this.#instrument(name, 'gauge', options))
  }

  createHistogram(name: string, options?: MetricOptions): AgentRecorder {
    return new AgentRecorder(this.#instrument(name, 'histogram', options))
  }

  #observable(name: string, kind: InstrumentKind, options?: MetricOptions): ObservableInstrument {
    const observable = new ObservableInstrument(this.#instrument(name, kind, options, true))
    this.#observables.add(observable)
    return observable
  }

  createObservableCounter(name: string, options?: MetricOptions): ObservableCounter {
    return this.#observable(name, 'counter', options)
  }

  createObservableUpDownCounter(name: string, options?: MetricOptions): ObservableUpDownCounter {
    return this.#observable(name, 'updown', options)
  }

  createObservableGauge(name: string, options?: MetricOptions): ObservableGauge {
    return this.#observable(name, 'gauge', options)
  }

  readonly #batchRuns = new Map<BatchObservableCallback, () => void>()

  addBatchObservableCallback(callback: BatchObservableCallback, observables: Observable[]): void {
    const result: BatchObservableResult = {
      observe: (observable, value, attributes) => {
        if (observable instanceof ObservableInstrument && observables.includes(observable)) observable.observe(value, attributes)
      },
    }
    const run = (): void => guarded(() => callback(result), 'several instruments')
    this.#batchRuns.set(callback, run)
    this.#batches.add(run)
  }

  removeBatchObservableCallback(callback: BatchObservableCallback): void {
    const run = this.#batchRuns.get(callback)
    if (run !== undefined) this.#batches.delete(run)
    this.#batchRuns.delete(callback)
  }
}

/** OpenTelemetry's provider on our meters. */
export class AgentMeterProvider implements MeterProvider {
  readonly #meters = new Map<string, AgentMeter>()
  readonly #instruments = new InstrumentSet()
  readonly #observables = new Set<ObservableInstrument>()
  readonly #batches = new Set<() => void>()

  getMeter(name: string, version = '', options?: MeterOptions): AgentMeter {
    const key = `${name}\n${version}`
    let meter = this.#meters.get(key)
    const scope = { name, version, attributes: {}, droppedAttributes: 0, schemaUrl: options?.schemaUrl ?? '' }
    const shared = { instruments: this.#instruments, observables: this.#observables, batches: this.#batches }
    if (meter === undefined) this.#meters.set(key, (meter = new AgentMeter(scope, shared)))
    return meter
  }

  /** Values that were dropped because an instrument had too many attribute sets. */
  get dropped(): number {
    return this.#instruments.all.reduce((sum, { dropped }) => sum + dropped, 0)
  }

  /** Values that were recorded, since the start. */
  get recorded(): number {
    let sum = 0
    for (const { recorded } of this.#instruments.all) sum += recorded
    return sum
  }

  /** About what all instruments hold in memory. */
  get bytes(): Bytes {
    let sum = 0
    for (const { bytes } of this.#instruments.all) sum += bytes
    for (const { bytes } of this.#observables) sum += bytes
    return sum
  }

  /** Asks the callbacks and takes out what there is to send of an interval. */
  collect(resource: Resource, interval: Interval): MetricRecord[] {
    for (const run of this.#batches) run()
    for (const observable of this.#observables) {
      for (const callback of observable.callbacks) guarded(() => callback(observable), observable.instrument.description.name)
    }
    for (const observable of this.#observables) observable.collected()
    return this.#instruments.all.flatMap((instrument) => instrument.collect(resource, interval) ?? [])
  }
}
