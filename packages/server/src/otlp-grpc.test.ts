// OTLP over gRPC with the official client of gRPC as peer.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:http2'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { compressionAlgorithms, credentials, Client, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { AndonError, type MetricRecord } from '@andon/model'
import { decodeExportResponse, encodeMetrics } from '@andon/wire'
import { BodyReader } from './api/body.ts'
import { GrpcServer } from './api/otlp-grpc.ts'
import { App } from './app.ts'
import { readOptions } from './config.ts'
import { FakeClock } from './runtime/clock.ts'
import { silentLog } from './runtime/log.ts'

const METRICS = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export'
const TRACES = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const raw = (bytes: Buffer): Buffer => bytes

interface Answered {
  readonly code: number
  readonly details: string
  readonly message: Buffer
  readonly metadata: Metadata
}

async function call(client: Client, path: string, message: Uint8Array, metadata = new Metadata()): Promise<Answered> {
  return await new Promise((resolve) => {
    client.makeUnaryRequest(path, raw, raw, Buffer.from(message), metadata, { deadline: Date.now() + 20_000 }, (error: ServiceError | null, answer?: Buffer) => {
      resolve({ code: error?.code ?? status.OK, details: error?.details ?? '', message: answer ?? Buffer.alloc(0), metadata: error?.metadata ?? new Metadata() })
    })
  })
}

function clientOf(t: TestContext, port: number, options: Record<string, number> = {}): Client {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options)
  t.after(() => client.close())
  return client
}

