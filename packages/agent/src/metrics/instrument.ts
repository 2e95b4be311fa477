// One instrument: its values by attributes, taken out as deltas.
import { type Attributes as ApiAttributes, diag } from '@opentelemetry/api'
import type { Attributes, ExponentialHistogramPoint, MetricData, MetricRecord, Nanoseconds, NumberPoint, Resource, Scope } from '@andon/model'
import { toAttributes } from '../attributes.ts'
import { ExponentialHistogram } from './histogram.ts'

export type InstrumentKind = 'counter' | 'updown' | 'gauge' | 'histogram'

export interface InstrumentDescription {
  readonly name: string
  readonly kind: InstrumentKind
  readonly unit: string
  readonly description: string
  readonly scope: Scope
}

interface Cell {
  readonly attributes: Attributes
  value: number
  histogram: ExponentialHistogram | undefined
  /** Whether a callback told the value since the last collection; undefined where no callback tells it. */
  isFresh?: boolean
}

const MAX_CELLS = 2000
const OVERFLOW: Attributes = { 'otel.metric.overflow': true }

/** The text that tells attribute sets apart, whatever the order of their keys. */
export function keyOf(attributes: ApiAttributes): string {
  const keys = Object.keys(attributes)
  if (keys.length === 0) return ''
  let key = ''
  for (const name of keys.length === 1 ? keys : keys.toSorted()) key += `${name}\u0000${typeof attributes[name]} ${String(attributes[name])}\u0001`
  return key
}

/**
 * Holds at most 2,000 attribute sets; increments of further ones go to one that says so, other values are dropped and
 * counted. Counters and histograms start anew with each collection; up-down counters and gauges are kept.
 */
export class Instrument {
  readonly description: InstrumentDescription
  readonly #cells = new Map<string, Cell>()
  #wrong = false
  /** Values that were dropped because there were too many attribute sets. */
  dropped = 0

  constructor(description: InstrumentDescription) {
    this.description = description
  }

  /** Adds to a counter or up-down counter, sets a gauge, records into a histogram. Wrong values are reported once. */
  record(value: number, attributes: ApiAttributes = {}): void {
    const { kind, name } = this.description
    if (typeof value !== 'number' || !Number.isFinite(value) || (kind === 'counter' && value < 0)) {
      if (!this.#wrong) diag.warn(`andon: ${name} takes ${kind === 'counter' ? 'finite numbers that are not negative' : 'finite numbers'}, not ${String(value)}; such values are ignored`)
      this.#wrong = true
      return
    }
    const cell = this.#cell(attributes)
    if (cell === undefined) this.dropped += 1
    else if (kind === 'histogram') (cell.histogram ??= new ExponentialHistogram()).record(value)
    else if (kind === 'gauge') cell.value = value
    else cell.value += value
  }

  /** Sets the value of an observable instrument, whose callbacks tell totals. */
  observe(value: number, attributes: ApiAttributes = {}): void {
    const cell = Number.isFinite(value) ? this.#cell(attributes) : undefined
    if (cell === undefined) return
    cell.value = value
    cell.isFresh = true
  }

  #cell(attributes: ApiAttributes): Cell | undefined {
    const key = keyOf(attributes)
    const known = this.#cells.get(key)
    if (known !== undefined) return known
    const isFull = this.#cells.size >= MAX_CELLS
    if (isFull && (this.description.kind === 'gauge' || this.description.kind === 'updown')) return undefined
    const at = isFull ? 'overflow' : key
    let cell = this.#cells.get(at)
    if (cell === undefined) this.#cells.set(at, (cell = { attributes: isFull ? OVERFLOW : toAttributes(attributes), value: 0, histogram: undefined }))
    return cell
  }

  /** The values by attributes, for reading within the process. */
  values(): readonly { readonly attributes: Attributes; readonly value: number; readonly histogram: ExponentialHistogram | undefined }[] {
    return [...this.#cells.values()]
  }

  /** A set that its callback tells no more, such as a closed handle's kind, is not sent for ever. */
  #forgetUnobserved(): void {
    for (const [key, cell] of this.#cells) {
      if (cell.isFresh === false) this.#cells.delete(key)
      else if (cell.isFresh === true) cell.isFresh = false
    }
  }

  /** What there is to send; undefined when there is nothing. Increments are handed over: they are not held any more. */
  collect(resource: Resource, start: Nanoseconds, time: Nanoseconds): MetricRecord | undefined {
    this.#forgetUnobserved()
    if (this.#cells.size === 0) return undefined
    const { name, description, unit, scope, kind } = this.description
    const cells = [...this.#cells.values()]
    if (kind === 'counter' || kind === 'histogram') this.#cells.clear()
    return { name, description, unit, resource, scope, data: dataOf(kind, cells, start, time) }
  }
}

function dataOf(kind: InstrumentKind, cells: readonly Cell[], start: Nanoseconds, time: Nanoseconds): MetricData {
  const point = ({ attributes, value }: Cell): NumberPoint => ({ attributes, start, time, flags: 0, exemplars: [], value })
  switch (kind) {
    case 'counter':
      return { type: 'sum', monotonic: true, temporality: 'delta', points: cells.map(point) }
    case 'updown':
      return { type: 'sum', monotonic: false, temporality: 'cumulative', points: cells.map(point) }
    case 'gauge':
      return { type: 'gauge', points: cells.map(point) }
    case 'histogram':
      return { type: 'exponentialHistogram', temporality: 'delta', points: cells.map((cell) => histogramPoint(cell, start, time)) }
  }
}

function histogramPoint({ attributes, histogram = new ExponentialHistogram() }: Cell, start: Nanoseconds, time: Nanoseconds): ExponentialHistogramPoint {
  const { count, sum, min, max, scale, zeroCount, positive, negative } = histogram
  return { attributes, start, time, flags: 0, exemplars: [], count, sum, min, max, scale, zeroCount, zeroThreshold: 0, positive, negative }
}
