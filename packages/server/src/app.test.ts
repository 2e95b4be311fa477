import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { AndonError, type MetricRecord, type Resource, type Scope, type SpanRecord } from '@andon/model'
import { encodeMetrics, encodeMetricsJson, encodeSpans, encodeSpansJson } from '@andon/wire'
import { App } from './app.ts'
import type { Options } from './config.ts'
import { testEnvironment, testOptions } from './fixture.test.ts'
import { silentLog } from './runtime/log.ts'

const folders: string[] = []
function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'andon-app-'))
  folders.push(made)
  return made
}
after(() => {
  for (const one of folders) rmSync(one, { recursive: true, force: true })
})

const resource: Resource = { attributes: { 'service.name': 'shop', 'service.version': '1.2.3', 'service.instance.id': 'one' }, droppedAttributes: 0, schemaUrl: '' }
const scope: Scope = { name: 'test', version: '1', attributes: {}, droppedAttributes: 0, schemaUrl: '' }
const hex = (bytes: number): string => randomBytes(bytes).toString('hex')

function span(more: Partial<SpanRecord> = {}): SpanRecord {
  const start = BigInt(Date.now() - 1000) * 1_000_000n
  return {
    traceId: hex(16),
    spanId: hex(8),
    parentSpanId: '',
    traceState: '',
    flags: 1,
    name: 'GET /cart',
    kind: 'server',
    start,
    end: start + 25_000_000n,
    attributes: { 'http.route': '/cart', n: 3n },
    droppedAttributes: 0,
    events: [],
    droppedEvents: 0,
    links: [],
    droppedLinks: 0,
    status: { code: 'unset', message: '' },
    resource,
    scope,
    ...more,
  }
}

const optionsFor = (dataDir: string, port = '0'): Options => testOptions(dataDir, { 'listen.port': port })

async function send(url: string, path: string, body: Uint8Array | string, headers: Record<string, string> = {}): Promise<Response> {
  const type = typeof body === 'string' ? 'application/json' : 'application/x-protobuf'
  return fetch(`${url}${path}`, { method: 'POST', body: Buffer.from(body), headers: { 'content-type': type, ...headers } })
}

const app = new App(optionsFor(folder()), { log: silentLog })
await app.start()
after(() => app.stop())

async function json<T>(path: string): Promise<T> {
  const response = await fetch(`${app.url}${path}`)
  const text = await response.text()
  assert.equal(response.status, 200, text)
  return JSON.parse(text) as T
}

test('a trace sent in protobuf with gzip and one in JSON come back by our own JSON and by Jaeger', async () => {
  const root = span({ status: { code: 'error', message: 'boom' } })
  const child = span({ traceId: root.traceId, parentSpanId: root.spanId, name: 'SELECT', kind: 'client' })
  const other = span({ name: 'POST /cart' })
  assert.equal((await send(app.url, '/v1/traces', gzipSync(encodeSpans([root, child])), { 'content-encoding': 'gzip' })).status, 200)
  assert.equal((await send(app.url, '/v1/traces', encodeSpansJson([other]))).status, 200)
  const trace = await json<{ spans: { id: string; parent: string | null; attributes: Record<string, unknown> }[] }>(`/api/spans/trace/${root.traceId}`)
  assert.deepEqual(new Set(trace.spans.map((one) => [one.id, one.parent].join())), new Set([`${root.spanId},`, `${child.spanId},${root.spanId}`]))
  assert.deepEqual(trace.spans[0]?.attributes, { 'http.route': '/cart', n: 3 })
  const jaeger = await json<{ data: { spans: { spanID: string }[] }[] }>(`/api/traces/${other.traceId}`)
  assert.deepEqual(jaeger.data.map((one) => one.spans.map(({ spanID }) => spanID)), [[other.spanId]])
  const found = await json<{ data: { traceID: string }[] }>(`/api/traces?service=shop&tags=${encodeURIComponent('{"error":"true"}')}`)
  assert.deepEqual(found.data.map(({ traceID }) => traceID), [root.traceId])
  const search = await json<{ traces: { traceId: string; spanCount: number }[]; truncated: boolean }>('/api/spans/search?service=shop&operation=GET%20/cart&attr=http.route=/cart')
  assert.deepEqual(search.traces.map(({ traceId, spanCount }) => [traceId, spanCount]), [[root.traceId, 2]])
  assert.deepEqual((await json<{ data: string[] }>('/api/services')).data, ['shop'])
  assert.equal((await fetch(`${app.url}/api/traces/${hex(16)}`)).status, 404)
})

