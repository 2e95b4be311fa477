// What is sent to do harm, on every way in, to a whole server: each is answered with status, code and hint, holds no memory after it,
// and loses nothing of what others send.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import type { AttributeValue, MetricRecord, SpanRecord } from '@andon/model'
import { encodeExceptions, encodeMetrics, encodePprof, encodeSpans, encodeSpansJson } from '@andon/wire'
import fc from 'fast-check'
import { App } from './app.ts'
import { readOptions } from './config.ts'
import { silentLog } from './runtime/log.ts'

const MIB = 1024 * 1024
const dataDir = mkdtempSync(join(tmpdir(), 'andon-hostile-'))

/** Targets that answer badly, by their path. */
const bad: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/drip': (response) => {
    response.writeHead(200)
    // A character a second would take hours.
    const drip = setInterval(() => response.write('a'), 50)
    response.on('close', () => clearInterval(drip))
  },
  '/bomb': (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(20 * MIB, '\n'))),
  '/many': (response) => response.end('a 1\n'.repeat(60_000)),
  '/times': (response) => response.end('a_total{x="1"} 1 # {trace_id="ab"} 1 NaN\na_total{x="2"} 1 # {trace_id="ab"} 1 1e300\nb{le="1"} 1 NaN\n# EOF\n'),
  '/labels': (response) => response.end(`a{${Array.from({ length: 200 }, (_, index) => `l${index}="x"`).join(',')}} 1\ngood_gauge 7\nb{c="${'x'.repeat(9000)}"} 1\n`),
  '/cut': (response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('a 1\n')
    setTimeout(() => response.destroy(), 20)
  },
}
const target = createHttpServer((request, response) => (bad[request.url ?? ''] ?? ((other) => other.writeHead(404).end()))(response))
await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
const targetAddress = target.address()
const targetHost = `127.0.0.1:${typeof targetAddress === 'object' && targetAddress !== null ? targetAddress.port : 0}`

