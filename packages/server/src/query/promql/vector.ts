// Values of an evaluation over a grid of times: dense arrays, one element per step.
import type { Labels, Milliseconds } from '@andon/model'
import type { HistogramValue } from '../../store/metric-rows.ts'

/** The times at which an expression is evaluated: start, start + step, … (count of them). */
export interface StepGrid {
  readonly start: Milliseconds
  readonly step: Milliseconds
  /** At least 1. */
  readonly count: number
}

export function timeAt(grid: StepGrid, index: number): Milliseconds {
  return grid.start + grid.step * index
}

/** One element of a vector over the grid. */
export interface GridElement {
  readonly labels: Labels
  readonly values: Float64Array
  /** 1 where there is a value; a value may be NaN. */
  readonly present: Uint8Array
  /** Where the values are native histograms; `values` then means nothing. */
  readonly histograms?: (HistogramValue | undefined)[]
}

export interface VectorValue {
  readonly type: 'vector'
  readonly elements: GridElement[]
}

export interface ScalarValue {
  readonly type: 'scalar'
  readonly values: Float64Array
}

export interface TextValue {
  readonly type: 'string'
  readonly value: string
}

export type GridValue = VectorValue | ScalarValue | TextValue

/** Points of one series, stale ones left out, for functions over ranges. */
export interface RangeSeries {
  readonly labels: Labels
  readonly ts: Float64Array
  readonly v: Float64Array
  /** Where the points are native histograms; as long as `ts`. */
  readonly histograms?: readonly (HistogramValue | undefined)[]
}

export function element(labels: Labels, count: number): GridElement {
  return { labels, values: new Float64Array(count), present: new Uint8Array(count) }
}

/** An element whose values are native histograms. */
export function histogramElement(labels: Labels, count: number): GridElement & { histograms: (HistogramValue | undefined)[] } {
  return { ...element(labels, count), histograms: Array.from({ length: count }, () => undefined) }
}

export function set(target: GridElement, index: number, value: number): void {
  target.values[index] = value
  target.present[index] = 1
}

/** The same labels without the metric's name. */
export function withoutName(labels: Labels): Labels {
  if (labels['__name__'] === undefined) return labels
  const { __name__: _, ...rest } = labels
  return rest
}

/** A number as Prometheus writes it in labels and answers. */
export function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return String(value)
}
