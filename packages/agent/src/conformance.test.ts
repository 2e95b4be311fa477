// What is recorded through OpenTelemetry's API, read from our bytes by OpenTelemetry's own decoder.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test, type TestContext } from 'node:test'
import { type Attributes, ROOT_CONTEXT, type Span, type SpanContext, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api'
import fc from 'fast-check'
import { Exporter } from './exporter.ts'
import { AgentMeterProvider } from './metrics/meter.ts'
import { readOptions } from './options.ts'
import { type Receiver, startReceiver } from './otlp-receiver.test.ts'
import { Sampler } from './sampler.ts'
import { AgentTracerProvider } from './tracer.ts'

interface Message {
  decode(bytes: Uint8Array): unknown
  toObject(message: unknown, options: object): unknown
}
interface Official {
  readonly opentelemetry: { readonly proto: { readonly collector: Record<'trace' | 'metrics', { readonly v1: Readonly<Record<string, Message>> }> } }
}
const { collector } = (createRequire(import.meta.url)('@opentelemetry/otlp-transformer/build/src/generated/root.js') as Official).opentelemetry.proto

interface KeyValue {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}
interface DecodedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly KeyValue[]
  readonly events: readonly { readonly name: string; readonly timeUnixNano: string; readonly attributes: readonly KeyValue[] }[]
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly status?: { readonly code?: number; readonly message?: string }
}
interface Buckets {
  readonly offset?: number
  readonly bucketCounts: readonly string[]
}
interface DecodedMetric {
  readonly name: string
  readonly exponentialHistogram?: { readonly dataPoints: readonly { readonly count: string; readonly sum: number; readonly scale?: number; readonly zeroCount?: string; readonly positive?: Buckets | null; readonly negative?: Buckets | null; readonly min: number; readonly max: number }[] }
}

function decoded<T>(receiver: Receiver, path: string, message: Message | undefined, lists: readonly [string, string, string]): T[] {
  assert.ok(message)
  const all: T[] = []
  for (const { body } of receiver.of(path)) {
    const object: unknown = message.toObject(message.decode(body), { longs: String, bytes: String, defaults: false, arrays: true })
    for (const resource of listOf(object, lists[0])) for (const scope of listOf(resource, lists[1])) all.push(...(listOf(scope, lists[2]) as T[]))
  }
  return all
}

function listOf(value: unknown, key: string): readonly unknown[] {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
  return Array.isArray(found) ? found : []
}

function hexOf(base64: string | undefined): string {
  return Buffer.from(base64 ?? '', 'base64').toString('hex')
}

/** OTLP's form of a value of the API. */
function otlp(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number') return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
  return { arrayValue: { values: Array.isArray(value) ? value.map(otlp) : [] } }
}

function asMap(attributes: readonly KeyValue[]): ReadonlyMap<string, unknown> {
  return new Map(attributes.map(({ key, value }) => [key, value]))
}

function expected(attributes: Attributes): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(attributes).map(([key, value]) => [key, otlp(value)]))
}

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
// Negative zero is a whole number for OTLP's int64, which has no sign of zero.
const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })).map((value) => (value === 0 ? 0 : value))
const value = fc.oneof(text, number, fc.boolean(), fc.array(text, { maxLength: 3 }), fc.array(number, { maxLength: 3 }), fc.array(fc.boolean(), { maxLength: 3 }))
const attributes: fc.Arbitrary<Attributes> = fc.dictionary(text.map((key) => `a.${key}`).filter((key) => !/pass|secret|token|authorization|cookie|key|credential/i.test(key)), value, { maxKeys: 6 })

interface Recording {
  readonly name: string
  readonly kind: SpanKind
  readonly attributes: Attributes
  readonly later: Attributes
  readonly events: readonly (readonly [string, Attributes, number])[]
  readonly status: { readonly code: SpanStatusCode; readonly message: string } | undefined
  readonly startMs: number
  readonly lengthMs: number
  readonly linked: boolean
}

