import type { MetricRecord } from '@andon/model'

/** A metric that points to no span; of ours only histograms do. */
export function withoutExemplars(metric: MetricRecord): MetricRecord {
  const { data } = metric
  if (data.type !== 'exponentialHistogram') return metric
  return { ...metric, data: { ...data, points: data.points.map((point) => ({ ...point, exemplars: [] })) } }
}
