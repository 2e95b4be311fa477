// The JSON side of metrics.ts; a file of its own for its length only.
import {
  AndonError,
  type Exemplar,
  type ExponentialBuckets,
  type ExponentialHistogramPoint,
  type HistogramPoint,
  type MetricData,
  type MetricRecord,
  type NumberPoint,
  type SummaryPoint,
  type Temporality,
} from '@andon/model'
import { idOrNone, type Refuse } from './attributes.ts'
import { type JsonReader, jsonAttributes, jsonDouble, jsonRequest, type ListNames, readJsonRequest } from './json.ts'
import { temporalityOf, withoutMisfits } from './metrics.ts'

const LISTS: ListNames = ['resourceMetrics', 'scopeMetrics', 'metrics']
const TEMPORALITIES = ['AGGREGATION_TEMPORALITY_UNSPECIFIED', 'AGGREGATION_TEMPORALITY_DELTA', 'AGGREGATION_TEMPORALITY_CUMULATIVE']

/**
 * Metrics of an OTLP ExportMetricsServiceRequest in JSON. A metric without data is left out.
 *
 * @param refuse - told of histogram points whose counts and bounds do not fit; without it the whole request is refused for one of them
 * @throws AndonError bad_body with the path of what is wrong, too_large
 */
export function decodeMetricsJson(text: string, refuse?: Refuse): MetricRecord[] {
  const metrics: MetricRecord[] = []
  readJsonRequest(text, 'metrics', LISTS, (json, { resource, scope }) => {
    const data = readData(json)
    if (data !== undefined) metrics.push(withoutMisfits({ name: json.text('name'), description: json.text('description'), unit: json.text('unit'), data, resource, scope }, refuse))
  })
  return metrics
}

/** Metrics as an OTLP ExportMetricsServiceRequest in JSON. */
export function encodeMetricsJson(metrics: readonly MetricRecord[]): string {
  return jsonRequest(metrics, LISTS, ({ name, description, unit, data }) => ({ name, description, unit, [data.type]: jsonData(data) }))
}

function readData(json: JsonReader): MetricData | undefined {
  if (json.has('gauge')) return { type: 'gauge', points: points(json.child('gauge'), readNumberPoint) }
  if (json.has('sum')) {
    const sum = json.child('sum')
    return { type: 'sum', points: points(sum, readNumberPoint), temporality: temporality(sum), monotonic: sum.bool('isMonotonic') }
  }
  if (json.has('histogram')) {
    const histogram = json.child('histogram')
    return { type: 'histogram', points: points(histogram, readHistogramPoint), temporality: temporality(histogram) }
  }
  if (json.has('exponentialHistogram')) {
    const histogram = json.child('exponentialHistogram')
    return { type: 'exponentialHistogram', points: points(histogram, readExponentialPoint), temporality: temporality(histogram) }
  }
  return json.has('summary') ? { type: 'summary', points: points(json.child('summary'), readSummaryPoint) } : undefined
}

function points<T>(json: JsonReader, read: (json: JsonReader) => T): T[] {
  return json.list('dataPoints').map(read)
}

function temporality(json: JsonReader): Temporality {
  return temporalityOf(json.enumeration('aggregationTemporality', TEMPORALITIES))
}

function readPoint(json: JsonReader): Omit<NumberPoint, 'value'> {
  return {
    attributes: json.attributes('attributes'),
    start: json.uint64('startTimeUnixNano'),
    time: json.uint64('timeUnixNano'),
    flags: json.uint32('flags'),
    exemplars: json.list('exemplars').map(readExemplar),
  }
}

function readValue(json: JsonReader): number {
  return json.has('asInt') ? json.integer('asInt') : json.double('asDouble')
}

function readNumberPoint(json: JsonReader): NumberPoint {
  return { ...readPoint(json), value: readValue(json) }
}

function readExemplar(json: JsonReader): Exemplar {
  return {
    time: json.uint64('timeUnixNano'),
    value: readValue(json),
    traceId: idOrNone(json.hex('traceId'), 32),
    spanId: idOrNone(json.hex('spanId'), 16),
    attributes: json.attributes('filteredAttributes'),
  }
}

function optional(json: JsonReader, field: string): number | undefined {
  return json.has(field) ? json.double(field) : undefined
}

