// Answers of queries in the format of Prometheus' HTTP API, native histograms included.
// @see https://prometheus.io/docs/prometheus/latest/querying/api/#expression-query-result-formats
import type { Milliseconds } from '@andon/model'
import type { QueryResult, Sample, SampleSeries } from '../query/engine.ts'
import { bucketsOf } from '../query/promql/histogram/buckets.ts'
import { boundaryRule, numberText } from '../query/promql/number-text.ts'

type Histogram = NonNullable<Sample['histogram']>

function seconds(time: Milliseconds): number {
  return time / 1000
}

function histogramJson(histogram: Histogram): object {
  const buckets = bucketsOf(histogram).map(({ lower, upper, count, side }) => [boundaryRule(side), numberText(lower), numberText(upper), numberText(count)])
  return { count: numberText(histogram.count), sum: numberText(histogram.sum), ...(buckets.length > 0 && { buckets }) }
}

function sampleJson({ labels, value, histogram }: Sample, time: Milliseconds): object {
  if (histogram === undefined) return { metric: labels, value: [seconds(time), numberText(value)] }
  return { metric: labels, histogram: [seconds(time), histogramJson(histogram)] }
}

function seriesJson({ labels, points, histograms = [] }: SampleSeries): object {
  return {
    metric: labels,
    ...(points.length > 0 && { values: points.map(([time, value]) => [seconds(time), numberText(value)]) }),
    ...(histograms.length > 0 && { histograms: histograms.map(([time, value]) => [seconds(time), histogramJson(value)]) }),
  }
}

/** The `data` of an answer. */
export function resultJson(result: QueryResult): object {
  switch (result.type) {
    case 'vector':
      return { resultType: 'vector', result: result.samples.map((sample) => sampleJson(sample, result.time)) }
    case 'matrix':
      return { resultType: 'matrix', result: result.series.map(seriesJson) }
    case 'scalar':
      return { resultType: 'scalar', result: [seconds(result.time), numberText(result.value)] }
    case 'string':
      return { resultType: 'string', result: [seconds(result.time), result.value] }
  }
}
