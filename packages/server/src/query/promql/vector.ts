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

/** What stands at a step, in `present`. */
export const ABSENT = 0
export const FLOAT = 1
export const HISTOGRAM = 2

/** One element of a vector over the grid; at each step it is a float, a native histogram or absent. */
export interface GridElement {
  readonly labels: Labels
  /** Whether the name is taken off at the end: until then it can still be grouped by and replaced. */
  readonly dropName: boolean
  readonly values: Float64Array
  /** ABSENT, FLOAT (which may be NaN) or HISTOGRAM. */
  readonly present: Uint8Array
  /** Absent in elements without any histogram. */
  histograms?: (HistogramValue | undefined)[]
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

export function element(labels: Labels, count: number, dropName = false): GridElement {
  return { labels, dropName, values: new Float64Array(count), present: new Uint8Array(count) }
}

/** Writes a value at a step. */
export function set(target: GridElement, index: number, value: number | HistogramValue): void {
  if (typeof value === 'number') {
    target.values[index] = value
    target.present[index] = FLOAT
    return
  }
  target.histograms ??= []
  target.histograms[index] = value
  target.present[index] = HISTOGRAM
}

/** The value at a step; undefined where there is none. */
export function get(source: GridElement, index: number): number | HistogramValue | undefined {
  const kind = source.present[index]
  return kind === FLOAT ? (source.values[index] ?? Number.NaN) : kind === HISTOGRAM ? source.histograms?.[index] : undefined
}

export function hasAny({ present }: GridElement): boolean {
  for (const kind of present) if (kind !== ABSENT) return true
  return false
}

/** The labels that say what is measured, which are lost when something else is made of it. */
export const METADATA_LABELS: readonly string[] = ['__name__', '__type__', '__unit__']

/** The same labels without the metric's name, type and unit. */
export function withoutName(labels: Labels): Labels {
  if (!METADATA_LABELS.some((name) => labels[name] !== undefined)) return labels
  const { __name__: _name, __type__: _type, __unit__: _unit, ...rest } = labels
  return rest
}

