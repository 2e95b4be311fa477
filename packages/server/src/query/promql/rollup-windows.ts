// The windows of functions over cells of rollups.
import { labelsKey } from '@andon/model'
import type { HistogramValue } from '../../store/metric-rows.ts'
import type { FloatCells, HistogramCells } from '../../store/rollup-read.ts'
import type { Remarks } from './context.ts'
import { HistogramSum, multiplied, withHint } from './histogram/arithmetic.ts'
import { sameLayout } from './histogram/layout.ts'
import { mixed, mixedSchemas, reconciled } from './range-call.ts'
import { element, type GridElement, set } from './vector.ts'

/** Functions that rollups answer. */
export type CellFunction = 'rate' | 'increase' | 'avg_over_time' | 'sum_over_time' | 'min_over_time' | 'max_over_time' | 'count_over_time' | 'present_over_time' | 'last_over_time'

/** What is made of cells. */
export interface CellShape {
  readonly name: CellFunction
  readonly steps: number
  /** The range that was asked for. */
  readonly seconds: number
  /** The length of the windows, which differs where they were moved to whole buckets. */
  readonly windowSeconds: number
  /** Cells of a window. */
  readonly width: number
  /** The first cell of a step's window; no step's comes before that of the step before. */
  readonly from: (step: number) => number
  readonly keepsName: boolean
  readonly remarks: Remarks
}

/** What lies in the window that begins at a cell; windows are to be asked in order. */
type WindowOf<T> = (lo: number) => T

/** Sums of windows. What is not finite must not reach the windows after it. */
function sums(values: Float64Array, width: number): WindowOf<number> {
  if (width === 1) return (lo) => values[lo] ?? 0
  if (!values.every(Number.isFinite)) {
    return (lo) => {
      let sum = 0
      for (let index = lo; index < lo + width; index += 1) sum += values[index] ?? 0
      return sum
    }
  }
  const before = new Float64Array(values.length + 1)
  for (let index = 0; index < values.length; index += 1) before[index + 1] = (before[index] ?? 0) + (values[index] ?? 0)
  return (lo) => (before[lo + width] ?? 0) - (before[lo] ?? 0)
}

/** The best of each window; NaN gives way to any number. */
function extremes({ values, counts }: FloatCells, width: number, better: (a: number, b: number) => boolean): WindowOf<number> {
  // Cells that can still become the best, in order, each better than those after it.
  const queue: number[] = []
  let [head, next] = [0, 0]
  const at = (index: number | undefined): number => values[index ?? -1] ?? Number.NaN
  return (lo) => {
    for (next = Math.max(next, lo); next < lo + width; next += 1) {
      if (counts[next] === 0) continue
      const value = at(next)
      while (queue.length > head && !better(at(queue.at(-1)), value) && !Number.isNaN(value)) queue.pop()
      queue.push(next)
    }
    while (head < queue.length && (queue[head] ?? lo) < lo) head += 1
    return at(queue[head])
  }
}

/** The last of each window. */
function lasts({ values, counts }: FloatCells, width: number): WindowOf<number> {
  let [last, next] = [-1, 0]
  return (lo) => {
    for (; next < lo + width; next += 1) if (counts[next] !== 0) last = next
    return values[last] ?? Number.NaN
  }
}

function valuesOf(cells: FloatCells, { name, width, seconds, windowSeconds }: CellShape): WindowOf<number | undefined> {
  const count = sums(cells.counts, width)
  const filled = (value: (lo: number, points: number) => number): WindowOf<number | undefined> => {
    return (lo) => {
      const points = count(lo)
      return points > 0 ? value(lo, points) : undefined
    }
  }
  switch (name) {
    case 'rate':
    case 'increase': {
      const sum = sums(cells.values, width)
      const factor = (name === 'rate' ? 1 : seconds) / windowSeconds
      return (lo) => {
        const value = sum(lo)
        // Of one point nothing is known, unless it brings its own increase.
        return count(lo) >= 2 || value !== 0 ? value * factor : undefined
      }
    }
    case 'avg_over_time': {
      const sum = sums(cells.values, width)
      return filled((lo, points) => sum(lo) / points)
    }
    case 'sum_over_time':
    case 'count_over_time':
      return filled(sums(cells.values, width))
    case 'present_over_time':
      return filled(() => 1)
    case 'min_over_time':
      return filled(extremes(cells, width, (a, b) => a < b))
    case 'max_over_time':
      return filled(extremes(cells, width, (a, b) => a > b))
    case 'last_over_time':
      return filled(lasts(cells, width))
  }
}

type Cell = HistogramCells['cells'][number]

/** A sum of histograms of one layout, to which cells are added and from which they are taken again; their counts are whole numbers. */
class MovingHistogram {
  readonly #layout: HistogramValue
  readonly #positive = new Map<number, number>()
  readonly #negative = new Map<number, number>()
  #zeroCount = 0
  #count = 0
  #filled = 0

  constructor(layout: HistogramValue) {
    this.#layout = layout
  }

