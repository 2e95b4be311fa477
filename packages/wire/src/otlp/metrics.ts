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
import { type PartCounts, Reader, type Writer } from '../protobuf.ts'
import { idOrNone, type Mutable, ownAttributes, readKeyValue, type Refuse, writeAttributes } from './attributes.ts'
import { readRequest, type Sourced, writeRequest } from './request.ts'

/**
 * Metrics of an OTLP ExportMetricsServiceRequest in protobuf.
 *
 * ```
 * message Metric { string name = 1; string description = 2; string unit = 3;
 *   oneof { Gauge 5; Sum 7; Histogram 9; ExponentialHistogram 10; Summary 11 } }
 * Sum { NumberDataPoint data_points = 1; temporality = 2; bool is_monotonic = 3 }, the others alike
 * ```
 *
 * A metric without data is left out.
 *
 * @param refuse - told of histogram points whose counts and bounds do not fit; without it the whole request is refused for one of them
 * @throws AndonError bad_body where the bytes are not such a request, too_large; nothing of it is then returned
 */
export function decodeMetrics(bytes: Uint8Array, refuse?: Refuse): MetricRecord[] {
  const metrics: MetricRecord[] = []
  readRequest(bytes, 'metrics', (reader, source) => {
    const metric = readMetric(reader, source)
    if (metric !== undefined) metrics.push(withoutMisfits(metric, refuse))
  })
  return metrics
}

/** Metrics as an OTLP ExportMetricsServiceRequest in protobuf, grouped by the identity of their resource and scope. */
export function encodeMetrics(metrics: readonly MetricRecord[]): Uint8Array {
  return writeRequest(metrics, writeMetric)
}

function readMetric(reader: Reader, source: Sourced): MetricRecord | undefined {
  const metric = emptyMetric()
  reader.message((tag) => readField(reader, tag, metric))
  return complete(metric, source)
}

/**
 * One message Metric; undefined when it is without data.
 *
 * @param counts - of what was read of the same request before
 * @throws AndonError bad_body, too_large
 */
export function decodeMetric(bytes: Uint8Array, source: Sourced, refuse?: Refuse, counts?: PartCounts): MetricRecord | undefined {
  const reader = new Reader(bytes, 'metrics', counts)
  const metric = emptyMetric()
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) readField(reader, tag, metric)
  const found = complete(metric, source)
  return found === undefined ? undefined : withoutMisfits(found, refuse)
}

/** A metric that is being read. */
type ReadMetric = Mutable<Pick<MetricRecord, 'name' | 'description' | 'unit'>> & { data: MetricData | undefined }

function emptyMetric(): ReadMetric {
  return { name: '', description: '', unit: '', data: undefined }
}

function readField(reader: Reader, tag: number, metric: ReadMetric): void {
  if (tag === 10) metric.name = reader.string()
  else if (tag === 18) metric.description = reader.string()
  else if (tag === 26) metric.unit = reader.string()
  else metric.data = readData(reader, tag) ?? metric.data
}

function complete({ name, description, unit, data }: ReadMetric, { resource, scope }: Sourced): MetricRecord | undefined {
  return data === undefined ? undefined : { name, description, unit, data, resource, scope }
}

function readData(reader: Reader, tag: number): MetricData | undefined {
  switch (tag) {
    case 42:
      return { type: 'gauge', points: readPoints(reader, readNumberPoint).points }
    case 58: {
      const { points, temporality, monotonic } = readPoints(reader, readNumberPoint)
      return { type: 'sum', points, temporality, monotonic }
    }
    case 74: {
      const { points, temporality } = readPoints(reader, readHistogramPoint)
      return { type: 'histogram', points, temporality }
    }
    case 82: {
      const { points, temporality } = readPoints(reader, readExponentialPoint)
      return { type: 'exponentialHistogram', points, temporality }
    }
    case 90:
      return { type: 'summary', points: readPoints(reader, readSummaryPoint).points }
    default:
      reader.skip(tag)
      return undefined
  }
}

/** AggregationTemporality: 1 delta, 2 cumulative; what is not said is taken as cumulative. */
export function temporalityOf(value: number): Temporality {
  return value === 1 ? 'delta' : 'cumulative'
}

