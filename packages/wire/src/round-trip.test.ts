import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { AndonError } from '@andon/model'
import fc, { type Arbitrary } from 'fast-check'
import { exception, metric, plain, span } from './arbitraries.test.ts'
import * as wire from './index.ts'

function roundTrip<T>(name: string, of: Arbitrary<T>, encode: (records: T[]) => Uint8Array | string, decode: (encoded: never) => unknown): void {
  test(`${name}: what is decoded equals what was encoded`, () => {
    fc.assert(fc.property(fc.array(of, { maxLength: 4 }), (records) => assert.deepEqual(plain(decode(encode(records) as never)), plain(records))), { numRuns: 300 })
  })
}

roundTrip('spans, protobuf', span, wire.encodeSpans, wire.decodeSpans)
roundTrip('spans, JSON', span, wire.encodeSpansJson, wire.decodeSpansJson)
roundTrip('metrics, protobuf', metric, wire.encodeMetrics, wire.decodeMetrics)
roundTrip('metrics, JSON', metric, wire.encodeMetricsJson, wire.decodeMetricsJson)
roundTrip('exceptions, protobuf', exception, wire.encodeExceptions, (bytes) => wire.decodeExceptions(bytes).exceptions)
roundTrip('exceptions, JSON', exception, wire.encodeExceptionsJson, (text) => wire.decodeExceptionsJson(text).exceptions)

const decoders = [wire.decodeSpans, wire.decodeMetrics, wire.decodeExceptions, wire.decodeExportResponse]
const jsonDecoders = [wire.decodeSpansJson, wire.decodeMetricsJson, wire.decodeExceptionsJson]

function onlyAndonErrors(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof AndonError && error.code === 'bad_body', String(error))
  }
}

test('any bytes are decoded or refused with a code', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => decoders.forEach((decode) => onlyAndonErrors(() => decode(bytes)))), { numRuns: 2000 })
})

test('every beginning, and every change of one byte, of a request is decoded or refused with a code', () => {
  fc.assert(
    fc.property(span, metric, exception, fc.nat(), fc.nat({ max: 255 }), (aSpan, aMetric, anException, at, byte) => {
      const requests = [wire.encodeSpans([aSpan]), wire.encodeMetrics([aMetric]), wire.encodeExceptions([anException])]
      requests.forEach((request, index) => {
        const decode = decoders[index] ?? assert.fail()
        for (let end = 0; end < request.length; end += 1 + (end >> 4)) onlyAndonErrors(() => decode(request.subarray(0, end)))
        const changed = request.slice()
        changed[at % changed.length] = byte
        onlyAndonErrors(() => decode(changed))
      })
    }),
    { numRuns: 100 },
  )
})

test('any JSON is decoded or refused with a code', () => {
  const shaped = fc.record({ resourceSpans: fc.jsonValue(), resourceMetrics: fc.jsonValue(), resourceLogs: fc.jsonValue() })
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), shaped.map((object) => JSON.stringify(object))), (text) => {
      for (const decode of jsonDecoders) onlyAndonErrors(() => decode(text))
    }),
    { numRuns: 1000 },
  )
})

test('a refusal of JSON names the path', () => {
  const text = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: 17 }] }] }] })
  assert.throws(() => wire.decodeSpansJson(text), /spans\.resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[0\]\.traceId: text is expected/)
})

test('attributes nested without end are refused, not followed', () => {
  const depth = 5000
  const value = `${'{"arrayValue":{"values":['.repeat(depth)}{"intValue":"1"}${']}}'.repeat(depth)}`
  const text = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[{"key":"a","value":${value}}]}]}]}]}`
  assert.throws(() => wire.decodeExceptionsJson(text), { code: 'bad_body' })
})

interface Message {
  decode(bytes: Uint8Array): unknown
  encode(object: unknown): { finish(): Uint8Array }
  fromObject(object: unknown): unknown
  toObject(message: unknown, options: object): object
}
interface Service {
  readonly v1: Readonly<Record<string, Message>>
}
interface Official {
  readonly opentelemetry: { readonly proto: { readonly collector: { readonly trace: Service; readonly metrics: Service; readonly logs: Service } } }
}
const { collector } = (createRequire(import.meta.url)('@opentelemetry/otlp-transformer/build/src/generated/root.js') as Official).opentelemetry.proto

function official<T>(name: string, message: Message, of: Arbitrary<T>, encode: (records: T[]) => Uint8Array, decode: (bytes: Uint8Array) => unknown): void {
  test(`${name}: an official decoder reads our bytes, and we read what its encoder makes of them`, () => {
    fc.assert(
      fc.property(fc.array(of, { maxLength: 3 }), (records) => {
        const theirs = message.decode(encode(records))
        const again = Uint8Array.from(message.encode(theirs).finish())
        assert.deepEqual(plain(decode(again)), plain(records))
      }),
      { numRuns: 200 },
    )
  })
}

official('spans', collector.trace.v1['ExportTraceServiceRequest'] ?? assert.fail(), span, wire.encodeSpans, wire.decodeSpans)
official('metrics', collector.metrics.v1['ExportMetricsServiceRequest'] ?? assert.fail(), metric, wire.encodeMetrics, wire.decodeMetrics)
official('exceptions', collector.logs.v1['ExportLogsServiceRequest'] ?? assert.fail(), exception, wire.encodeExceptions, (bytes) => wire.decodeExceptions(bytes).exceptions)

test('the answer to a request says what was not taken', () => {
  assert.equal(wire.encodeExportResponse({ rejected: 0, message: '' }).length, 0)
  const answer = { rejected: 3, message: 'three points lie in the future' }
  assert.deepEqual(wire.decodeExportResponse(wire.encodeExportResponse(answer)), answer)
  assert.deepEqual(JSON.parse(wire.exportResponseJson(answer, 'metrics')), { partialSuccess: { rejectedDataPoints: '3', errorMessage: answer.message } })
})
