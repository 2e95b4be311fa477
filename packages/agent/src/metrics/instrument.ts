// One instrument: its values by attributes, taken out as deltas.
import { type Attributes as ApiAttributes, diag, type SpanContext, TraceFlags } from '@opentelemetry/api'
import type { Attributes, Bytes, Exemplar, ExponentialHistogramPoint, MetricData, MetricRecord, Milliseconds, Nanoseconds, NumberPoint, Resource, Scope } from '@andon/model'
import { toAttributes } from '../attributes.ts'
import { toNanoseconds } from '../time.ts'
import { kindOf, textOf, wrongUse } from '../wrong-use.ts'
import { AttributeIndex } from './attribute-index.ts'
import { ExponentialHistogram } from './histogram.ts'

export type InstrumentKind = 'counter' | 'updown' | 'gauge' | 'histogram'

export interface InstrumentDescription {
  readonly name: string
  readonly kind: InstrumentKind
  /** Whether callbacks tell its values. */
  readonly isObserved: boolean
  readonly unit: string
  readonly description: string
  readonly scope: Scope
}

/** A span as an exemplar points to it. */
export interface ExemplarSource {
  readonly endMs: Milliseconds
  spanContext(): SpanContext
}

/** What is held for one attribute set. */
class Cell {
  readonly attributes: Attributes
  readonly histogram: ExponentialHistogram | undefined
  value = 0
  /** Whether something ever came: what is only bound has no value to send. */
  isSet = false
  /** Whether something came since the last collection. */
  isTouched = false
  /** Whether a callback tells its value; such a cell is forgotten when it tells it no more. */
  isObserved = false
  isBound = false
  /** Where the largest value of the interval was measured. */
  exemplar: ExemplarSource | undefined = undefined
  exemplarValue = 0
  /** Collections since something came. */
  idle = 0

  constructor(attributes: Attributes, histogram: ExponentialHistogram | undefined) {
    this.attributes = attributes
    this.histogram = histogram
  }
}

/** Values of one attribute set, found once: what hot code records into. */
export interface Bound {
  /**
   * Adds, sets or records, as the instrument's kind has it. Wrong values are reported once and ignored.
   *
   * @param span - where it was measured: that of a histogram's largest value goes with it as exemplar
   */
  record(value: number, span?: ExemplarSource): void
}

const MAX_CELLS = 2000
/** About what a cell takes with its attributes and the way by which it is found. */
const CELL_BYTES: Bytes = 600
const OVERFLOW: ApiAttributes = { 'otel.metric.overflow': true }
/** Collections after which a set of which nothing comes any more is forgotten: ten minutes. */
export const MAX_IDLE = 60

/**
 * Holds at most 2,000 attribute sets; increments of further ones go to one that says so, other values are dropped and
 * counted. Counters and histograms start anew with each collection; up-down counters and gauges are kept.
 */
export class Instrument {
  readonly description: InstrumentDescription
  readonly #kind: InstrumentKind
  readonly #cells = new AttributeIndex<Cell>()
  #overflow: Cell | undefined
  #isWrong = false
  /** Values that were dropped because there were too many attribute sets. */
  dropped = 0
  /** Values that were recorded, since the start. */
  recorded = 0

  constructor(description: InstrumentDescription) {
    this.description = description
    this.#kind = description.kind
  }

  /** Adds to a counter or up-down counter, sets a gauge, records into a histogram. Wrong values are reported once. */
  record(value: number, attributes: ApiAttributes = NONE): void {
    let cell: Cell | undefined
    try {
      cell = this.#cells.find(attributes) ?? this.#newCell(attributes)
    } catch (error) {
      wrongUse(`the attributes of ${this.description.name} could not be read: ${textOf(error instanceof Error ? error.message : error, 'what was thrown')}`)
    }
    if (cell === undefined) this.dropped += 1
    else this.#put(cell, value)
  }