function readPoints<T>(reader: Reader, readPoint: (reader: Reader) => T): { points: T[]; temporality: Temporality; monotonic: boolean } {
  const points: T[] = []
  let temporality: Temporality = 'cumulative'
  let monotonic = false
  reader.message((tag) => {
    if (tag === 10) points.push(readPoint(reader))
    else if (tag === 16) temporality = temporalityOf(reader.uint32())
    else if (tag === 24) monotonic = reader.bool()
    else reader.skip(tag)
  })
  return { points, temporality, monotonic }
}

/** message NumberDataPoint { start 2; time 3; oneof { double 4; sfixed64 6 }; exemplars 5; attributes 7; flags 8 } */
function readNumberPoint(reader: Reader): NumberPoint {
  const attributes = ownAttributes(reader)
  const exemplars: Exemplar[] = []
  const point: Mutable<NumberPoint> = { attributes, start: 0n, time: 0n, flags: 0, exemplars, value: 0 }
  reader.message((tag) => {
    if (tag === 17) point.start = reader.fixed64()
    else if (tag === 25) point.time = reader.fixed64()
    else if (tag === 33) point.value = reader.double()
    else if (tag === 49) point.value = Number(reader.sfixed64())
    else if (tag === 42) exemplars.push(readExemplar(reader))
    else if (tag === 58) readKeyValue(reader, attributes)
    else if (tag === 64) point.flags = reader.uint32()
    else reader.skip(tag)
  })
  return point
}

/** message Exemplar { time 2; oneof { double 3; sfixed64 6 }; bytes span_id 4; bytes trace_id 5; filtered_attributes 7 } */
function readExemplar(reader: Reader): Exemplar {
  const attributes = ownAttributes(reader)
  const exemplar: Mutable<Exemplar> = { time: 0n, value: 0, traceId: '', spanId: '', attributes }
  reader.message((tag) => {
    if (tag === 17) exemplar.time = reader.fixed64()
    else if (tag === 25) exemplar.value = reader.double()
    else if (tag === 49) exemplar.value = Number(reader.sfixed64())
    else if (tag === 34) exemplar.spanId = idOrNone(reader.hex(), 16)
    else if (tag === 42) exemplar.traceId = idOrNone(reader.hex(), 32)
    else if (tag === 58) readKeyValue(reader, attributes)
    else reader.skip(tag)
  })
  return exemplar
}

/** Bucket counts and bounds must fit each other. */
function histogramProblem({ counts, bounds }: HistogramPoint): string | undefined {
  if (counts.length > 0 && counts.length !== bounds.length + 1) return `a histogram has ${counts.length} bucket counts for ${bounds.length} bounds; one more than bounds is expected`
  const isOrdered = bounds.every((bound, index) => !Number.isNaN(bound) && (index === 0 || bound > (bounds[index - 1] ?? 0)))
  return isOrdered ? undefined : 'the bounds of a histogram must increase'
}

/** A metric without the histogram points that cannot be meant. */
export function withoutMisfits(metric: MetricRecord, refuse: Refuse | undefined): MetricRecord {
  const { data, name } = metric
  if (data.type !== 'histogram') return metric
  const points = data.points.filter((point) => {
    const problem = histogramProblem(point)
    if (problem === undefined) return true
    if (refuse === undefined) throw new AndonError('bad_body', `metrics: ${problem}`)
    refuse(`${name.slice(0, 100)}: ${problem}`)
    return false
  })
  return points.length === data.points.length ? metric : { ...metric, data: { ...data, points } }
}

/** message HistogramDataPoint { start 2; time 3; fixed64 count 4; double sum 5; fixed64 bucket_counts 6; double explicit_bounds 7; exemplars 8; attributes 9; flags 10; min 11; max 12 } */
function readHistogramPoint(reader: Reader): HistogramPoint {
  const attributes = ownAttributes(reader)
  const exemplars: Exemplar[] = []
  const bounds: number[] = []
  const counts: number[] = []
  const point: Mutable<HistogramPoint> = { attributes, start: 0n, time: 0n, flags: 0, exemplars, count: 0, sum: undefined, min: undefined, max: undefined, bounds, counts }
  reader.message((tag) => {
    if (tag === 49 || tag === 50) reader.repeated(tag, () => Number(reader.fixed64()), counts)
    else if (tag === 57 || tag === 58) reader.repeated(tag, () => reader.double(), bounds)
    else if (tag === 66) exemplars.push(readExemplar(reader))
    else if (tag === 74) readKeyValue(reader, attributes)
    else if (tag === 80) point.flags = reader.uint32()
    else if (tag === 89) point.min = reader.double()
    else if (tag === 97) point.max = reader.double()
    else readCounted(reader, tag, point)
  })
  return point
}