// Not before the start of the process, where the recorder's clock begins.
const ms = fc.integer({ min: 0, max: 1e9 }).map((since) => Math.ceil(performance.timeOrigin) + since)
const recording: fc.Arbitrary<Recording> = fc.record({
  name: text,
  kind: fc.constantFrom(SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER),
  attributes,
  later: attributes,
  events: fc.array(fc.tuple(text, attributes, ms), { maxLength: 3 }),
  status: fc.option(fc.record({ code: fc.constantFrom(SpanStatusCode.OK, SpanStatusCode.ERROR), message: text }), { nil: undefined }),
  startMs: ms,
  lengthMs: fc.integer({ min: 0, max: 100_000 }),
  linked: fc.boolean(),
})

function exporterTo(t: TestContext, receiver: Receiver): { readonly exporter: Exporter; readonly meters: AgentMeterProvider } {
  const meters = new AgentMeterProvider()
  const exporter = new Exporter(readOptions({ endpoint: receiver.url }, {}), { attributes: { 'service.name': 'test' }, droppedAttributes: 0, schemaUrl: '' }, meters)
  t.after(() => exporter.stop())
  return { exporter, meters }
}

function record(tracer: Tracer, each: Recording, above: Span | undefined): Span {
  const links = each.linked && above !== undefined ? [{ context: above.spanContext() }] : []
  const span = tracer.startSpan(each.name, { kind: each.kind, attributes: each.attributes, startTime: new Date(each.startMs), links }, above === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, above))
  span.setAttributes(each.later)
  for (const [name, with_, at] of each.events) span.addEvent(name, with_, new Date(at))
  if (each.status !== undefined) span.setStatus(each.status)
  return span
}

function check(found: DecodedSpan, each: Recording, { traceId }: SpanContext, above: SpanContext | undefined): void {
  assert.deepEqual([hexOf(found.traceId), hexOf(found.parentSpanId), found.name, found.kind], [traceId, above?.spanId ?? '', each.name, each.kind + 1])
  assert.deepEqual(asMap(found.attributes), expected({ ...each.attributes, ...each.later }))
  assert.deepEqual(
    found.events.map((event) => [event.name, asMap(event.attributes), event.timeUnixNano]),
    each.events.map(([name, with_, at]) => [name, expected(with_), `${at}000000`]),
  )
  assert.deepEqual(found.links.map((link) => hexOf(link.spanId)), each.linked && above !== undefined ? [above.spanId] : [])
  assert.deepEqual({ code: 0, message: '', ...found.status }, { code: 0, message: '', ...each.status })
  const times = [
    [BigInt(found.startTimeUnixNano), BigInt(each.startMs) * 1_000_000n],
    [BigInt(found.endTimeUnixNano) - BigInt(found.startTimeUnixNano), BigInt(each.lengthMs) * 1_000_000n],
  ] as const
  // The recorder's clock counts milliseconds as a fraction: good to a microsecond.
  for (const [is, should] of times) assert.ok(is - should <= 2000n && should - is <= 2000n, `${is} ${should}`)
}

test('spans: ids, parents, kinds, times, attributes, events, links and status', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const { exporter } = exporterTo(t, receiver)
  const tracer = new AgentTracerProvider(new Sampler({ parentBased: true, ratio: 1 }), (of) => exporter.spans.sinkOf(of)).getTracer('t')
  const recordings = fc.sample(recording, 300)
  const made: Span[] = []
  for (const [index, each] of recordings.entries()) made.push(record(tracer, each, index % 3 === 0 ? undefined : made[index - 1]))
  for (const [index, span] of made.entries()) span.end(new Date((recordings[index]?.startMs ?? 0) + (recordings[index]?.lengthMs ?? 0)))
  await exporter.flush(20_000)

  const spans = new Map(decoded<DecodedSpan>(receiver, '/v1/traces', collector.trace.v1['ExportTraceServiceRequest'], ['resourceSpans', 'scopeSpans', 'spans']).map((span) => [hexOf(span.spanId), span]))
  assert.equal(spans.size, recordings.length)
  for (const [index, each] of recordings.entries()) {
    const span = made[index]?.spanContext() ?? assert.fail()
    check(spans.get(span.spanId) ?? assert.fail(), each, span, index % 3 === 0 ? undefined : made[index - 1]?.spanContext())
  }
})

