// Rows of the metric tables as they are read.
import type { Milliseconds, TimeRange } from '@andon/model'
import type { SelectedSeries } from './bucket-views.ts'
import type { CounterHint, HistogramForm, HistogramValue } from './metric-rows.ts'
import { DELTA, STALE } from './metric-write.ts'
import { readNative } from './native.ts'
import { RowBinary } from './row-binary.ts'
import { RunningSum } from './running-sum.ts'
import { Sql } from './sql.ts'

/** What `readSamples` reads, in the order of ids and times. */
export const SAMPLE_CELLS: Sql = new Sql('id, ts, start, v, flags', {})
const SAMPLE_WIDTHS = [8, 8, 8, 8, 1]

/** Points of one series as PromQL sees them; all arrays are equally long. */
export type SamplePoints = Pick<SelectedSeries, 'ts' | 'v' | 'stale' | 'start'>

function isZero(numbers: Uint32Array | Uint8Array): boolean {
  for (let index = 0; index < numbers.length; index += 1) if (numbers[index] !== 0) return false
  return true
}

/** Integers of 64 bits as numbers; a time in milliseconds is exact. */
function numbersOf(buffer: ArrayBuffer): Float64Array {
  const halves = new Uint32Array(buffer)
  const numbers = new Float64Array(halves.length / 2)
  if (isZero(halves)) return numbers
  for (let index = 0; index < numbers.length; index += 1) {
    const high = halves[2 * index + 1] ?? 0
    numbers[index] = (high > 0x7fff_ffff ? high - 2 ** 32 : high) * 2 ** 32 + (halves[2 * index] ?? 0)
  }
  return numbers
}

/** Whether points are seen as they are stored: no increments, no stale markers, none of the time of another. */
function isPlain(ts: Float64Array, flags: Uint8Array): boolean {
  if (!isZero(flags)) return false
  for (let index = 1; index < ts.length; index += 1) if ((ts[index] ?? 0) <= (ts[index - 1] ?? 0)) return false
  return true
}

/** The end of the run of rows with the id of the row `from`: they are in the order of ids, so it is sought in growing steps. */
function endOfRun(ids: BigUint64Array, from: number): number {
  const id = ids[from]
  let [low, step] = [from, 1]
  while (low + step < ids.length && ids[low + step] === id) {
    low += step
    step *= 2
  }
  for (; step >= 1; step /= 2) if (low + step < ids.length && ids[low + step] === id) low += step
  return low + 1
}

/** Rows of one series in the order of their times, as they are stored; all arrays are equally long. */
export interface SampleRun {
  readonly ts: Float64Array
  readonly start: Float64Array
  readonly v: Float64Array
  readonly flags: Uint8Array
}

/** Samples in the Native format, by series. */
export function readSamples(bytes: Uint8Array): { readonly rows: number; readonly runs: ReadonlyMap<bigint, SampleRun> } {
  const { rows, columns } = readNative(bytes, SAMPLE_WIDTHS)
  const column = (index: number): ArrayBuffer => columns[index] ?? new ArrayBuffer(0)
  const ids = new BigUint64Array(column(0))
  const [ts, start, v, flags] = [numbersOf(column(1)), numbersOf(column(2)), new Float64Array(column(3)), new Uint8Array(column(4))]
  const runs = new Map<bigint, SampleRun>()
  for (let from = 0; from < rows; ) {
    const to = endOfRun(ids, from)
    runs.set(ids[from] ?? 0n, { ts: ts.subarray(from, to), v: v.subarray(from, to), start: start.subarray(from, to), flags: flags.subarray(from, to) })
    from = to
  }
  return { rows, runs }
}

/** How many times lie before one. */
function countBefore(ts: Float64Array, time: Milliseconds): number {
  let [low, high] = [0, ts.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ts[middle] ?? 0) < time) low = middle + 1
    else high = middle
  }
  return low
}

