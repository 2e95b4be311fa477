import type { MetricRecord } from '@andon/model'

/** A metric whose points to no span point. */
export function withoutExemplars(metric: MetricRecord): MetricRecord {
  const { data } = metric
  switch (data.type) {
    case 'sum':
      return { ...metric, data: { ...data, points: data.points.map((point) => ({ ...point, exemplars: [] })) } }
    case 'gauge':
      return { ...metric, data: { ...data, points: data.points.map((point) => ({ ...point, exemplars: [] })) } }
    case 'exponentialHistogram':
      return { ...metric, data: { ...data, points: data.points.map((point) => ({ ...point, exemplars: [] })) } }
    default:
      return metric
  }
}
