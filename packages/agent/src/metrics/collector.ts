import { type Attributes as ApiAttributes, metrics, type Meter } from '@opentelemetry/api'
import { textOf, wrongUse } from '../wrong-use.ts'
import { AttributeIndex } from './attribute-index.ts'
import { ExponentialHistogram } from './histogram.ts'

/** Tags of a measurement. */
export type Tags = Readonly<Record<string, string | number | boolean>>

/** What was measured of one name and set of tags since the start of the process. */
export interface MetricData {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** The counter's sum, the gauge's last value, the histogram's mean. */
  readonly value: number
  readonly tags: Readonly<Record<string, string>>
  /** Of a histogram. */
  readonly count?: number
  readonly sum?: number
  readonly min?: number
  readonly max?: number
  readonly p50?: number
  readonly p95?: number
  readonly p99?: number
}

interface Held {
  readonly name: string
  readonly type: MetricData['type']
  readonly tags: Readonly<Record<string, string>>
  value: number
  readonly histogram: ExponentialHistogram | undefined
  /** Of the running agent's meter. */
  readonly bound: Recording
}

interface Recording {
  record(value: number): void
}

const MAX_HELD = 10_000

function nameOf(name: unknown): string {
  return typeof name === 'string' ? name : textOf(name, 'the name of a metric')
}

/** Whether it is a finite number; what is none makes no metric that has no value. */
function isMeasured(name: string, value: number): boolean {
  if (Number.isFinite(value)) return true
  wrongUse(`${nameOf(name)} takes finite numbers; what is none is ignored`)
  return false
}

/** Units of the names that are asked for with milliseconds. */
function unitOf(name: string): string {
  return name.endsWith('.duration') ? 'ms' : ''
}

/**
 * The asked-for collector: records through the running agent's meter, and holds totals for reading within the process
 * (10,000 names and tag sets at most).
 */
export class MetricsCollector {
  readonly #meter: Meter
  readonly #held = { counter: new Map<string, AttributeIndex<Held>>(), gauge: new Map<string, AttributeIndex<Held>>(), histogram: new Map<string, AttributeIndex<Held>>() }
  readonly #all: Held[] = []

  /** @param meter - of the global provider when absent */
  constructor(meter: Meter = metrics.getMeter('andon')) {
    this.#meter = meter
  }

  /** @param value - finite; in milliseconds for names that end in `.duration` */
  recordHistogram(name: string, value: number, tags: Tags = {}): void {
    if (!isMeasured(name, value)) return
    const held = this.#hold(name, 'histogram', tags)
    held?.bound.record(value)
    held?.histogram?.record(value)
  }

  /** @param value - finite */
  recordGauge(name: string, value: number, tags: Tags = {}): void {
    if (!isMeasured(name, value)) return
    const held = this.#hold(name, 'gauge', tags)
    if (held === undefined) return
    held.bound.record(value)
    held.value = value
  }

  /** Adds 1. */
  incrementCounter(name: string, tags: Tags = {}): void {
    const held = this.#hold(name, 'counter', tags)
    if (held === undefined) return
    held.bound.record(1)
    held.value += 1
  }

  /** Undefined where the tags cannot be read. */
  #hold(name: string, type: MetricData['type'], tags: Tags): Held | undefined {
    try {
      return this.#found(nameOf(name), type, tags)
    } catch (error) {
      wrongUse(`the tags of a metric could not be read: ${textOf(error instanceof Error ? error.message : error, 'what was thrown')}`)
      return undefined
    }
  }

  #found(name: string, type: MetricData['type'], tags: Tags): Held {
    const byName = this.#held[type]
    let index = byName.get(name)
    const known = index?.find(tags)
    if (known !== undefined) return known
    const held: Held = {
      name,
      type,
      tags: Object.fromEntries(Object.entries(tags).map(([key, value]) => [key, String(value)])),
      value: 0,
      histogram: type === 'histogram' ? new ExponentialHistogram() : undefined,
      bound: this.#recording(name, type, { ...tags }),
    }
    // Past the bound it is recorded all the same, and not held.
    if (this.#all.length >= MAX_HELD) return held
    this.#all.push(held)
    if (index === undefined) byName.set(name, (index = new AttributeIndex<Held>()))
    index.add(tags, held)
    return held
  }

  #recording(name: string, type: MetricData['type'], attributes: ApiAttributes): Recording {
    const options = { unit: unitOf(name) }
    if (type === 'counter') {
      const counter = this.#meter.createCounter(name)
      return { record: (value) => counter.add(value, attributes) }
    }
    const recorder = type === 'gauge' ? this.#meter.createGauge(name, options) : this.#meter.createHistogram(name, options)
    return { record: (value) => recorder.record(value, attributes) }
  }

  /** Totals since the start of the process, of one name or of all. */
  getMetrics(name?: string): MetricData[] {
    return this.#all.filter((held) => name === undefined || held.name === name).map(dataOf)
  }
}

function dataOf({ name, type, tags, value, histogram }: Held): MetricData {
  if (histogram === undefined) return { name, type, value, tags }
  const { count, sum, min, max } = histogram
  return { name, type, tags, value: sum / count, count, sum, min, max, p50: histogram.quantile(0.5), p95: histogram.quantile(0.95), p99: histogram.quantile(0.99) }
}