function readSized(json: JsonReader): Pick<HistogramPoint, 'count' | 'sum' | 'min' | 'max'> {
  return { count: Number(json.uint64('count')), sum: optional(json, 'sum'), min: optional(json, 'min'), max: optional(json, 'max') }
}

function readCounts(json: JsonReader, field: string): number[] {
  const counts = json.numbers(field)
  if (counts.some((count) => !Number.isInteger(count) || count < 0)) throw new AndonError('bad_body', `metrics: ${field} must hold whole numbers that are not negative`)
  return counts
}

function readHistogramPoint(json: JsonReader): HistogramPoint {
  return { ...readPoint(json), ...readSized(json), bounds: json.numbers('explicitBounds'), counts: readCounts(json, 'bucketCounts') }
}

function readExponentialPoint(json: JsonReader): ExponentialHistogramPoint {
  return {
    ...readPoint(json),
    ...readSized(json),
    scale: json.integer('scale'),
    zeroCount: Number(json.uint64('zeroCount')),
    zeroThreshold: json.double('zeroThreshold'),
    positive: readBuckets(json.child('positive')),
    negative: readBuckets(json.child('negative')),
  }
}

function readBuckets(json: JsonReader): ExponentialBuckets {
  return { offset: json.integer('offset'), counts: readCounts(json, 'bucketCounts') }
}

function readSummaryPoint(json: JsonReader): SummaryPoint {
  const quantiles = json.list('quantileValues').map((pair) => ({ quantile: pair.double('quantile'), value: pair.double('value') }))
  return { ...readPoint(json), exemplars: [], count: Number(json.uint64('count')), sum: json.double('sum'), quantiles }
}

function jsonData(data: MetricData): object {
  const temporalityField = 'temporality' in data ? { aggregationTemporality: data.temporality === 'delta' ? 1 : 2 } : {}
  switch (data.type) {
    case 'gauge':
      return { dataPoints: data.points.map(jsonNumberPoint) }
    case 'sum':
      return { dataPoints: data.points.map(jsonNumberPoint), ...temporalityField, isMonotonic: data.monotonic }
    case 'histogram':
      return { dataPoints: data.points.map(jsonHistogramPoint), ...temporalityField }
    case 'exponentialHistogram':
      return { dataPoints: data.points.map(jsonExponentialPoint), ...temporalityField }
    case 'summary':
      return { dataPoints: data.points.map(jsonSummaryPoint) }
  }
}

function jsonPoint(point: Omit<NumberPoint, 'value'>): object {
  return {
    attributes: jsonAttributes(point.attributes),
    startTimeUnixNano: String(point.start),
    timeUnixNano: String(point.time),
    flags: point.flags,
    exemplars: point.exemplars.map(({ time, value, traceId, spanId, attributes }) => ({
      timeUnixNano: String(time),
      asDouble: jsonDouble(value),
      traceId,
      spanId,
      filteredAttributes: jsonAttributes(attributes),
    })),
  }
}

function jsonNumberPoint(point: NumberPoint): object {
  return { ...jsonPoint(point), asDouble: jsonDouble(point.value) }
}

function jsonSized({ count, sum, min, max }: Pick<HistogramPoint, 'count' | 'sum' | 'min' | 'max'>): object {
  return {
    count: String(count),
    ...(sum !== undefined && { sum: jsonDouble(sum) }),
    ...(min !== undefined && { min: jsonDouble(min) }),
    ...(max !== undefined && { max: jsonDouble(max) }),
  }
}

function jsonHistogramPoint(point: HistogramPoint): object {
  return { ...jsonPoint(point), ...jsonSized(point), explicitBounds: point.bounds.map(jsonDouble), bucketCounts: point.counts.map(String) }
}

function jsonExponentialPoint(point: ExponentialHistogramPoint): object {
  return {
    ...jsonPoint(point),
    ...jsonSized(point),
    scale: point.scale,
    zeroCount: String(point.zeroCount),
    zeroThreshold: jsonDouble(point.zeroThreshold),
    positive: { offset: point.positive.offset, bucketCounts: point.positive.counts.map(String) },
    negative: { offset: point.negative.offset, bucketCounts: point.negative.counts.map(String) },
  }
}

function jsonSummaryPoint(point: SummaryPoint): object {
  const quantileValues = point.quantiles.map(({ quantile, value }) => ({ quantile: jsonDouble(quantile), value: jsonDouble(value) }))
  return { ...jsonPoint(point), count: String(point.count), sum: jsonDouble(point.sum), quantileValues }
}
