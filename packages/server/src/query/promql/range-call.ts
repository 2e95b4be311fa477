// What a function over a range gets besides its window, and the remarks that several of them make.
import type { HistogramValue } from '../../store/metric-rows.ts'
import { forMetric, type Remarks } from './context.ts'
import type { RangeSeries, Window } from './range-series.ts'

export interface RangeCall {
  readonly series: RangeSeries
  /** Scalar arguments at the step. */
  params: readonly number[]
  /** On the range vector. */
  readonly remarks: Remarks
  readonly extended: 'anchored' | 'smoothed' | undefined
}

/** A function's value; undefined where it has none. */
export type RangeFunction = (window: Window, call: RangeCall) => number | HistogramValue | undefined

export function mixed({ series, remarks }: RangeCall): undefined {
  remarks.warn(`encountered a mix of histograms and floats${forMetric(series.labels)}`)
}

export function mixedSchemas({ series, remarks }: RangeCall): undefined {
  remarks.warn(`vector contains a mix of histograms with exponential and custom buckets schemas${forMetric(series.labels)}`)
}

export function notCounter({ series, remarks }: RangeCall): void {
  remarks.warn(`this native histogram metric is not a counter: ${JSON.stringify(series.labels['__name__'] ?? '')}`)
}

export function notGauge({ series, remarks }: RangeCall): void {
  remarks.warn(`this native histogram metric is not a gauge: ${JSON.stringify(series.labels['__name__'] ?? '')}`)
}

export function histogramsIgnored({ series, remarks }: RangeCall): void {
  remarks.info(`ignored histograms in a range containing both floats and histograms${forMetric(series.labels)}`)
}

export function reconciled({ remarks }: RangeCall, doing: 'addition' | 'subtraction' | 'aggregation'): void {
  remarks.info(`mismatched custom buckets were reconciled during ${doing}`)
}

export function collided(remarks: Remarks, doing: 'addition' | 'subtraction' | 'aggregation'): void {
  remarks.warn(`conflicting counter resets during histogram ${doing}`)
}
