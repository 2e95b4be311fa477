// Histograms multiplied, subtracted and added up.
import type { Buckets, CounterHint, HistogramValue } from '../../../store/metric-rows.ts'
import { boundsDiffer, commonLayout, inLayout } from './layout.ts'

function mapped(buckets: Buckets, change: (count: number) => number): Buckets {
  const result = new Map<number, number>()
  for (const [index, count] of buckets) result.set(index, change(count))
  return result
}

function changed(value: HistogramValue, change: (count: number) => number, hint: CounterHint | undefined): HistogramValue {
  const { hint: _, ...rest } = value
  return {
    ...rest,
    zeroCount: change(value.zeroCount),
    count: change(value.count),
    sum: change(value.sum),
    positive: mapped(value.positive, change),
    negative: mapped(value.negative, change),
    ...(hint !== undefined && { hint }),
  }
}

/** A negative factor makes a gauge of a counter. */
export function multiplied(value: HistogramValue, factor: number): HistogramValue {
  return changed(value, (count) => count * factor, factor < 0 ? 'gauge' : value.hint)
}

/** Divided by zero, a histogram has no buckets left that could be told apart. */
export function divided(value: HistogramValue, divisor: number): HistogramValue {
  const result = changed(value, (count) => count / divisor, divisor < 0 ? 'gauge' : value.hint)
  return divisor === 0 ? { ...result, positive: new Map(), negative: new Map() } : result
}

export function withHint(value: HistogramValue, hint: CounterHint | undefined): HistogramValue {
  if (value.hint === hint) return value
  const { hint: _, ...rest } = value
  return hint === undefined ? rest : { ...rest, hint }
}

/** A histogram of the same layout that holds nothing. */
export function emptied(value: HistogramValue): HistogramValue {
  return { ...value, zeroCount: 0, count: 0, sum: 0, positive: new Map(), negative: new Map() }
}

function withoutEmpty(buckets: Buckets): Buckets {
  for (const count of buckets.values()) if (count === 0) return new Map([...buckets].filter(([, each]) => each !== 0))
  return buckets
}

/** The same without buckets of count 0. */
function compacted(value: HistogramValue): HistogramValue {
  return { ...value, positive: withoutEmpty(value.positive), negative: withoutEmpty(value.negative) }
}

/** The hint of a sum; a reset and its opposite collide. */
export function combinedHint(a: CounterHint | undefined, b: CounterHint | undefined): CounterHint | undefined {
  if (a === b) return a
  return a === 'gauge' || b === 'gauge' ? 'gauge' : undefined
}

/** Adds `value` to a count that is held with what rounding lost. @see Neumaier 1974 */
function addTo(counts: Map<number, number>, lost: Map<number, number>, index: number, value: number): void {
  const before = counts.get(index)
  if (before === undefined) {
    counts.set(index, value)
    return
  }
  const total = before + value
  counts.set(index, total)
  if (!Number.isFinite(total)) return
  const error = Math.abs(before) >= Math.abs(value) ? before - total + value : value - total + before
  if (error !== 0) lost.set(index, (lost.get(index) ?? 0) + error)
}

interface Totals {
  readonly positive: Map<number, number>
  readonly negative: Map<number, number>
  /** Count, sum and zero count at 0, 1 and 2. */
  readonly plain: Map<number, number>
}

function totals(value: HistogramValue | undefined): Totals {
  if (value === undefined) return { positive: new Map(), negative: new Map(), plain: new Map() }
  return { positive: new Map(value.positive), negative: new Map(value.negative), plain: new Map([[0, value.count], [1, value.sum], [2, value.zeroCount]]) }
}

/** Sums with what rounding lost of them. */
function whole(sums: Map<number, number>, lost: Map<number, number>): Map<number, number> {
  const result = new Map(sums)
  for (const [index, error] of lost) {
    const sum = sums.get(index) ?? 0
    if (Number.isFinite(sum)) result.set(index, sum + error)
  }
  return result
}

/** A compensated sum of histograms. */
export class HistogramSum {
  #layout: HistogramValue
  #hint: CounterHint | undefined
  #sums: Totals
  #lost: Totals = totals(undefined)
  #reconciled = false
  #reset: boolean
  #same: boolean
  #overflows = false