function hits(count: number): Uint8Array {
  const time = BigInt(Date.now()) * 1_000_000n
  const points = Array.from({ length: count }, (_, index) => ({ attributes: { index: String(index) }, start: 0n, time, flags: 0, exemplars: [], value: index }))
  const metric: MetricRecord = {
    name: 'queue.length',
    description: '',
    unit: '',
    data: { type: 'gauge', points },
    resource: { attributes: { 'service.name': 'shop' }, droppedAttributes: 0, schemaUrl: '' },
    scope: { name: '', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' },
  }
  return encodeMetrics([metric])
}

test('metrics by gRPC, packed and not, are what PromQL answers; tokens hold here, too', { timeout: 60_000 }, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-grpc-'))
  const token = 'a-token-of-sixteen-and-more'
  const app = new App(readOptions({ flags: { 'listen.port': '0', 'listen.grpc_port': '0', data_dir: dataDir }, env: { ANDON_TOKEN: token } }), { log: silentLog })
  await app.start()
  t.after(async () => {
    await app.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const port = app.grpcPort ?? 0
  const bearer = new Metadata()
  bearer.set('authorization', `Bearer ${token}`)
  const plain = clientOf(t, port)
  assert.equal((await call(plain, METRICS, hits(3))).code, status.UNAUTHENTICATED)
  const stored = await call(plain, METRICS, hits(3), bearer)
  assert.deepEqual([stored.code, stored.message.length], [status.OK, 0])
  const packed = clientOf(t, port, { 'grpc.default_compression_algorithm': compressionAlgorithms.gzip })
  assert.equal((await call(packed, METRICS, hits(500), bearer)).code, status.OK)
  const answer = await fetch(`${app.url}/api/v1/query?query=${encodeURIComponent('count(queue_length)')}`, { headers: { authorization: `Bearer ${token}` } })
  assert.match(await answer.text(), /"value":\[[\d.]+,"500"\]/)
  assert.equal((await call(plain, TRACES, Buffer.from([0xff, 0xff]), bearer)).code, status.INVALID_ARGUMENT)
  assert.equal((await call(plain, '/opentelemetry.proto.collector.trace.v1.TraceService/Other', Buffer.alloc(0), bearer)).code, status.UNIMPLEMENTED)
})

interface Listening {
  readonly server: GrpcServer
  readonly port: number
  readonly got: Buffer[]
}

async function listening(t: TestContext, accept: () => Promise<{ rejected: number; message: string }>): Promise<Listening> {
  const got: Buffer[] = []
  const sink = {
    accept: (body: Uint8Array) => {
      got.push(Buffer.from(body))
      return accept()
    },
  }
  const server = new GrpcServer({ spans: sink, metrics: sink, exceptions: sink, bodies: new BodyReader({ bodyBytes: 10_000, inflatedBytes: 20_000, inFlightBytes: 100_000 }), clock: new FakeClock(), log: silentLog, check: () => undefined })
  const port = await server.listen('127.0.0.1', 0)
  t.after(async () => {
    server.cut()
    await server.close()
  })
  return { server, port, got }
}

function takesTwoLess(): Promise<{ rejected: number; message: string }> {
  return Promise.resolve({ rejected: 2, message: 'too old' })
}

test('what was not taken is told; what is to be sent again is UNAVAILABLE with its time, what is too large is not', { timeout: 30_000 }, async (t) => {
  let accept = takesTwoLess
  const { port, got } = await listening(t, () => accept())
  const client = clientOf(t, port)
  const partial = await call(client, TRACES, Buffer.from('one'))
  assert.deepEqual(decodeExportResponse(partial.message), { rejected: 2, message: 'too old' })
  for (const code of ['overloaded', 'unavailable', 'disk_full'] as const) {
    accept = () => Promise.reject(new AndonError(code, 'come back — später'))
    const refused = await call(client, TRACES, Buffer.from('two'))
    assert.equal(refused.code, status.UNAVAILABLE)
    assert.match(refused.details, /come back — später/)
    const [details] = refused.metadata.get('grpc-status-details-bin')
    assert.ok(Buffer.isBuffer(details) && details.includes('type.googleapis.com/google.rpc.RetryInfo'))
  }
  accept = () => Promise.reject(new Error('a defect'))
  assert.equal((await call(client, TRACES, Buffer.from('three'))).code, status.INTERNAL)
  const before = got.length
  assert.equal((await call(client, TRACES, Buffer.alloc(10_001))).code, status.RESOURCE_EXHAUSTED)
  const packed = clientOf(t, port, { 'grpc.default_compression_algorithm': compressionAlgorithms.gzip })
  assert.equal((await call(packed, TRACES, Buffer.alloc(20_001))).code, status.RESOURCE_EXHAUSTED)
  assert.equal(got.length, before)
})

function frame(length: number, body: string, isPacked = 0): Buffer {
  return Buffer.concat([Buffer.from([isPacked, 0, 0, 0, length]), Buffer.from(body)])
}

test('what is no call is refused and the connection goes on; a client that goes away leaves nothing behind', { timeout: 30_000 }, async (t) => {
  const { port, got } = await listening(t, () => Promise.resolve({ rejected: 0, message: '' }))
  const session = connect(`http://127.0.0.1:${port}`)
  t.after(() => session.destroy())
  const ask = async (headers: Record<string, string>, body: Buffer): Promise<[unknown, unknown]> =>
    await new Promise((resolve, reject) => {
      const stream = session.request({ ':method': 'POST', ':path': TRACES, 'content-type': 'application/grpc', ...headers })
      let told: [unknown, unknown] = [undefined, undefined]
      stream.on('response', (answer) => (told = [answer[':status'], answer['grpc-status']]))
      stream.on('error', reject)
      stream.on('close', () => resolve(told))
      stream.resume()
      stream.end(body)
    })
  assert.deepEqual(await ask({ 'content-type': 'application/json' }, Buffer.from('{}')), [415, undefined])
  assert.deepEqual(await ask({}, Buffer.from([0, 0])), [200, '3'])
  assert.deepEqual(await ask({}, frame(9, 'short')), [200, '3'])
  assert.deepEqual(await ask({}, Buffer.concat([frame(1, 'a'), frame(1, 'b')])), [200, '3'])
  assert.deepEqual(await ask({ 'grpc-encoding': 'br' }, frame(1, 'a', 1)), [200, '12'])
  assert.deepEqual(await ask({ 'grpc-encoding': 'gzip' }, frame(1, 'a', 1)), [200, '3'])
  assert.equal(got.length, 0)
  const half = session.request({ ':method': 'POST', ':path': TRACES, 'content-type': 'application/grpc' })
  half.on('error', () => undefined)
  half.write(Buffer.from([0, 0, 0]))
  half.close()
  assert.deepEqual(await ask({}, frame(1, 'a')), [200, undefined])
  assert.deepEqual(got.map(String), ['a'])
})

test('a port that was asked for must be had', { timeout: 30_000 }, async (t) => {
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  t.after(() => holder.close())
  const address = holder.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-grpc-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  const app = new App(readOptions({ flags: { 'listen.port': '0', 'listen.grpc_port': String(port), data_dir: dataDir } }), { log: silentLog })
  await assert.rejects(app.start(), (error) => error instanceof AndonError && error.code === 'port_in_use' && error.message.includes(String(port)))
})
