// Rows of the metric tables as they are read.
import type { Labels, MetricType, Milliseconds } from '@andon/model'
import type { SelectedSeries } from './bucket-views.ts'
import type { CounterHint, HistogramForm, HistogramValue } from './metric-rows.ts'
import { DELTA, STALE } from './metric-write.ts'
import { RowBinary } from './row-binary.ts'
import { RunningSum } from './running-sum.ts'
import { Sql } from './sql.ts'

/** Of a row of samples: id, ts, start, v, flags. */
export const SAMPLE_BYTES = 33

/** Samples in the order of their ids and times, as PromQL sees each series. */
export function readSamples(bytes: Uint8Array): Map<bigint, RunningSum> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const sums = new Map<bigint, RunningSum>()
  let current: RunningSum | undefined
  let high = -1
  let low = -1
  for (let at = 0; at + SAMPLE_BYTES <= bytes.length; at += SAMPLE_BYTES) {
    const l = view.getUint32(at, true)
    const h = view.getUint32(at + 4, true)
    if (current === undefined || l !== low || h !== high) {
      current = new RunningSum()
      sums.set(view.getBigUint64(at, true), current)
      low = l
      high = h
    }
    const flags = view.getUint8(at + 32)
    const ts = milliseconds(view, at + 8)
    current.add(ts, milliseconds(view, at + 16), view.getFloat64(at + 24, true), (flags & DELTA) !== 0, (flags & STALE) !== 0)
  }
  return sums
}

/** An Int64 of milliseconds, which a double holds exactly. */
function milliseconds(view: DataView, at: number): Milliseconds {
  return view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true)
}

/** A series with its points. */
export function selected(labels: Labels, type: MetricType, { ts, v, stale, start }: RunningSum['points']): SelectedSeries {
  return { labels, type, ts: Float64Array.from(ts), v: Float64Array.from(v), stale: Uint8Array.from(stale), start: Float64Array.from(start) }
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
