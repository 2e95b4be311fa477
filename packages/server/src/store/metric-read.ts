// Rows of the metric tables as they are read.
import type { Labels, MetricType, Milliseconds } from '@andon/model'
import type { SelectedSeries } from './bucket-views.ts'
import { counts, number, numbers, stringOf } from './cells.ts'
import type { HistogramForm, HistogramValue } from './metric-rows.ts'
import { DELTA, STALE } from './metric-write.ts'
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

/** What `histogramOf` reads. */
export const HISTOGRAM_CELLS: Sql = new Sql(
  'id, toUnixTimestamp64Milli(ts), toUnixTimestamp64Milli(start), toString(form), schema, zero_threshold, zero, n, sm, pos, neg, bounds, flags, toString(hint)',
  {},
)

export interface StoredHistogram {
  readonly id: bigint
  readonly ts: Milliseconds
  readonly start: Milliseconds
  readonly form: HistogramForm
  readonly value: HistogramValue
  readonly stale: boolean
}

/** What is known of a histogram's counter; a running sum has none of the hints of its deltas. */
function hintOf(form: string, hint: string): Pick<HistogramValue, 'hint'> {
  if (form === 'gauge' || hint === 'gauge') return { hint: 'gauge' }
  if (form === 'delta') return {}
  return hint === 'reset' ? { hint: 'reset' } : hint === 'not_reset' ? { hint: 'same' } : {}
}

/** A row of the cells above. */
export function histogramOf(row: readonly unknown[]): StoredHistogram {
  const form = stringOf(row[3])
  return {
    id: BigInt(stringOf(row[0])),
    ts: number(row[1]),
    start: number(row[2]),
    form: form === 'delta' || form === 'gauge' ? form : 'cumulative',
    value: {
      schema: number(row[4]),
      zeroThreshold: number(row[5]),
      zeroCount: number(row[6]),
      count: number(row[7]),
      sum: number(row[8]),
      positive: counts(row[9]),
      negative: counts(row[10]),
      bounds: numbers(row[11]),
      ...hintOf(form, stringOf(row[13])),
    },
    stale: (number(row[12]) & STALE) !== 0,
  }
}