  #put(cell: Cell, value: number): void {
    // What is no finite number fails every comparison.
    if (!(typeof value === 'number' && value - value === 0) || (value < 0 && this.#kind === 'counter')) {
      this.#report(value)
      return
    }
    this.recorded += 1
    cell.isTouched = true
    cell.isSet = true
    if (cell.histogram !== undefined) cell.histogram.record(value)
    else if (this.#kind === 'gauge') cell.value = value
    else cell.value += value
  }

  /** Whether it takes a value; what it does not is reported once. */
  takes(value: number): boolean {
    if (Number.isFinite(value) && (value >= 0 || this.#kind !== 'counter')) return true
    this.#report(value)
    return false
  }

  #report(value: unknown): void {
    const { kind, name } = this.description
    if (!this.#isWrong) diag.warn(`andon: ${name} takes ${kind === 'counter' ? 'finite numbers that are not negative' : 'finite numbers'}, not ${typeof value === 'number' ? value : kindOf(value)}; such values are ignored`)
    this.#isWrong = true
  }

  /** A handle for one attribute set; it is held as long as the instrument. */
  bind(attributes: ApiAttributes): Bound {
    const cell = this.#cells.find(attributes) ?? this.#newCell(attributes)
    if (cell === undefined) return { record: () => void (this.dropped += 1) }
    cell.isBound = true
    if (cell.histogram === undefined) return { record: (value) => this.#put(cell, value) }
    return {
      record: (value, span) => {
        this.#put(cell, value)
        if (span === undefined || (cell.exemplar !== undefined && value <= cell.exemplarValue)) return
        cell.exemplar = span
        cell.exemplarValue = value
      },
    }
  }

  /** Sets the value of an observable instrument, whose callbacks tell totals. @param value - one that it takes */
  observe(value: number, attributes: ApiAttributes = NONE): void {
    const cell = this.#cells.find(attributes) ?? this.#newCell(attributes)
    if (cell === undefined) return
    cell.value = value
    cell.isTouched = true
    cell.isSet = true
    cell.isObserved = true
  }

  #newCell(attributes: ApiAttributes): Cell | undefined {
    const make = (of: ApiAttributes): Cell => new Cell(toAttributes(of), this.#kind === 'histogram' ? new ExponentialHistogram() : undefined)
    if (this.#cells.size >= MAX_CELLS) {
      if (this.#kind === 'gauge' || this.#kind === 'updown') return undefined
      return (this.#overflow ??= make(OVERFLOW))
    }
    const cell = make(attributes)
    this.#cells.add(attributes, cell)
    return cell
  }

  /** About what it holds in memory. */
  get bytes(): Bytes {
    let bytes = 0
    for (const { histogram } of this.#cells.values()) bytes += CELL_BYTES + (histogram?.bytes ?? 0)
    return bytes
  }

  /**
   * What there is to send; undefined when there is nothing. Increments are handed over: they are not held any more. A gauge of which
   * nothing comes any more is told as ended, once, so that nobody takes its last value for today's.
   */
  collect(resource: Resource, { start, time, isEnd }: Interval): MetricRecord | undefined {
    const isDelta = this.#kind === 'counter' || this.#kind === 'histogram'
    const over: Cell[] = []
    // A set that its callback tells no more, such as a closed handle's kind, is not sent for ever.
    this.#cells.forget((cell) => {
      const isOver = cell.isObserved ? !cell.isTouched : isDelta && !cell.isBound && !cell.isTouched && cell.idle >= MAX_IDLE
      if (isOver && !isDelta) over.push(cell)
      return isOver
    })
    const cells = [...this.#cells.values(), ...(this.#overflow === undefined ? [] : [this.#overflow])].filter((cell) => (isDelta ? cell.isTouched : cell.isSet))
    const ended = [...over.map((cell) => endOf(cell, start, time)), ...(isEnd && !isDelta ? cells.map((cell) => endOf(cell, start, time + AFTER)) : [])]
    const { name, description, unit, scope } = this.description
    const data = cells.length + ended.length === 0 ? undefined : dataOf(this.#kind, cells, ended, { start, time })
    for (const cell of this.#cells.values()) restart(cell, isDelta)
    if (this.#overflow !== undefined) restart(this.#overflow, isDelta)
    return data && { name, description, unit, resource, scope, data }
  }
}

/** What is collected: what came in (start, time]. */
export interface Interval {
  readonly start: Nanoseconds
  readonly time: Nanoseconds
  /** Whether nothing comes after it. */
  readonly isEnd?: boolean
}

/** OTLP's flag of a point that says that there is no value any more. */
const NO_RECORDED_VALUE = 1
/** The end of a series is later than its last value, by what servers tell apart. */
const AFTER: Nanoseconds = 1_000_000n

function endOf({ attributes }: Cell, start: Nanoseconds, time: Nanoseconds): NumberPoint {
  return { attributes, start, time, flags: NO_RECORDED_VALUE, exemplars: [], value: 0 }
}

const NONE: ApiAttributes = {}

function restart(cell: Cell, isDelta: boolean): void {
  cell.idle = cell.isTouched ? 0 : cell.idle + 1
  cell.isTouched = false
  if (!isDelta) return
  cell.value = 0
  cell.exemplar = undefined
  if (cell.histogram !== undefined && cell.histogram.count > 0) cell.histogram.clear()
}

function dataOf(kind: InstrumentKind, cells: readonly Cell[], ended: readonly NumberPoint[], { start, time }: Interval): MetricData {
  const point = ({ attributes, value }: Cell): NumberPoint => ({ attributes, start, time, flags: 0, exemplars: [], value })
  switch (kind) {
    case 'counter':
      return { type: 'sum', monotonic: true, temporality: 'delta', points: cells.map(point) }
    case 'updown':
      return { type: 'sum', monotonic: false, temporality: 'cumulative', points: [...cells.map(point), ...ended] }
    case 'gauge':
      return { type: 'gauge', points: [...cells.map(point), ...ended] }
    case 'histogram':
      return { type: 'exponentialHistogram', temporality: 'delta', points: cells.map((cell) => histogramPoint(cell, start, time)) }
  }
}

function exemplarOf({ exemplar, exemplarValue }: Cell): Exemplar[] {
  if (exemplar === undefined) return []
  const { traceId, spanId, traceFlags } = exemplar.spanContext()
  // Of a trace that is not kept there would be nothing to see.
  return (traceFlags & TraceFlags.SAMPLED) === 0 ? [] : [{ time: toNanoseconds(exemplar.endMs), value: exemplarValue, traceId, spanId, attributes: {} }]
}

function histogramPoint(cell: Cell, start: Nanoseconds, time: Nanoseconds): ExponentialHistogramPoint {
  const { attributes, histogram = new ExponentialHistogram() } = cell
  const { count, sum, min, max, scale, zeroCount, positive, negative } = histogram
  return { attributes, start, time, flags: 0, exemplars: exemplarOf(cell), count, sum, min, max, scale, zeroCount, zeroThreshold: 0, positive, negative }
}
