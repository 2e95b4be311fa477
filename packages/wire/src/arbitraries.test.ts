// What the property tests of this package draw from.
import type { Attributes, AttributeValue, ExceptionRecord, Exemplar, ExponentialHistogramPoint, HistogramPoint, MetricData, MetricRecord, NumberPoint, Resource, Scope, SpanRecord, SummaryPoint } from '@andon/model'
import { SPAN_KINDS, SPAN_STATUSES } from '@andon/model'
import fc, { type Arbitrary } from 'fast-check'

const text = fc.oneof(fc.string({ maxLength: 30 }), fc.string({ unit: 'grapheme', maxLength: 12 }), fc.constantFrom('__proto__', 'constructor', ''))
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff })
const time = fc.bigInt({ min: 0n, max: (1n << 63n) - 1n })
const count = fc.integer({ min: 0, max: 2 ** 50 })
const value = fc.double({ noNaN: true })

function hex(bytes: number): Arbitrary<string> {
  return fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((array) => Buffer.from(array).toString('hex'))
    .filter((id) => !/^0+$/.test(id))
}

const { attribute }: { attribute: Arbitrary<AttributeValue> } = fc.letrec((tie) => ({
  attribute: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.boolean(),
    value,
    fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
    fc.uint8Array({ maxLength: 10 }),
    fc.constant(null),
    fc.array(tie('attribute'), { maxLength: 3 }),
    fc.dictionary(text, tie('attribute'), { maxKeys: 3 }),
  ),
})) as { attribute: Arbitrary<AttributeValue> }

const attributes: Arbitrary<Attributes> = fc.dictionary(text, attribute, { maxKeys: 4 })
const resource: Arbitrary<Resource> = fc.record({ attributes, droppedAttributes: uint32, schemaUrl: text })
const scope: Arbitrary<Scope> = fc.record({ name: text, version: text, attributes, droppedAttributes: uint32, schemaUrl: text })

const link = fc.record({ traceId: hex(16), spanId: hex(8), traceState: text, flags: uint32, attributes, droppedAttributes: uint32 })
const event = fc.record({ time, name: text, attributes, droppedAttributes: uint32 })

export const span: Arbitrary<SpanRecord> = fc
  .record({
    traceId: hex(16),
    spanId: hex(8),
    parentSpanId: fc.oneof(fc.constant(''), hex(8)),
    traceState: text,
    flags: uint32,
    name: text,
    kind: fc.constantFrom(...SPAN_KINDS),
    start: time,
    length: fc.bigInt({ min: 0n, max: 1n << 40n }),
    attributes,
    droppedAttributes: uint32,
    events: fc.array(event, { maxLength: 3 }),
    droppedEvents: uint32,
    links: fc.array(link, { maxLength: 3 }),
    droppedLinks: uint32,
    status: fc.record({ code: fc.constantFrom(...SPAN_STATUSES), message: text }),
    resource,
    scope,
  })
  .map(({ length, ...rest }) => ({ ...rest, end: rest.start + length }))

const exemplar: Arbitrary<Exemplar> = fc.record({ time, value, traceId: fc.oneof(fc.constant(''), hex(16)), spanId: fc.oneof(fc.constant(''), hex(8)), attributes })
const point = { attributes, start: time, time, flags: fc.constantFrom(0, 1), exemplars: fc.array(exemplar, { maxLength: 2 }) }
const optional = fc.option(value, { nil: undefined })
const sized = { count, sum: optional, min: optional, max: optional }
const buckets = fc.record({ offset: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), counts: fc.array(count, { minLength: 1, maxLength: 5 }) })

const numberPoint: Arbitrary<NumberPoint> = fc.record({ ...point, value })
const histogramPoint: Arbitrary<HistogramPoint> = fc
  .uniqueArray(value, { maxLength: 4 })
  .map((bounds) => bounds.map((bound) => bound + 0).toSorted((a, b) => a - b))
  .filter((bounds) => bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] ?? 0)))
  .chain((bounds) => fc.record({ ...point, ...sized, bounds: fc.constant(bounds), counts: fc.array(count, { minLength: bounds.length + 1, maxLength: bounds.length + 1 }) }))
const exponentialPoint: Arbitrary<ExponentialHistogramPoint> = fc.record({
  ...point,
  ...sized,
  scale: fc.integer({ min: -10, max: 20 }),
  zeroCount: count,
  zeroThreshold: fc.double({ min: 0, max: 1, noNaN: true }),
  positive: buckets,
  negative: buckets,
})
const summaryPoint: Arbitrary<SummaryPoint> = fc.record({ ...point, exemplars: fc.constant([]), count, sum: value, quantiles: fc.array(fc.record({ quantile: value, value }), { maxLength: 3 }) })

const temporality = fc.constantFrom('delta' as const, 'cumulative' as const)
const list = <T>(of: Arbitrary<T>): Arbitrary<T[]> => fc.array(of, { maxLength: 3 })
const data: Arbitrary<MetricData> = fc.oneof(
  fc.record({ type: fc.constant('gauge' as const), points: list(numberPoint) }),
  fc.record({ type: fc.constant('sum' as const), monotonic: fc.boolean(), temporality, points: list(numberPoint) }),
  fc.record({ type: fc.constant('histogram' as const), temporality, points: list(histogramPoint) }),
  fc.record({ type: fc.constant('exponentialHistogram' as const), temporality, points: list(exponentialPoint) }),
  fc.record({ type: fc.constant('summary' as const), points: list(summaryPoint) }),
)
export const metric: Arbitrary<MetricRecord> = fc.record({ name: text, description: text, unit: text, data, resource, scope })

export const exception: Arbitrary<ExceptionRecord> = fc.record({
  time: time.filter((at) => at > 0n),
  type: text,
  message: text,
  stack: text,
  handled: fc.boolean(),
  traceId: fc.oneof(fc.constant(''), hex(16)),
  spanId: fc.oneof(fc.constant(''), hex(8)),
  attributes,
  resource,
  scope,
})

/** Records without the prototypes that plain objects have and decoded ones have not. */
export function plain(records: unknown): unknown {
  if (records instanceof Uint8Array) return Buffer.from(records).toString('hex')
  if (Array.isArray(records)) return records.map(plain)
  if (typeof records !== 'object' || records === null) return records
  return new Map(Object.entries(records).map(([key, each]) => [key, plain(each)]))
}