test('status and the own metrics count what came in', async () => {
  const status = await json<{ version: string; store: { bytes: number; retention: { name: string; days: number; configuredDays: number }[] }; disk: { state: string; totalBytes: number; freeBytes: number }; ingest: Record<string, number> }>('/api/status')
  assert.ok(status.store.bytes > 0)
  assert.ok(status.store.retention.length > 20 && status.store.retention.every(({ days, configuredDays }) => days === configuredDays))
  assert.ok(status.disk.totalBytes > status.disk.freeBytes && status.disk.freeBytes > 0, JSON.stringify(status.disk))
  assert.equal(status.ingest['spans'], 3)
  const metrics = await (await fetch(`${app.url}/metrics`)).text()
  assert.match(metrics, /^andon_ingest_spans_total 3$/m)
})

test('metrics are taken in protobuf and JSON; a numbered batch that comes again is answered again', async () => {
  const time = BigInt(Date.now()) * 1_000_000n
  const point = { attributes: { 'http.route': '/cart' }, start: time - 10_000_000_000n, time, flags: 0, exemplars: [], value: 5 }
  const records: MetricRecord[] = [
    { name: 'kanban.operations.total', description: '', unit: '{operation}', resource, scope, data: { type: 'sum', monotonic: true, temporality: 'delta', points: [point] } },
  ]
  const headers = { 'andon-batch': `${hex(16)}/1` }
  const answers = [
    await send(app.url, '/v1/metrics', encodeMetrics(records), headers),
    await send(app.url, '/v1/metrics', encodeMetrics(records), headers),
    await send(app.url, '/v1/metrics', encodeMetricsJson(records)),
  ]
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200])
  assert.equal(await answers[2]?.text(), '{}')
  const late = await send(app.url, '/v1/metrics', encodeMetricsJson(records.map((record) => ({ ...record, data: { ...record.data, points: [{ ...point, time: 1n }] } }) as MetricRecord)))
  assert.match(await late.text(), /"rejectedDataPoints":"1"/)
})

test('docs/reference/metrics.md lists every metric of the server itself', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/reference/metrics.md'), 'utf8')
  const told = page.split('\n').flatMap((line) => /^\| `(\w+)` \| (\w+) \|/.exec(line)?.slice(1, 3).join(' ') ?? [])
  const metrics = await (await fetch(`${app.url}/metrics`)).text()
  const served = [...metrics.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => `${name} ${type}`)
  assert.deepEqual(told.toSorted(), served.toSorted())
})

test('hostile input is refused with 4xx and the process lives on', async () => {
  const deep = '['.repeat(100_000)
  const bodies: [string, Uint8Array | string, Record<string, string>][] = [
    ...Array.from({ length: 30 }, (): [string, Uint8Array, Record<string, string>] => ['/v1/traces', randomBytes(200), {}]),
    ...Array.from({ length: 30 }, (): [string, Uint8Array, Record<string, string>] => ['/v1/metrics', randomBytes(200), {}]),
    ...['null', '3', '"x"', '[]', '{"resourceSpans":3}', '{"resourceSpans":[null]}', '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":7}]}]}]}', '{', deep, `{"resourceSpans":${deep}`].map(
      (text): [string, string, Record<string, string>] => ['/v1/traces', text, {}],
    ),
    ['/v1/metrics', '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":5,"sum":{"dataPoints":"x"}}]}]}]}', {}],
    ['/v1/logs', '{"resourceLogs":[{"scopeLogs":[{"logRecords":{}}]}]}', {}],
    ['/v1/traces', Buffer.from('not gzip'), { 'content-encoding': 'gzip' }],
    ['/v1/traces', gzipSync(Buffer.alloc(65 * 1024 * 1024)), { 'content-encoding': 'gzip' }],
    ['/v1/traces', Buffer.alloc(17 * 1024 * 1024), {}],
    ['/v1/traces', Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]), {}],
  ]
  for (const [path, body, headers] of bodies) {
    // A refused huge body may end the connection before all of it was sent.
    const status = await send(app.url, path, body, headers).then(
      async (response) => (await response.arrayBuffer(), response.status),
      () => 413,
    )
    assert.ok(status === 200 || (status >= 400 && status < 500), `${path} ${String(body).slice(0, 60)}: ${status}`)
  }
  for (const path of ['/api/spans/search?from=%00', `/api/service/${'x'.repeat(3000)}`, '/api/spans/trace/%F0', "/api/spans/search?service='%20OR%201=1--", `/api/traces?service=a&tags=${encodeURIComponent(deep)}`]) {
    const { status } = await fetch(`${app.url}${path}`)
    assert.ok(status < 500, `${path.slice(0, 60)}: ${status}`)
  }
  assert.equal(await (await fetch(`${app.url}/healthz`)).text(), 'ok\n')
})