const options = readOptions({ flags: { 'listen.port': '0', 'listen.grpc_port': '0', data_dir: dataDir } })
const scrape = Object.keys(bad).map((path) => ({ job: path.slice(1), targets: [targetHost], scheme: 'http' as const, path, intervalMs: 2000, timeoutMs: 1500, labels: {}, headers: {}, sampleLimit: 50_000 }))
/** Small ones, so that what is past them is made quickly. */
const limits = { ...options.limits, bodyBytes: MIB, inflatedBytes: 16 * MIB, queueBytes: 64 * MIB }
const app = new App({ ...options, scrape, limits }, { log: silentLog })
await app.start()
after(async () => {
  await app.stop()
  target.closeAllConnections()
  target.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const now = (): bigint => BigInt(Date.now()) * 1_000_000n
const resource = { attributes: { 'service.name': 'shop' }, droppedAttributes: 0, schemaUrl: '' }
const scope = { name: '', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }
let spans = 0

function spanOf(more: Partial<SpanRecord> = {}): SpanRecord {
  spans += 1
  return {
    traceId: spans.toString(16).padStart(32, 'a'), spanId: 'b'.repeat(16), parentSpanId: '', traceState: '', flags: 0, name: 'good', kind: 'server', start: now(), end: now(), attributes: {}, droppedAttributes: 0,
    events: [], droppedEvents: 0, links: [], droppedLinks: 0, status: { code: 'unset', message: '' }, resource, scope, ...more,
  }
}

function gauge(name: string, value: number): MetricRecord {
  return { name, description: '', unit: '', resource, scope, data: { type: 'gauge', points: [{ attributes: {}, start: 0n, time: now(), flags: 0, exemplars: [], value }] } }
}

const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'

interface Answer {
  readonly status: number
  readonly text: string
}

async function post(path: string, body: Uint8Array | string, headers: Record<string, string>): Promise<Answer> {
  const response = await fetch(`${app.url}${path}`, { method: 'POST', body: Buffer.from(body), headers })
  return { status: response.status, text: await response.text() }
}

/** One whole snappy block of literals. */
function snappy(body: Uint8Array): Uint8Array {
  const parts: number[] = []
  for (let rest = body.length; ; rest = Math.floor(rest / 128)) {
    parts.push(rest > 127 ? (rest % 128) | 128 : rest)
    if (rest <= 127) break
  }
  for (let at = 0; at < body.length; at += 60) {
    const part = body.subarray(at, at + 60)
    parts.push((part.length - 1) << 2, ...part)
  }
  return Uint8Array.from(parts)
}

interface Way {
  readonly path: string
  readonly type: string
  /** A request that is taken. */
  readonly good: () => Uint8Array
  readonly taken: number
  /** As this way in packs its bodies, beside gzip. */
  readonly pack?: (body: Uint8Array) => Uint8Array
}

const profile = (): Uint8Array =>
  encodePprof({
    valueTypes: [{ type: 'cpu', unit: 'nanoseconds' }], start: now(), duration: 1n, period: 1, periodType: { type: 'cpu', unit: 'nanoseconds' },
    samples: [{ stack: [{ name: 'f', file: 'f.ts', line: 1 }], values: [1], time: 0n, labels: {} }],
  }).slice()
const exception = (): Uint8Array => encodeExceptions([{ time: now(), type: 'E', message: '', stack: '', handled: true, traceId: '', spanId: '', attributes: {}, resource, scope }])
const zipkin = (): Uint8Array => Buffer.from(JSON.stringify([{ traceId: '1', id: '2', name: 'z', timestamp: Date.now() * 1000, duration: 1, localEndpoint: { serviceName: 'z' } }]))
/** WriteRequest { TimeSeries { Label { __name__, up }, Sample { 1, now } } } */
const written = (): Uint8Array => {
  const sample = Buffer.alloc(9)
  sample[0] = 9
  sample.writeDoubleLE(1, 1)
  const ts: number[] = []
  for (let rest = Date.now(); ; rest = Math.floor(rest / 128)) {
    ts.push(rest > 127 ? (rest % 128) | 128 : rest)
    if (rest <= 127) break
  }
  const label = [10, 8, ...Buffer.from('__name__'), 18, 2, ...Buffer.from('up')]
  const series = [10, label.length, ...label, 18, sample.length + 1 + ts.length, ...sample, 16, ...ts]
  return Uint8Array.from([10, series.length, ...series])
}

const WAYS: readonly Way[] = [
  { path: '/v1/traces', type: PROTOBUF, good: () => encodeSpans([spanOf()]), taken: 200 },
  { path: '/v1/traces', type: JSON_TYPE, good: () => Buffer.from(encodeSpansJson([spanOf()])), taken: 200 },
  { path: '/v1/metrics', type: PROTOBUF, good: () => encodeMetrics([gauge('queue', 1)]), taken: 200 },
  { path: '/v1/logs', type: PROTOBUF, good: exception, taken: 200 },
  { path: '/api/v1/write', type: PROTOBUF, good: written, taken: 204, pack: snappy },
  { path: '/api/v2/spans', type: JSON_TYPE, good: zipkin, taken: 202 },
  { path: '/api/profiles?service=shop', type: PROTOBUF, good: profile, taken: 200 },
]

/** Sends a body as a way in packs it. */
async function send(way: Way, body: Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
  return await post(way.path, way.pack === undefined ? body : way.pack(body), { 'content-type': way.type, ...headers })
}

/** A refusal says what is wrong and what to do about it. */
function assertRefused({ status, text }: Answer, what: string, statuses: readonly number[]): void {
  assert.ok(statuses.includes(status), `${what}: ${status} ${text.slice(0, 200)}`)
  assert.match(text, /bad_body|too_large|unsupported_media_type|overloaded|unavailable/, what)
  assert.ok(text.length > 40, what)
}

async function inFlight(): Promise<number> {
  const text = await (await fetch(`${app.url}/metrics`)).text()
  return Number(/^andon_ingest_in_flight_bytes (\d+)$/m.exec(text)?.[1])
}

/** All ways in take what is good, and nothing is held of what was not. */
async function assertWell(): Promise<void> {
  for (const way of WAYS) {
    const { status, text } = await send(way, way.good())
    assert.equal(status, way.taken, `${way.path} ${way.type}: ${text}`)
  }
  assert.equal(await inFlight(), 0)
}

test('random bytes, and beginnings and changes of good requests, are refused or taken in part, never more', { timeout: 120_000 }, async () => {
  const mangled = fc.oneof(
    fc.uint8Array({ maxLength: 400 }).map((bytes) => () => bytes),
    fc.tuple(fc.nat(), fc.nat(255), fc.boolean()).map(([at, byte, isCut]) => (good: Uint8Array): Uint8Array => {
      if (isCut) return good.slice(0, at % good.length)
      const changed = good.slice()
      changed[at % good.length] = byte
      return changed
    }),
  )
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...WAYS), mangled, fc.constantFrom('', 'gzip'), async (way, mangle, encoding) => {
      const body = mangle(way.good())
      const answer = encoding === 'gzip' && way.pack === undefined ? await send(way, gzipSync(body), { 'content-encoding': encoding }) : await send(way, body)
      if (answer.status !== way.taken) assertRefused(answer, way.path, [400, 413])
    }),
    { numRuns: 150 },
  )
  await assertWell()
})

