// What is sent to do harm: few bytes that stand for much, and records that cannot be meant beside others that can.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AndonError, type MetricRecord, type SpanRecord } from '@andon/model'
import { decodeExceptions, decodeMetrics, decodeMetricsJson, decodePprof, decodeSpans, decodeSpansJson, decodeWriteRequest, decodeWriteRequest2, decodeZipkin, encodeMetrics, encodeMetricsJson, encodeSpans, encodeSpansJson, parsePrometheusText } from './index.ts'
import { Writer } from './protobuf.ts'

/** A message whose field holds bytes, as a field of another. */
function nested(fields: readonly number[], content: Uint8Array): Uint8Array {
  return fields.toReversed().reduce((inner, field) => {
    const writer = new Writer(inner.length + 16)
    writer.raw(field, inner)
    return writer.bytes().slice()
  }, content)
}

/** Two bytes, again and again: an empty message of a field. */
function empties(field: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count * 2)
  for (let index = 0; index < bytes.length; index += 2) bytes[index] = (field << 3) | 2
  return bytes
}

function code(decode: () => unknown): string {
  try {
    decode()
  } catch (error) {
    return error instanceof AndonError ? error.code : String(error)
  }
  return 'taken'
}

const MANY = 1_100_000

test('more parts than a request may have are refused while they are read, whatever they are', () => {
  const tooLarge: readonly (readonly [string, () => unknown])[] = [
    ['log records', () => decodeExceptions(nested([1, 2], empties(2, MANY)))],
    ['points', () => decodeMetrics(nested([1, 2, 2, 5], empties(1, MANY)))],
    ['exemplars', () => decodeMetrics(nested([1, 2, 2, 5, 1], empties(5, MANY)))],
    ['quantiles', () => decodeMetrics(nested([1, 2, 2, 11, 1], empties(6, MANY)))],
    ['events of a span', () => decodeSpans(nested([1, 2, 2], empties(11, MANY)))],
    ['links of a span', () => decodeSpans(nested([1, 2, 2], empties(13, MANY)))],
    ['attributes of a resource', () => decodeSpans(nested([1, 1], empties(1, MANY)))],
    ['values of a list', () => decodeSpans(nested([1, 1, 1, 2, 5], empties(1, MANY)))],
    ['series', () => decodeWriteRequest(empties(1, MANY))],
    ['samples', () => decodeWriteRequest(nested([1], empties(2, MANY)))],
    ['texts of a table', () => decodeWriteRequest2(empties(4, MANY))],
    ['samples of a profile', () => decodePprof(empties(2, MANY))],
    ['texts of a profile', () => decodePprof(empties(6, MANY))],
    ['bucket counts', () => decodeMetrics(nested([1, 2, 2, 10, 1, 8, 2], new Uint8Array(8_100_000)))],
  ]
  for (const [what, decode] of tooLarge) assert.equal(code(decode), 'too_large', what)
})

const millions = (part: string): string => `[${Array.from({ length: 4_100_000 }, () => part).join(',')}]`

test('more of JSON than a request may have is refused before it is parsed', () => {
  for (const part of ['{}', '[]']) {
    assert.equal(code(() => decodeSpansJson(`{"resourceSpans":${millions(part)}}`)), 'too_large', part)
    assert.equal(code(() => decodeZipkin(millions(part))), 'too_large', part)
  }
  assert.equal(code(() => decodeSpansJson('['.repeat(5_000_000))), 'too_large')
  assert.equal(code(() => decodeSpansJson('['.repeat(500_000))), 'bad_body')
})

const resource = { attributes: { 'service.name': 'shop' }, droppedAttributes: 0, schemaUrl: '' }
const scope = { name: '', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }
const span: SpanRecord = {
  traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), parentSpanId: '', traceState: '', flags: 0, name: 'good', kind: 'server', start: 2n, end: 3n, attributes: {}, droppedAttributes: 0,
  events: [], droppedEvents: 0, links: [], droppedLinks: 0, status: { code: 'unset', message: '' }, resource, scope,
}
const link = { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), traceState: '', flags: 0, attributes: {}, droppedAttributes: 0 }