/** Fields 2 to 5, which histograms of both kinds and summaries share. */
function readCounted(reader: Reader, tag: number, point: { start: bigint; time: bigint; count: number; sum: number | undefined }): void {
  if (tag === 17) point.start = reader.fixed64()
  else if (tag === 25) point.time = reader.fixed64()
  else if (tag === 33) point.count = Number(reader.fixed64())
  else if (tag === 41) point.sum = reader.double()
  else reader.skip(tag)
}

/** message ExponentialHistogramDataPoint { attributes 1; start 2; time 3; count 4; sum 5; sint32 scale 6; fixed64 zero_count 7; positive 8; negative 9; flags 10; exemplars 11; min 12; max 13; zero_threshold 14 } */
function readExponentialPoint(reader: Reader): ExponentialHistogramPoint {
  const attributes = ownAttributes(reader)
  const exemplars: Exemplar[] = []
  const none: ExponentialBuckets = { offset: 0, counts: [] }
  const point: Mutable<ExponentialHistogramPoint> = {
    attributes,
    start: 0n,
    time: 0n,
    flags: 0,
    exemplars,
    count: 0,
    sum: undefined,
    min: undefined,
    max: undefined,
    scale: 0,
    zeroCount: 0,
    zeroThreshold: 0,
    positive: none,
    negative: none,
  }
  reader.message((tag) => {
    if (tag === 10) readKeyValue(reader, attributes)
    else if (tag === 90) exemplars.push(readExemplar(reader))
    else if (tag <= 41) readCounted(reader, tag, point)
    else readExponentialRest(reader, tag, point)
  })
  return point
}

/** Fields 6 to 14. */
function readExponentialRest(reader: Reader, tag: number, point: Mutable<ExponentialHistogramPoint>): void {
  switch (tag) {
    case 48:
      point.scale = reader.sint32()
      break
    case 57:
      point.zeroCount = Number(reader.fixed64())
      break
    case 66:
      point.positive = readBuckets(reader)
      break
    case 74:
      point.negative = readBuckets(reader)
      break
    case 80:
      point.flags = reader.uint32()
      break
    case 97:
      point.min = reader.double()
      break
    case 105:
      point.max = reader.double()
      break
    case 113:
      point.zeroThreshold = reader.double()
      break
    default:
      reader.skip(tag)
  }
}

/** message Buckets { sint32 offset = 1; repeated uint64 bucket_counts = 2 } */
function readBuckets(reader: Reader): ExponentialBuckets {
  let offset = 0
  const counts: number[] = []
  reader.message((tag) => {
    if (tag === 8) offset = reader.sint32()
    else if (tag === 16 || tag === 18) reader.repeated(tag, () => Number(BigInt.asUintN(64, reader.int64())), counts)
    else reader.skip(tag)
  })
  return { offset, counts }
}

/** message SummaryDataPoint { start 2; time 3; count 4; sum 5; quantile_values 6 { double quantile 1; double value 2 }; attributes 7; flags 8 } */
function readSummaryPoint(reader: Reader): SummaryPoint {
  const attributes = ownAttributes(reader)
  const quantiles: { quantile: number; value: number }[] = []
  const point = { attributes, start: 0n, time: 0n, flags: 0, exemplars: [], count: 0, sum: 0, quantiles }
  reader.message((tag) => {
    if (tag === 50) quantiles.push(readQuantile(reader))
    else if (tag === 58) readKeyValue(reader, attributes)
    else if (tag === 64) point.flags = reader.uint32()
    else readCounted(reader, tag, point)
  })
  return point
}

function readQuantile(reader: Reader): { quantile: number; value: number } {
  const result = { quantile: 0, value: 0 }
  reader.message((tag) => {
    if (tag === 9) result.quantile = reader.double()
    else if (tag === 17) result.value = reader.double()
    else reader.skip(tag)
  })
  return result
}