test('a content type or encoding that is none of a way in is refused with what to send', { timeout: 60_000 }, async () => {
  for (const way of WAYS) {
    assertRefused(await post(way.path, way.good(), { 'content-type': 'text/csv' }), `${way.path} type`, [415])
    assertRefused(await post(way.path, way.good(), { 'content-type': way.type, 'content-encoding': 'zstd' }), `${way.path} encoding`, [415])
    if (way.pack === undefined) {
      assertRefused(await post(way.path, way.good(), { 'content-type': way.type, 'content-encoding': 'gzip' }), `${way.path} plain as gzip`, [400])
      // What is packed twice is unpacked once; profiles alone are often packed files in packed bodies.
      if (way.path !== '/api/profiles?service=shop') assertRefused(await post(way.path, gzipSync(gzipSync(way.good())), { 'content-type': way.type, 'content-encoding': 'gzip' }), `${way.path} twice`, [400])
    }
  }
  assertRefused(await post('/api/profiles?service=shop', gzipSync(gzipSync(gzipSync(profile()))), { 'content-type': PROTOBUF, 'content-encoding': 'gzip' }), 'a profile packed three times', [400])
  assertRefused(await post('/api/profiles?service=shop', gzipSync(gzipSync(Buffer.alloc(17 * MIB))), { 'content-type': PROTOBUF, 'content-encoding': 'gzip' }), 'a bomb in a packed body', [413])
  await assertWell()
})

test('bodies that are too large, and bombs, many at a time, are refused and hold nothing; others are served meanwhile', { timeout: 120_000 }, async () => {
  const bombs = [gzipSync(Buffer.alloc(17 * MIB)), deflateSync(Buffer.alloc(17 * MIB))]
  for (const way of WAYS.filter(({ pack }) => pack === undefined)) {
    assertRefused(await post(way.path, bombs[0] ?? '', { 'content-type': way.type, 'content-encoding': 'gzip' }), way.path, [413])
    assertRefused(await post(way.path, bombs[1] ?? '', { 'content-type': way.type, 'content-encoding': 'deflate' }), way.path, [413])
  }
  for (const way of WAYS) assertRefused(await post(way.path, Buffer.alloc(2 * MIB), { 'content-type': way.type }), `${way.path} 2 MiB`, [413])
  // A block that promises 16 GiB.
  assertRefused(await post('/api/v1/write', Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0x3f, 0, 1]), { 'content-type': PROTOBUF }), 'snappy', [400, 413])
  const before = process.memoryUsage().rss
  let most = before
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20)
  const all = await Promise.all(Array.from({ length: 40 }, () => post('/v1/traces', bombs[0] ?? '', { 'content-type': PROTOBUF, 'content-encoding': 'gzip' })))
  clearInterval(watch)
  for (const answer of all) assertRefused(answer, 'one of many bombs', [413, 429])
  // Together they would unpack to 680 MiB, and each holds its part twice while it is put together.
  assert.ok(most - before < 400 * MIB, `${(most - before) / MIB} MiB`)
  await assertWell()
})

/** Empty messages in the lists of a request: two bytes each. */
const empties = (fields: readonly number[], count: number, field = 2): Buffer =>
  fields.toReversed().reduce<Buffer>(
    (inner, outer) => {
      const length: number[] = []
      for (let rest = inner.length; ; rest = Math.floor(rest / 128)) {
        length.push(rest > 127 ? (rest % 128) | 128 : rest)
        if (rest <= 127) break
      }
      return Buffer.concat([Buffer.from([(outer << 3) | 2, ...length]), inner])
    },
    Buffer.alloc(count * 2, Buffer.from([(field << 3) | 2, 0])),
  )

/** A block of snappy: an empty message of a field that is not known, and copies of it, 32 at a time. */
function unknownFields(copies: number): Buffer {
  const length = 2 + copies * 64
  const head = [(length % 128) | 128, (Math.floor(length / 128) % 128) | 128, (Math.floor(length / 16_384) % 128) | 128, Math.floor(length / 2_097_152)]
  return Buffer.concat([Buffer.from([...head, (2 - 1) << 2, (9 << 3) | 2, 0]), Buffer.alloc(copies * 3, Buffer.from([((64 - 1) << 2) | 2, 2, 0]))])
}