/** The bucket of the data model: (base^index, base^(index + 1)], base = 2^(2^-scale). Undefined where a double cannot tell. */
function indexOf(magnitude: number, scale: number): number | undefined {
  const exact = Math.log2(magnitude) * 2 ** scale
  const isPower = Number.isInteger(Math.log2(magnitude)) && 2 ** Math.log2(magnitude) === magnitude
  if (!isPower && Math.abs(exact - Math.round(exact)) < 1e-6) return undefined
  return Math.ceil(exact) - 1
}

function countsOf({ offset = 0, bucketCounts }: Buckets): ReadonlyMap<number, number> {
  return new Map(bucketCounts.flatMap((count, index): [number, number][] => (count === '0' ? [] : [[offset + index, Number(count)]])))
}

test('exponential histograms: every value lies in the bucket of the data model at the scale that is told; powers of two and subnormals too', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const { exporter, meters } = exporterTo(t, receiver)
  const magnitude = fc.oneof(fc.double({ min: 1e-4, max: 100, noNaN: true }), fc.double({ min: Number.MIN_VALUE, noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -1074, max: 1023 }).map((exponent) => 2 ** exponent), fc.double({ min: Number.MIN_VALUE, max: 2 ** -1022, noNaN: true }))
  const one = fc.tuple(magnitude, fc.constantFrom(1, 1, 1, -1, 0)).map(([size, sign]) => size * sign + 0)
  const sets = [...fc.sample(fc.array(one, { minLength: 1, maxLength: 40 }), 200), ...fc.sample(fc.array(fc.double({ min: 0.001, max: 0.5, noNaN: true }), { minLength: 1, maxLength: 200 }), 50)]
  const meter = meters.getMeter('t')
  for (const [index, values] of sets.entries()) {
    const histogram = meter.createHistogram(`h${index}`)
    for (const each of values) histogram.record(each)
  }
  await exporter.flush(20_000)
  const found = new Map(decoded<DecodedMetric>(receiver, '/v1/metrics', collector.metrics.v1['ExportMetricsServiceRequest'], ['resourceMetrics', 'scopeMetrics', 'metrics']).map((metric) => [metric.name, metric]))
  let checked = 0
  for (const [index, values] of sets.entries()) {
    const point = found.get(`h${index}`)?.exponentialHistogram?.dataPoints[0] ?? assert.fail(`h${index} is missing`)
    assert.deepEqual([point.count, point.zeroCount ?? '0', point.min, point.max], [String(values.length), String(values.filter((each) => each === 0).length), Math.min(...values), Math.max(...values)])
    for (const [buckets, sign] of [[point.positive, 1], [point.negative, -1]] as const) {
      const indexes = values.filter((each) => each * sign > 0).map((each) => indexOf(each * sign, point.scale ?? 0))
      if (indexes.includes(undefined)) continue
      const wanted = new Map<number, number>()
      for (const each of indexes) wanted.set(Number(each), (wanted.get(Number(each)) ?? 0) + 1)
      assert.deepEqual(buckets === undefined || buckets === null ? new Map() : new Map([...countsOf(buckets)].toSorted((a, b) => a[0] - b[0])), new Map([...wanted].toSorted((a, b) => a[0] - b[0])), `scale ${point.scale}: ${values.join()}`)
      checked += 1
    }
  }
  assert.ok(checked > 200)
})