test('of spans, those whose ids are none are left out and told, or refuse the request where nobody is to be told', () => {
  const wrong: readonly (readonly [Partial<SpanRecord>, RegExp])[] = [
    [{ traceId: '' }, /has no trace id or no span id/],
    [{ traceId: '0'.repeat(32) }, /has no trace id or no span id/],
    [{ spanId: '0'.repeat(16) }, /has no trace id or no span id/],
    [{ traceId: 'a'.repeat(16) }, /the trace id must be 16 bytes, not 8/],
    [{ spanId: 'b'.repeat(32) }, /the span id must be 8 bytes, not 16/],
    [{ parentSpanId: 'b'.repeat(14) }, /the parent id must be 8 bytes, not 7/],
    [{ links: [link, { ...link, spanId: 'd'.repeat(4) }] }, /the span id of a link must be 8 bytes, not 2/],
  ]
  const spans = wrong.flatMap(([more]) => [{ ...span, ...more, name: 'bad' }, span])
  for (const [decode, encode] of [[decodeSpans, encodeSpans], [(text: Uint8Array, refuse?: (told: string) => void) => decodeSpansJson(new TextDecoder().decode(text), refuse), (records: readonly SpanRecord[]) => new TextEncoder().encode(encodeSpansJson(records))]] as const) {
    const told: string[] = []
    const kept = decode(encode(spans), (problem) => void told.push(problem))
    assert.deepEqual(kept.map(({ name }) => name), wrong.map(() => 'good'))
    assert.equal(told.length, wrong.length)
    wrong.forEach(([, problem], index) => assert.match(told[index] ?? '', problem))
    assert.throws(() => decode(encode(spans)), { code: 'bad_body' })
  }
  // Zeros stand for no parent and no span; an end before the start is the start.
  const [zeros] = decodeSpans(encodeSpans([{ ...span, parentSpanId: '0'.repeat(16), end: 1n, links: [{ ...link, spanId: '0'.repeat(16) }] }]))
  assert.deepEqual([zeros?.parentSpanId, zeros?.end, zeros?.links[0]?.spanId], ['', 2n, ''])
})

test('an id of a million bytes is read no further than it is seen to be none', () => {
  const told: string[] = []
  assert.deepEqual(decodeSpans(nested([1, 2, 2, 1], new Uint8Array(1_000_000).fill(7)), (problem) => void told.push(problem)), [])
  assert.match(told.join(), /has no trace id or no span id/)
})

test('of histograms, points whose counts and bounds do not fit are left out and told', () => {
  const point = { attributes: {}, start: 0n, time: 1n, flags: 0, exemplars: [], count: 3, sum: 1, min: undefined, max: undefined, bounds: [1, 2], counts: [1, 1, 1] }
  const metric: MetricRecord = { name: 'wait', description: '', unit: 's', resource, scope, data: { type: 'histogram', temporality: 'delta', points: [{ ...point, counts: [1, 2] }, point, { ...point, bounds: [2, 1] }, { ...point, bounds: [1, 1] }] } }
  for (const decode of [(refuse?: (told: string) => void) => decodeMetrics(encodeMetrics([metric]), refuse), (refuse?: (told: string) => void) => decodeMetricsJson(encodeMetricsJson([metric]), refuse)]) {
    const told: string[] = []
    const [kept] = decode((problem) => void told.push(problem))
    assert.equal(kept?.data.points.length, 1)
    assert.equal(told.length, 3)
    assert.match(told[0] ?? '', /^wait: a histogram has 2 bucket counts for 2 bounds/)
    assert.throws(() => decode(), { code: 'bad_body' })
  }
})