const deep = (depth: number): AttributeValue => Array.from({ length: depth }).reduce<AttributeValue>((inner) => [inner], 1n)

test('a million of the smallest records in a body are refused before they take memory; nesting without end is not followed', { timeout: 120_000 }, async () => {
  assertRefused(await post('/v1/logs', empties([1, 2], 300_000), { 'content-type': PROTOBUF }), 'log records', [413])
  const inMetrics = async (fields: readonly number[], what: string): Promise<void> =>
    assertRefused(await post('/v1/metrics', gzipSync(empties(fields, 7_000_000)), { 'content-type': PROTOBUF, 'content-encoding': 'gzip' }), what, [413])
  await inMetrics([1, 2], 'metrics')
  await inMetrics([1], 'scopes')
  assertRefused(await post('/v1/metrics', gzipSync(Buffer.concat(Array.from({ length: 30 }, () => empties([1, 2, 2, 5, 1], 200_000, 5)))), { 'content-type': PROTOBUF, 'content-encoding': 'gzip' }), 'exemplars of many metrics', [413])
  assert.equal((await post('/api/v1/write', unknownFields(120_000), { 'content-type': PROTOBUF })).status, 204, 'fields that are not known')
  const small = { ...spanOf(), name: '' }
  const one = encodeSpans([small])
  assertRefused(await post('/v1/traces', gzipSync(Buffer.concat(Array.from({ length: 150_000 }, () => one)).subarray(0, 15 * MIB)), { 'content-type': PROTOBUF, 'content-encoding': 'gzip' }), 'spans', [413])
  assertRefused(await post('/v1/traces', gzipSync(`{"resourceSpans":[${'{},'.repeat(5_000_000)}{}]}`), { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' }), 'objects', [413])
  assertRefused(await post('/api/v2/spans', gzipSync(`[${'{},'.repeat(5_000_000)}{}]`), { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' }), 'Zipkin', [413])
  assertRefused(await post('/v1/traces', encodeSpans([spanOf({ attributes: { deep: deep(200) } })]), { 'content-type': PROTOBUF }), 'nesting', [400])
  assertRefused(await post('/v1/traces', encodeSpansJson([spanOf({ attributes: { deep: deep(200) } })]), { 'content-type': JSON_TYPE }), 'nesting in JSON', [400])
  assertRefused(await post('/v1/traces', '['.repeat(1_000_000), { 'content-type': JSON_TYPE }), 'brackets', [400])
  await assertWell()
})

test('whatever stands in texts, keys and numbers comes back or is refused, and harms no other request gathered with it', { timeout: 120_000 }, async () => {
  const nasty = ['\0', '\t', '\n', '\r\n', '\\', "'", '"', '\\N', '\\t', '\u{1F600}', '\uD800', '\u001E\u001F', '__proto__', '${x}', "'); DROP TABLE spans; --", '{p0:String}', '\uFEFF', 'é'.normalize('NFD')]
  const attributes = Object.fromEntries(nasty.map((text, index) => [`${text}${index}`, text]))
  const one = spanOf({ name: nasty.join(''), attributes: { ...attributes, nan: Number.NaN, inf: -Infinity, zero: -0, max: (1n << 63n) - 1n, min: -(1n << 63n) } })
  const point = gauge('nasty', Number.NaN)
  const values = [Number.NaN, Infinity, -Infinity, -0, 5e-324, 1.7976931348623157e308]
  const [first] = point.data.points
  const metric = { ...point, data: { type: 'gauge', points: values.map((value, index) => ({ ...first, attributes: { ...attributes, index: BigInt(index) }, value })) } } as MetricRecord
  const good = Array.from({ length: 5 }, () => spanOf())
  const answers = await Promise.all([
    post('/v1/traces', encodeSpans([one]), { 'content-type': PROTOBUF }),
    post('/v1/metrics', encodeMetrics([metric]), { 'content-type': PROTOBUF }),
    ...good.map((span) => post('/v1/traces', encodeSpans([span]), { 'content-type': PROTOBUF })),
  ])
  for (const { status, text } of answers) assert.deepEqual([status, text], [200, ''])
  for (const { traceId } of [one, ...good]) assert.equal((await fetch(`${app.url}/api/spans/trace/${traceId}`)).status, 200)
  const { spans: found } = (await (await fetch(`${app.url}/api/spans/trace/${one.traceId}`)).json()) as { spans: { name: string; attributes: Record<string, unknown> }[] }
  // A half of a pair of surrogates is no character.
  assert.deepEqual(found.map((each) => [each.name, each.attributes['\t1']]), [[nasty.join('').replace('\uD800', '\uFFFD'), '\t']])
  const counted = (await (await fetch(`${app.url}/api/v1/query?query=count(nasty)`)).json()) as { data: { result: { value: [number, string] }[] } }
  assert.equal(counted.data.result[0]?.value[1], String(values.length))
  await assertWell()
})

test('bytes that are no UTF-8 become the character that says so', async () => {
  const one = spanOf({ name: 'XXXX' })
  const body = Buffer.from(encodeSpans([one]))
  body.set([0xff, 0xc0, 0x80, 0xfe], body.indexOf('XXXX'))
  assert.equal((await post('/v1/traces', body, { 'content-type': PROTOBUF })).status, 200)
  const { spans: found } = (await (await fetch(`${app.url}/api/spans/trace/${one.traceId}`)).json()) as { spans: { name: string }[] }
  assert.match(found[0]?.name ?? '', /^\uFFFD+$/)
})

test('of an attribute that is sent twice the last holds', async () => {
  const one = spanOf({ attributes: { aa: 'first', ab: 'second' } })
  const body = Buffer.from(encodeSpans([one]))
  body.set(Buffer.from('aa'), body.indexOf('ab'))
  assert.equal((await post('/v1/traces', body, { 'content-type': PROTOBUF })).status, 200)
  const { spans: found } = (await (await fetch(`${app.url}/api/spans/trace/${one.traceId}`)).json()) as { spans: { attributes: object }[] }
  assert.deepEqual(found[0]?.attributes, { aa: 'second' })
})

test('senders that send a byte now and then hold up nobody', { timeout: 60_000 }, async (t) => {
  const { port } = new URL(app.url)
  const slow: Socket[] = Array.from({ length: 60 }, () => {
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(`POST /v1/traces HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/x-protobuf\r\ncontent-length: 1000000\r\n\r\nxx`)
    return socket
  })
  const session = connectHttp2(`http://127.0.0.1:${app.grpcPort}`)
  session.on('error', () => undefined)
  const calls = Array.from({ length: 60 }, () => {
    const stream = session.request({ ':method': 'POST', ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export', 'content-type': 'application/grpc' })
    stream.on('error', () => undefined)
    stream.write(Buffer.from([0, 0, 0]))
    return stream
  })
  t.after(() => {
    for (const socket of slow) socket.destroy()
    session.destroy()
  })
  const held = 60 * 2 + 60 * 3
  for (let round = 0; round < 200 && (await inFlight()) < held; round += 1) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(await inFlight(), held)
  for (const way of WAYS) assert.equal((await send(way, way.good())).status, way.taken)
  // What they hold is given back when they go.
  for (const socket of slow) socket.destroy()
  for (const stream of calls) stream.close()
  for (let round = 0; round < 200 && (await inFlight()) > 0; round += 1) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(await inFlight(), 0)
})

test('targets that answer slowly, hugely, wrongly or not to the end are down or told, and scraping goes on', { timeout: 60_000 }, async () => {
  interface Target {
    readonly scrapePool: string
    readonly health: string
    readonly lastError: string
  }
  const expected: Readonly<Record<string, RegExp>> = { drip: /no whole answer within 1500 ms/, bomb: /larger than 16777216 bytes/, many: /more than 50000 samples/, cut: /terminated|closed|aborted/, times: /1 points lie more than/, labels: /2 points have more than 128 labels/ }
  let states: readonly Target[] = []
  const isDone = (): boolean => states.length === Object.keys(expected).length && states.every(({ scrapePool, health, lastError }) => health !== 'unknown' && (expected[scrapePool]?.test(lastError) ?? false))
  for (let round = 0; round < 300 && !isDone(); round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    const { data } = (await (await fetch(`${app.url}/api/v1/targets`)).json()) as { data: { activeTargets: Target[] } }
    states = data.activeTargets
  }
  assert.ok(isDone(), JSON.stringify(states))
  const health = Object.fromEntries(states.map((state) => [state.scrapePool, state.health]))
  assert.deepEqual(health, { drip: 'down', bomb: 'down', many: 'down', cut: 'down', times: 'up', labels: 'up' })
  const good = (await (await fetch(`${app.url}/api/v1/query?query=good_gauge`)).json()) as { data: { result: { value: [number, string] }[] } }
  assert.equal(good.data.result[0]?.value[1], '7')
})
