import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AndonError } from '@andon/model'
import fc from 'fast-check'
import { decodeZipkin, encodeZipkin } from './zipkin.ts'

/** As Zipkin's documentation shows it, with what its libraries send besides. */
const SPAN = {
  id: '352bff9a74ca9ad2',
  traceId: '5af7183fb1d4cf5f',
  parentId: '6b221d5bc9e6496c',
  name: 'get /api',
  kind: 'CLIENT',
  timestamp: 1_556_604_172_355_737,
  duration: 1431,
  localEndpoint: { serviceName: 'backend', ipv4: '192.168.99.1', port: 3306 },
  remoteEndpoint: { serviceName: 'mysql', ipv4: '172.19.0.2', port: 58_648 },
  annotations: [{ timestamp: 1_556_604_172_355_800, value: 'ws' }],
  tags: { 'http.method': 'GET', error: 'timeout', 'otel.scope.name': 'brave' },
  debug: true,
  shared: true,
}

test('a span of Zipkin is ours', () => {
  const [span] = decodeZipkin(JSON.stringify([SPAN]))
  assert.ok(span !== undefined)
  assert.deepEqual([span.traceId, span.spanId, span.parentSpanId, span.kind, span.name], ['00000000000000005af7183fb1d4cf5f', SPAN.id, SPAN.parentId, 'client', 'get /api'])
  assert.deepEqual([span.start, span.end - span.start], [1_556_604_172_355_737_000n, 1_431_000n])
  assert.deepEqual({ ...span.attributes }, { 'http.method': 'GET', 'service.peer.name': 'mysql', 'network.peer.address': '172.19.0.2', 'network.peer.port': 58_648n, 'zipkin.shared': true })
  assert.deepEqual(span.status, { code: 'error', message: 'timeout' })
  assert.deepEqual(span.events, [{ time: 1_556_604_172_355_800_000n, name: 'ws', attributes: {}, droppedAttributes: 0 }])
  assert.deepEqual([span.resource.attributes, span.scope.name], [{ 'service.name': 'backend', 'host.ip': ['192.168.99.1'] }, 'brave'])
})

test('a server span that shares the id of its client says so, both ways', () => {
  const [span] = decodeZipkin(JSON.stringify([{ ...SPAN, kind: 'SERVER' }]))
  assert.equal(span?.attributes['zipkin.shared'], true)
  const written = encodeZipkin(span)
  assert.deepEqual([written.shared, written.tags['zipkin.shared']], [true, undefined])
})

test('spans of one service share its resource', () => {
  const [a, b, c] = decodeZipkin(JSON.stringify([SPAN, { ...SPAN, id: '1' }, { ...SPAN, id: '2', localEndpoint: { serviceName: 'other' } }]))
  assert.equal(a?.resource, b?.resource)
  assert.notEqual(a?.resource, c?.resource)
})

const hex = (digits: number): fc.Arbitrary<string> => fc.stringMatching(new RegExp(`^[1-9a-f][0-9a-f]{${digits - 1}}$`))
const word = fc.stringMatching(/^[a-z][a-z.]{0,10}$/)

/** As it is after its way through JSON. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

test('what is written is read back', () => {
  const zipkin = fc.record({
    traceId: hex(32),
    id: hex(16),
    parentId: hex(16),
    name: word,
    kind: fc.constantFrom('CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER'),
    timestamp: fc.integer({ min: 1, max: 2 ** 51 }),
    duration: fc.integer({ min: 1, max: 1e9 }),
    localEndpoint: fc.record({ serviceName: word }),
    remoteEndpoint: fc.record({ serviceName: word, ipv6: fc.constant('::1'), port: fc.integer({ min: 1, max: 65_535 }) }),
    annotations: fc.array(fc.record({ timestamp: fc.integer({ min: 1, max: 2 ** 51 }), value: word }), { maxLength: 3 }),
    tags: fc.dictionary(word.map((key) => `x.${key}`), fc.string(), { maxKeys: 5 }),
    shared: fc.constantFrom(true, undefined),
  })
  fc.assert(fc.property(fc.array(zipkin, { maxLength: 4 }), (spans) => assert.deepEqual(plain(decodeZipkin(JSON.stringify(spans)).map(encodeZipkin)), plain(spans))))
})

test('what is wrong is named', () => {
  for (const [value, problem] of [
    ['{', /not JSON/],
    ['{}', /a list of spans/],
    [[1], /zipkin\[0\]: an object/],
    [[SPAN, { ...SPAN, traceId: 'x' }], /zipkin\[1\]\.traceId: up to 32 hex digits/],
    [[{ ...SPAN, id: '0000000000000000' }], /zipkin\[0\]\.id/],
    [[{ ...SPAN, kind: 'OTHER' }], /zipkin\[0\]\.kind: CLIENT/],
    [[{ ...SPAN, duration: -1 }], /zipkin\[0\]\.duration/],
    [[{ ...SPAN, tags: { a: 1 } }], /zipkin\[0\]\.tags\.a: text/],
    [[{ ...SPAN, timestamp: 'soon' }], /zipkin\[0\]\.timestamp/],
  ] as const) {
    assert.throws(() => decodeZipkin(typeof value === 'string' ? value : JSON.stringify(value)), (error) => error instanceof AndonError && error.code === 'bad_body' && problem.test(error.message))
  }
})
