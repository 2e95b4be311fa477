import { type Attributes as ApiAttributes, metrics, type Meter } from '@opentelemetry/api'
import { labelsKey } from '@andon/model'
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
}

const MAX_HELD = 10_000

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
  readonly #held = new Map<string, Held>()

  /** @param meter - of the global provider when absent */
  constructor(meter: Meter = metrics.getMeter('andon')) {
    this.#meter = meter
  }

  /** @param value - finite; in milliseconds for names that end in `.duration` */
  recordHistogram(name: string, value: number, tags: Tags = {}): void {
    if (!Number.isFinite(value)) return
    this.#meter.createHistogram(name, { unit: unitOf(name) }).record(value, attributesOf(tags))
    const held = this.#hold(name, 'histogram', tags)
    held?.histogram?.record(value)
  }

  /** @param value - finite */
  recordGauge(name: string, value: number, tags: Tags = {}): void {
    if (!Number.isFinite(value)) return
    this.#meter.createGauge(name, { unit: unitOf(name) }).record(value, attributesOf(tags))
    const held = this.#hold(name, 'gauge', tags)
    if (held !== undefined) held.value = value
  }

  /** Adds 1. */
  incrementCounter(name: string, tags: Tags = {}): void {
    this.#meter.createCounter(name).add(1, attributesOf(tags))
    const held = this.#hold(name, 'counter', tags)
    if (held !== undefined) held.value += 1
  }

  #hold(name: string, type: MetricData['type'], tags: Tags): Held | undefined {
    const pairs = Object.entries(tags).map(([key, value]) => [key, String(value)] as const)
    const key = `${type}\n${name}\n${labelsKey(Object.fromEntries(pairs))}`
    const known = this.#held.get(key)
    if (known !== undefined || this.#held.size >= MAX_HELD) return known
    const held: Held = { name, type, tags: Object.fromEntries(pairs), value: 0, histogram: type === 'histogram' ? new ExponentialHistogram() : undefined }
    this.#held.set(key, held)
    return held
  }

  /** Totals since the start of the process, of one name or of all. */
  getMetrics(name?: string): MetricData[] {
    return [...this.#held.values()].filter((held) => name === undefined || held.name === name).map(dataOf)
  }
}

function attributesOf(tags: Tags): ApiAttributes {
  return { ...tags }
}

function dataOf({ name, type, tags, value, histogram }: Held): MetricData {
  if (histogram === undefined) return { name, type, value, tags }
  const { count, sum, min, max } = histogram
  return { name, type, tags, value: sum / count, count, sum, min, max, p50: histogram.quantile(0.5), p95: histogram.quantile(0.95), p99: histogram.quantile(0.99) }
}
