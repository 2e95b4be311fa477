// What a function over a range gets besides its window, and the remarks that several of them make.
import type { HistogramValue } from '../../store/metric-rows.ts'
import { forMetric, type Remarks } from './context.ts'
import type { RangeSeries, Window } from './range-series.ts'
import { FLOAT, type GridElement } from './vector.ts'

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

/** The series that a remark is about. */
export interface About {
  readonly series: Pick<RangeSeries, 'labels'>
  readonly remarks: Remarks
}

const COUNTER_NAME = /_(?:total|sum|count|bucket)$/

/** Says so when a rate is taken of what does not look like a counter. */
export function remarkNoCounter(name: string, metric: string, results: readonly GridElement[], remarks: Remarks): void {
  if ((name !== 'rate' && name !== 'increase') || metric === '' || COUNTER_NAME.test(metric) || !results.some(({ present }) => present.includes(FLOAT))) return
  remarks.info(`metric might not be a counter, name does not end in _total/_sum/_count/_bucket: ${JSON.stringify(metric)}`)
}

/** Says so when a counter is said to have begun before the point before. */
export function remarkOverlap({ series, remarks }: About): void {
  remarks.warn(`sample has start time that overlaps with previous sample timestamp for metric ${JSON.stringify(series.labels['__name__'] ?? '')}`)
}

export function mixed({ series, remarks }: About): undefined {
  remarks.warn(`encountered a mix of histograms and floats${forMetric(series.labels)}`)
}

export function mixedSchemas({ series, remarks }: About): undefined {
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

export function reconciled({ remarks }: Pick<RangeCall, 'remarks'>, doing: 'addition' | 'subtraction' | 'aggregation'): void {
  remarks.info(`mismatched custom buckets were reconciled during ${doing}`)
}

export function collided(remarks: Remarks, doing: 'addition' | 'subtraction' | 'aggregation'): void {
  remarks.warn(`conflicting counter resets during histogram ${doing}`)
}