test('a taken port names who holds it and how to choose another; nothing is left open', async () => {
  const blocker = createServer().listen(0, '127.0.0.1')
  await once(blocker, 'listening')
  const address = blocker.address()
  const port = typeof address === 'object' && address !== null ? String(address.port) : ''
  const dataDir = folder()
  const child = spawnServer(dataDir, port)
  let words = ''
  child.stderr?.on('data', (chunk: Buffer) => (words += chunk.toString()))
  const [code] = (await once(child, 'exit')) as [number]
  blocker.close()
  assert.equal(code, 1)
  assert.match(words, new RegExp(`Port ${port} of 127\\.0\\.0\\.1 is held by process ${process.pid} \\(`))
  assert.match(words, /--port 4319/)
})

test('without a token it does not listen beyond loopback', () => {
  assert.throws(
    () => new App({ ...optionsFor(folder()), host: '0.0.0.0' }, { log: silentLog }),
    (error) => error instanceof AndonError && error.code === 'bad_config' && /ANDON_TOKEN/.test(error.hint),
  )
})

function spawnServer(dataDir: string, port = '0'): ChildProcess {
  const main = join(import.meta.dirname, 'main.js')
  return spawn(process.execPath, [main, '--port', port, '--data-dir', dataDir, '--log-level', 'error'], { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], ...testEnvironment(dataDir) } })
}

async function listening(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout)
  for await (const line of createInterface(child.stdout)) {
    const url = /listening on (\S+)/.exec(line)?.[1]
    if (url !== undefined) return url
  }
  throw new Error('the server ended without listening')
}

/** Sends one span per request on several connections until the server is gone; answers the traces that were acknowledged. */
async function pour(url: string, enough: () => void): Promise<string[]> {
  const acknowledged: string[] = []
  const process128 = hex(16)
  let sequence = 0
  const worker = async (numbered: boolean): Promise<void> => {
    for (;;) {
      const one = span()
      const headers: Record<string, string> = numbered ? { 'andon-batch': `${process128}/${(sequence += 1)}` } : {}
      const ok = await send(url, '/v1/traces', encodeSpans([one]), headers).then(
        (response) => response.status === 200,
        () => undefined,
      )
      if (ok === undefined) return
      if (ok) acknowledged.push(one.traceId)
      if (acknowledged.length === 40) enough()
    }
  }
  await Promise.all([worker(true), worker(false), worker(false), worker(false)])
  return acknowledged
}

test('kill -9 in the middle of ingest loses nothing that was acknowledged; the second start finds the data and stops properly', { timeout: 120_000 }, async () => {
  const dataDir = folder()
  const first = spawnServer(dataDir)
  const url = await listening(first)
  const gone = once(first, 'exit')
  const acknowledged = await pour(url, () => void first.kill('SIGKILL'))
  await gone
  assert.ok(acknowledged.length >= 40)
  const second = spawnServer(dataDir)
  const again = await listening(second)
  const ids = acknowledged.map((id) => `traceID=${id}`)
  const found: string[] = []
  for (let at = 0; at < ids.length; at += 50) {
    const body = (await (await fetch(`${again}/api/traces?${ids.slice(at, at + 50).join('&')}`)).json()) as { data: { traceID: string; spans: unknown[] }[] }
    for (const trace of body.data) found.push(...trace.spans.map(() => trace.traceID))
  }
  assert.deepEqual(found.toSorted(), acknowledged.toSorted())
  second.kill('SIGTERM')
  const [code] = (await once(second, 'exit')) as [number]
  assert.equal(code, 0)
})

test('stop is idempotent, and every file of the store is given free', async () => {
  await Promise.all([app.stop(), app.stop()])
  await app.stop()
  await assert.rejects(fetch(`${app.url}/healthz`))
})