  add(cell: Cell, sign: 1 | -1): void {
    if (cell === undefined) return
    this.#filled += sign
    for (const value of cell) {
      for (const [index, count] of value.positive) this.#positive.set(index, (this.#positive.get(index) ?? 0) + sign * count)
      for (const [index, count] of value.negative) this.#negative.set(index, (this.#negative.get(index) ?? 0) + sign * count)
      this.#zeroCount += sign * value.zeroCount
      this.#count += sign * value.count
    }
  }

  /** @returns undefined where no cell is left in it */
  value(sum: number, factor: number): HistogramValue | undefined {
    if (this.#filled === 0) return undefined
    const scaled = (buckets: ReadonlyMap<number, number>): Map<number, number> => {
      const result = new Map<number, number>()
      for (const [index, count] of buckets) if (count !== 0) result.set(index, count * factor)
      return result
    }
    const { schema, bounds, zeroThreshold } = this.#layout
    return { schema, bounds, zeroThreshold, zeroCount: this.#zeroCount * factor, count: this.#count * factor, sum: sum * factor, positive: scaled(this.#positive), negative: scaled(this.#negative), hint: 'gauge' }
  }
}

function observed(cell: Cell): readonly HistogramValue[] {
  return cell?.filter(({ count }) => count > 0) ?? []
}

/** Windows over histograms of one layout. */
function movingWindows(cells: readonly Cell[], layout: HistogramValue, width: number, factor: number): WindowOf<HistogramValue | undefined> {
  const moving = new MovingHistogram(layout)
  const sum = sums(Float64Array.from(cells, (cell) => cell?.reduce((total, each) => total + each.sum, 0) ?? 0), width)
  let [from, to] = [0, 0]
  return (lo) => {
    for (; to < Math.min(lo + width, cells.length); to += 1) moving.add(cells[to], 1)
    for (; from < lo; from += 1) moving.add(cells[from], -1)
    return moving.value(sum(lo), factor)
  }
}

/** Windows over histograms of several layouts: each is added up anew. */
function summedWindows({ labels, cells }: HistogramCells, { width, remarks }: CellShape, factor: number): WindowOf<HistogramValue | undefined> {
  const about = { series: { labels }, remarks }
  return (lo) => {
    const filled = cells.slice(lo, lo + width).filter((cell) => cell !== undefined)
    const [first, ...rest] = filled.flatMap(observed)
    const empty = filled[0]?.[0]
    if (first === undefined) return empty === undefined ? undefined : withHint(empty, 'gauge')
    const sum = new HistogramSum(first)
    if (!rest.every((each) => sum.add(each))) return mixedSchemas(about)
    if (sum.reconciled) reconciled(about, 'addition')
    return withHint(multiplied(sum.value(), factor), 'gauge')
  }
}

/** Of histograms there are rates and increases only. */
function histogramsOf(series: HistogramCells, shape: CellShape): WindowOf<HistogramValue | undefined> {
  const { name, seconds, windowSeconds, width } = shape
  const factor = (name === 'rate' ? 1 : seconds) / windowSeconds
  const values = series.cells.flatMap(observed)
  const layout = values[0] ?? series.cells.find((cell) => cell !== undefined)?.[0]
  if (layout === undefined) return () => undefined
  return values.every((each) => sameLayout(each, layout)) ? movingWindows(series.cells, layout, width, factor) : summedWindows(series, shape, factor)
}

function elementOf(labels: GridElement['labels'], { floats, histograms }: { floats?: FloatCells; histograms?: HistogramCells }, shape: CellShape): GridElement {
  const result = element(labels, shape.steps, !shape.keepsName)
  const float = floats === undefined ? () => undefined : valuesOf(floats, shape)
  const native = histograms === undefined ? () => undefined : histogramsOf(histograms, shape)
  for (let step = 0; step < shape.steps; step += 1) {
    const lo = shape.from(step)
    const [number, histogram] = [float(lo), native(lo)]
    if (number !== undefined && histogram !== undefined) mixed({ series: { labels }, remarks: shape.remarks })
    else if (number !== undefined || histogram !== undefined) set(result, step, number ?? histogram ?? Number.NaN)
  }
  return result
}

/** What makes the elements of a function, one for each series or group, whether it has floats, histograms or both. */
export function cellElements({ floats, histograms }: { readonly floats: readonly FloatCells[]; readonly histograms: readonly HistogramCells[] }, shape: CellShape): (() => GridElement)[] {
  const native = new Map(histograms.map((each) => [labelsKey(each.labels), each]))
  const ofFloats = floats.map((each) => {
    const both = native.size === 0 ? undefined : native.get(labelsKey(each.labels))
    if (both !== undefined) native.delete(labelsKey(each.labels))
    return () => elementOf(each.labels, { floats: each, ...(both !== undefined && { histograms: both }) }, shape)
  })
  return [...ofFloats, ...[...native.values()].map((each) => () => elementOf(each.labels, { histograms: each }, shape))]
}