function writeMetric(writer: Writer, metric: MetricRecord): void {
  writer.message(2, () => {
    writer.string(1, metric.name)
    writer.string(2, metric.description)
    writer.string(3, metric.unit)
    writer.message(DATA_FIELDS[metric.data.type], () => writeData(writer, metric.data))
  })
}

const DATA_FIELDS = { gauge: 5, sum: 7, histogram: 9, exponentialHistogram: 10, summary: 11 } as const

function writeData(writer: Writer, data: MetricData): void {
  switch (data.type) {
    case 'gauge':
    case 'sum':
      for (const point of data.points) writeNumberPoint(writer, point)
      break
    case 'histogram':
      for (const point of data.points) writeHistogramPoint(writer, point)
      break
    case 'exponentialHistogram':
      for (const point of data.points) writeExponentialPoint(writer, point)
      break
    case 'summary':
      for (const point of data.points) writeSummaryPoint(writer, point)
      break
  }
  if ('temporality' in data) writer.uint(2, data.temporality === 'delta' ? 1 : 2)
  if (data.type === 'sum' && data.monotonic) writer.bool(3, true)
}

function writeNumberPoint(writer: Writer, point: NumberPoint): void {
  writer.message(1, () => {
    writer.fixed64(2, point.start)
    writer.fixed64(3, point.time)
    writer.double(4, point.value)
    writeExemplars(writer, 5, point.exemplars)
    writeAttributes(writer, 7, point.attributes)
    writer.uint(8, point.flags)
  })
}

function writeExemplars(writer: Writer, field: number, exemplars: readonly Exemplar[]): void {
  for (const exemplar of exemplars) {
    writer.message(field, () => {
      writer.fixed64(2, exemplar.time)
      writer.double(3, exemplar.value)
      writer.hex(4, exemplar.spanId)
      writer.hex(5, exemplar.traceId)
      writeAttributes(writer, 7, exemplar.attributes)
    })
  }
}

function optional(writer: Writer, field: number, value: number | undefined): void {
  if (value !== undefined) writer.double(field, value)
}

function writeHistogramPoint(writer: Writer, point: HistogramPoint): void {
  writer.message(1, () => {
    writer.fixed64(2, point.start)
    writer.fixed64(3, point.time)
    writer.fixed64(4, BigInt(point.count))
    optional(writer, 5, point.sum)
    writer.packedFixed64(6, point.counts)
    writer.packedDouble(7, point.bounds)
    writeExemplars(writer, 8, point.exemplars)
    writeAttributes(writer, 9, point.attributes)
    writer.uint(10, point.flags)
    optional(writer, 11, point.min)
    optional(writer, 12, point.max)
  })
}

function writeExponentialPoint(writer: Writer, point: ExponentialHistogramPoint): void {
  writer.message(1, () => {
    writeAttributes(writer, 1, point.attributes)
    writer.fixed64(2, point.start)
    writer.fixed64(3, point.time)
    writer.fixed64(4, BigInt(point.count))
    optional(writer, 5, point.sum)
    writer.sint32(6, point.scale)
    writer.fixed64(7, BigInt(point.zeroCount))
    writeBuckets(writer, 8, point.positive)
    writeBuckets(writer, 9, point.negative)
    writer.uint(10, point.flags)
    writeExemplars(writer, 11, point.exemplars)
    optional(writer, 12, point.min)
    optional(writer, 13, point.max)
    if (point.zeroThreshold !== 0) writer.double(14, point.zeroThreshold)
  })
}

function writeBuckets(writer: Writer, field: number, buckets: ExponentialBuckets): void {
  if (buckets.counts.length === 0 && buckets.offset === 0) return
  writer.message(field, () => {
    writer.sint32(1, buckets.offset)
    writer.packedUint(2, buckets.counts)
  })
}

function writeSummaryPoint(writer: Writer, point: SummaryPoint): void {
  writer.message(1, () => {
    writer.fixed64(2, point.start)
    writer.fixed64(3, point.time)
    writer.fixed64(4, BigInt(point.count))
    writer.double(5, point.sum)
    for (const { quantile, value } of point.quantiles) {
      writer.message(6, () => {
        writer.double(1, quantile)
        writer.double(2, value)
      })
    }
    writeAttributes(writer, 7, point.attributes)
    writer.uint(8, point.flags)
  })
}