test('ids of exemplars and log records that are none are left out, and the rest is kept', () => {
  const point = new Writer()
  point.message(5, () => {
    point.double(3, 4)
    point.raw(4, Uint8Array.of(1, 2))
    point.raw(5, new Uint8Array(16).fill(5))
  })
  const [metric] = decodeMetrics(nested([1, 2, 2, 5, 1], point.bytes().slice()))
  assert.deepEqual(metric?.data.points[0]?.exemplars.map(({ value, traceId, spanId }) => [value, traceId, spanId]), [[4, '05'.repeat(16), '']])
  const log = new Writer()
  log.fixed64(1, 7n)
  log.message(6, () => {
    log.text(1, 'exception.type')
    log.message(2, () => log.text(1, 'E'))
  })
  log.raw(9, Uint8Array.of(1, 2, 3))
  const { exceptions } = decodeExceptions(nested([1, 2, 2], log.bytes().slice()))
  assert.deepEqual(exceptions.map(({ type, traceId }) => [type, traceId]), [['E', '']])
})

const zipkin = (more: object): string => JSON.stringify([{ traceId: '1', id: '2', timestamp: 1, ...more }])

test('what is no time in Zipkin is named', () => {
  for (const more of [{ duration: -1 }, { duration: 'NaN' }, { timestamp: 'Infinity' }, { timestamp: -5 }, { annotations: [{ timestamp: 'NaN', value: 'x' }] }]) {
    assert.throws(() => decodeZipkin(zipkin(more)), { code: 'bad_body', message: /a number of microseconds that is not negative is expected/ })
  }
  assert.equal(code(() => decodeZipkin(zipkin({}).replace('"timestamp":1', '"timestamp":1e400'))), 'bad_body')
})

const profile = (lines: number, samples: number, name: string): Uint8Array => {
  const writer = new Writer()
  for (const text of ['', 'cpu', 'nanoseconds', name]) writer.text(6, text)
  writer.message(1, () => (writer.uint(1, 1), writer.uint(2, 2)))
  writer.message(5, () => (writer.uint(1, 1), writer.uint(2, 3)))
  writer.message(4, () => {
    writer.uint(1, 1)
    for (let line = 0; line < lines; line += 1) writer.message(4, () => writer.uint(1, 1))
  })
  for (let sample = 0; sample < samples; sample += 1) writer.message(2, () => (writer.packedUint(1, [1, 1, 1]), writer.uint(2, 1)))
  return writer.bytes()
}

test('a profile whose few bytes refer to many inlined calls, or to long names, is refused; its stacks have 512 frames at most', () => {
  const [deep] = decodePprof(profile(100_000, 1, 'f')).samples
  assert.equal(deep?.stack.length, 512)
  assert.equal(code(() => decodePprof(profile(600, 20_000, 'f'))), 'too_large')
  assert.equal(code(() => decodePprof(profile(100, 9000, 'f'.repeat(5000)))), 'too_large')
  assert.equal(decodePprof(profile(1, 1, 'f'.repeat(5000))).samples[0]?.stack[0]?.name.length, 1024)
})

test('a text of metrics is read line by line, up to its limit', () => {
  assert.deepEqual(parsePrometheusText('\n'.repeat(5_000_000)), [])
  assert.throws(() => parsePrometheusText('a 1\n'.repeat(101), 100), { code: 'too_large' })
  assert.throws(() => parsePrometheusText(Array.from({ length: 101 }, (_, index) => `# HELP a${index} b\n`).join(''), 100), { code: 'too_large' })
  assert.equal(parsePrometheusText('a 1\n'.repeat(100), 100).length, 1)
  // Tried again from each of its characters, such a line would take hours.
  const [family] = parsePrometheusText(`# HELP ${'a'.repeat(1_000_000)}\rb\rc\nx 1\n`)
  assert.equal(family?.name.length, 1_000_000)
})

const histogram = (write: (writer: Writer) => void): Uint8Array => {
  const writer = new Writer()
  writer.message(1, () => writer.message(4, () => write(writer)))
  return writer.bytes()
}

test('a native histogram counts what can be counted', () => {
  for (const count of [Number.NaN, Infinity, -1]) {
    const bytes = histogram((writer) => {
      writer.message(11, () => writer.uint(2, 1))
      writer.packedDouble(13, [count])
    })
    const [series] = decodeWriteRequest(bytes).series
    assert.deepEqual([series?.histograms, series?.refused], [[], { count: 1, why: `a bucket of a histogram counts ${count}` }])
  }
})