  constructor(first: HistogramValue) {
    this.#layout = first
    this.#hint = first.hint
    this.#reset = first.hint === 'reset'
    this.#same = first.hint === 'same'
    this.#sums = totals(first)
  }

  /** Whether bounds differed, so that some were given up. */
  get reconciled(): boolean {
    return this.#reconciled
  }

  /** Whether something that was reset was added to something that was not. */
  get collided(): boolean {
    return this.#reset && this.#same
  }

  /** Whether a finite sum became infinite. */
  get overflows(): boolean {
    return this.#overflows
  }

  /** @returns whether it could be added: not when one is exponential and the other has custom bounds */
  add(value: HistogramValue): boolean {
    const layout = commonLayout(this.#layout, value)
    if (layout === undefined) return false
    if (boundsDiffer(this.#layout, value)) this.#reconciled = true
    this.#relayout(layout)
    const fitted = inLayout(value, layout)
    for (const [index, count] of fitted.positive) addTo(this.#sums.positive, this.#lost.positive, index, count)
    for (const [index, count] of fitted.negative) addTo(this.#sums.negative, this.#lost.negative, index, count)
    const plain = [fitted.count, fitted.sum, fitted.zeroCount]
    for (const [index, each] of plain.entries()) {
      const before = this.#sums.plain.get(index) ?? 0
      addTo(this.#sums.plain, this.#lost.plain, index, each)
      if (Number.isFinite(before) && Number.isFinite(each) && !Number.isFinite(this.#sums.plain.get(index))) this.#overflows = true
    }
    this.#hint = combinedHint(this.#hint, value.hint)
    this.#reset ||= value.hint === 'reset'
    this.#same ||= value.hint === 'same'
    return true
  }

  #relayout(layout: Pick<HistogramValue, 'schema' | 'zeroThreshold' | 'bounds'>): void {
    const { schema, zeroThreshold, bounds } = this.#layout
    if (schema === layout.schema && zeroThreshold === layout.zeroThreshold && bounds.length === layout.bounds.length) return
    const moved = (held: Totals): Totals => totals(inLayout({ ...this.#layout, positive: held.positive, negative: held.negative, count: held.plain.get(0) ?? 0, sum: held.plain.get(1) ?? 0, zeroCount: held.plain.get(2) ?? 0 }, layout))
    this.#sums = moved(this.#sums)
    this.#lost = moved(this.#lost)
    this.#layout = { ...this.#layout, schema: layout.schema, zeroThreshold: layout.zeroThreshold, bounds: layout.bounds }
  }

  /** The sum so far; later additions leave it as it is. */
  value(): HistogramValue {
    const plain = whole(this.#sums.plain, this.#lost.plain)
    return withHint(
      compacted({
        ...this.#layout,
        count: plain.get(0) ?? 0,
        sum: plain.get(1) ?? 0,
        zeroCount: plain.get(2) ?? 0,
        positive: whole(this.#sums.positive, this.#lost.positive),
        negative: whole(this.#sums.negative, this.#lost.negative),
      }),
      this.#hint,
    )
  }
}

/** What came of adding or subtracting; undefined when one is exponential and the other has custom bounds. */
export interface Combined {
  readonly value: HistogramValue
  readonly reconciled: boolean
  readonly collided: boolean
}

export function added(a: HistogramValue, b: HistogramValue): Combined | undefined {
  const sum = new HistogramSum(a)
  if (!sum.add(b)) return undefined
  return { value: sum.value(), reconciled: sum.reconciled, collided: sum.collided }
}

export function subtracted(a: HistogramValue, b: HistogramValue): Combined | undefined {
  const sum = new HistogramSum(a)
  if (!sum.add(withHint(multiplied(b, -1), b.hint))) return undefined
  return { value: sum.value(), reconciled: sum.reconciled, collided: sum.collided }
}

/** The value at a time between two histograms: `share` of the way from one to the other. */
export function between(a: HistogramValue, b: HistogramValue, share: number): HistogramValue | undefined {
  const difference = subtracted(b, a)
  return difference === undefined ? undefined : added(a, multiplied(difference.value, share))?.value
}