/** The rows within a range, both ends included. */
export function runWithin(run: SampleRun, { start, end }: TimeRange): SampleRun {
  const [from, to] = [countBefore(run.ts, start), countBefore(run.ts, Math.floor(end) + 1)]
  if (from === 0 && to === run.ts.length) return run
  return { ts: run.ts.subarray(from, to), start: run.start.subarray(from, to), v: run.v.subarray(from, to), flags: run.flags.subarray(from, to) }
}

/** As PromQL sees them. */
export function pointsOf(run: SampleRun): SamplePoints {
  return isPlain(run.ts, run.flags) ? { ts: run.ts, v: run.v, start: run.start, stale: run.flags } : runningSum(run)
}

function runningSum({ ts, start, v, flags }: SampleRun): SamplePoints {
  const sum = new RunningSum()
  for (const [index, flag] of flags.entries()) sum.add(ts[index] ?? 0, start[index] ?? 0, v[index] ?? 0, (flag & DELTA) !== 0, (flag & STALE) !== 0)
  return typed(sum.points)
}

/** Points as they are read of a series. */
export function typed({ ts, v, stale, start }: RunningSum['points']): SamplePoints {
  return { ts: Float64Array.from(ts), v: Float64Array.from(v), stale: Uint8Array.from(stale), start: Float64Array.from(start) }
}

/** What `readHistograms` reads. */
export const HISTOGRAM_CELLS: Sql = new Sql('id, toUnixTimestamp64Milli(ts), toUnixTimestamp64Milli(start), form, schema, zero_threshold, zero, n, sm, pos, neg, bounds, flags, hint', {})

/** The same of a histogram's count and sum, without its buckets. */
export const COUNT_CELLS: Sql = new Sql(HISTOGRAM_CELLS.text.replace('pos, neg', "CAST(map(), 'Map(Int32, Float64)'), CAST(map(), 'Map(Int32, Float64)')"), {})

export interface StoredHistogram {
  readonly id: bigint
  readonly ts: Milliseconds
  readonly start: Milliseconds
  readonly form: HistogramForm
  readonly value: HistogramValue
  readonly stale: boolean
}

/** The enums of the table by their numbers. */
const FORMS: Readonly<Record<number, HistogramForm>> = { 1: 'cumulative', 2: 'delta', 3: 'gauge' }
const HINTS: Readonly<Record<number, CounterHint>> = { 1: 'reset', 2: 'same', 3: 'gauge' }

/** What is known of a histogram's counter; a running sum has none of the hints of its deltas. */
function hintOf(form: HistogramForm, hint: CounterHint | undefined): Pick<HistogramValue, 'hint'> {
  if (form === 'gauge' || hint === 'gauge') return { hint: 'gauge' }
  return form === 'delta' || hint === undefined ? {} : { hint }
}

/** The counts of buckets by their indices. */
export function readBuckets(row: RowBinary): Map<number, number> {
  const buckets = new Map<number, number>()
  for (let left = row.length(); left > 0; left -= 1) buckets.set(row.int32(), row.float64())
  return buckets
}

/**
 * Rows of the cells above, in their order.
 *
 * @yields each row
 */
export function* readHistograms(bytes: Uint8Array): Generator<StoredHistogram> {
  const row = new RowBinary(bytes)
  while (row.more) {
    const [id, ts, start, form] = [row.uint64Exact(), row.int64(), row.int64(), FORMS[row.int8()] ?? 'cumulative']
    const value = {
      schema: row.int8(),
      zeroThreshold: row.float64(),
      zeroCount: row.float64(),
      count: row.float64(),
      sum: row.float64(),
      positive: readBuckets(row),
      negative: readBuckets(row),
      bounds: row.float64s(),
    }
    const stale = (row.uint8() & STALE) !== 0
    yield { id, ts, start, form, value: { ...value, ...hintOf(form, HINTS[row.int8()]) }, stale }
  }
}
