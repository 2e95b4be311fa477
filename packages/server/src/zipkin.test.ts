// Zipkin in and out through the whole server.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { decodeSpans } from '@andon/wire'
import { App } from './app.ts'
import { testOptions } from './fixture.test.ts'
import { silentLog } from './runtime/log.ts'

async function startApp(t: TestContext): Promise<App> {
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-zipkin-'))
  const app = new App(testOptions(dataDir), { log: silentLog })
  await app.start()
  t.after(async () => {
    await app.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })
  return app
}

test('spans that came as Zipkin are found as Zipkin, as Jaeger and by Tempo', { timeout: 60_000 }, async (t) => {
  const app = await startApp(t)
  const start = (Date.now() - 60_000) * 1000
  const span = { traceId: '0000000000000000aaaaaaaaaaaaaaaa', id: 'bbbbbbbbbbbbbbbb', name: 'get /board', kind: 'SERVER', timestamp: start, duration: 250_000, localEndpoint: { serviceName: 'old' }, annotations: [{ timestamp: start + 1000, value: 'cache miss' }], tags: { 'http.path': '/board', error: 'true', 'otel.status_code': 'ERROR' } }
  const child = { ...span, id: 'cccccccccccccccc', parentId: span.id, name: 'select', kind: 'CLIENT', duration: 1000, annotations: [], remoteEndpoint: { serviceName: 'postgres', ipv4: '10.0.0.1', port: 5432 }, tags: {} }
  const post = async (body: unknown, type = 'application/json'): Promise<number> => {
    const answer = await fetch(`${app.url}/api/v2/spans`, { method: 'POST', headers: { 'content-type': type, 'content-encoding': 'gzip' }, body: gzipSync(JSON.stringify(body)) })
    await answer.text()
    return answer.status
  }
  assert.equal(await post([span, child]), 202)
  assert.deepEqual([await post({}), await post([{ ...span, id: 'x' }]), await post([span], 'application/x-thrift'), await post([{ ...span, timestamp: 1 }])], [400, 400, 415, 400])

  const get = async (path: string): Promise<[number, unknown]> => {
    const answer = await fetch(`${app.url}/api/v2/${path}`)
    return [answer.status, await answer.json()]
  }
  assert.deepEqual(await get('services'), [200, ['old']])
  assert.deepEqual(await get('spans?serviceName=old'), [200, ['get /board', 'select']])
  const trace = [span, child]
  assert.deepEqual(await get('trace/aaaaaaaaaaaaaaaa'), [200, trace])
  assert.deepEqual(await get('traceMany?traceIds=aaaaaaaaaaaaaaaa,1'), [200, [trace]])
  assert.deepEqual(await get('traces?serviceName=old&annotationQuery=error%20and%20http.path%3D%2Fboard&minDuration=200000'), [200, [trace]])
  assert.deepEqual(await get('traces?serviceName=old&minDuration=300000'), [200, []])
  assert.equal((await get('trace/1'))[0], 404)
  // A word is a tag, whatever its value, or an annotation; what is kept as the status is a tag as well.
  for (const words of ['http.path', 'http.path=', 'cache miss', 'error', 'otel.status_code', 'error and cache miss and http.path=/board']) {
    assert.deepEqual(await get(`traces?annotationQuery=${encodeURIComponent(words)}`), [200, [trace]], words)
  }
  for (const words of ['/board', 'cache', 'constructor', 'http.path=/other', 'http.path and absent']) assert.deepEqual(await get(`traces?annotationQuery=${encodeURIComponent(words)}`), [200, []], words)
  assert.equal((await get('traces?annotationQuery=%3Dx'))[0], 400)
  const tempo = await fetch(`${app.url}/tempo/api/traces/aaaaaaaaaaaaaaaa`, { headers: { accept: 'application/protobuf' } })
  assert.deepEqual(decodeSpans(Buffer.from(await tempo.arrayBuffer())).map(({ name }) => name), ['get /board', 'select'])
  const batches = await fetch(`${app.url}/tempo/api/traces/aaaaaaaaaaaaaaaa`)
  assert.match(await batches.text(), /^\{"batches":\[\{"resource":/)
  assert.equal((await fetch(`${app.url}/tempo/api/traces/1`)).status, 404)
  const jaeger = await fetch(`${app.url}/api/traces/aaaaaaaaaaaaaaaa`)
  assert.match(await jaeger.text(), /"operationName":"get \/board".*"serviceName":"old"/)
})

test('a call whose two sides share an id: Zipkin gets it back, every other view shows parent and child', { timeout: 60_000 }, async (t) => {
  const app = await startApp(t)
  const traceId = 'c'.repeat(32)
  const start = (Date.now() - 60_000) * 1000
  const span = (id: string, service: string, kind: string, more: object = {}): Record<string, unknown> => ({ traceId, id: id.repeat(16), name: `${service} ${kind}`, kind, timestamp: start, duration: 1000, localEndpoint: { serviceName: service }, annotations: [], tags: {}, ...more })
  const sent = [
    span('1', 'web', 'CLIENT'),
    span('1', 'shop', 'SERVER', { timestamp: start + 100, duration: 800, shared: true }),
    span('2', 'shop', 'CLIENT', { parentId: '1'.repeat(16), timestamp: start + 200, duration: 500 }),
  ]
  // Both sides send for themselves, the called one first.
  for (const each of sent.toReversed()) assert.equal((await fetch(`${app.url}/api/v2/spans`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify([each]) })).status, 202)
  const get = async <T>(path: string): Promise<T> => (await (await fetch(`${app.url}${path}`)).json()) as T
  assert.deepEqual(await get(`/api/v2/trace/${traceId}`), sent)

  const own = await get<{ spans: { id: string; parent: string | null; name: string }[] }>(`/api/spans/trace/${traceId}`)
  const jaeger = await get<{ data: { spans: { spanID: string; operationName: string; references: { spanID: string }[] }[] }[] }>(`/api/traces/${traceId}`)
  const tempo = decodeSpans(Buffer.from(await (await fetch(`${app.url}/tempo/api/traces/${traceId}`, { headers: { accept: 'application/protobuf' } })).arrayBuffer()))
  const views: Record<string, { id: string; parent: string; name: string }[]> = {
    own: own.spans.map(({ id, parent, name }) => ({ id, parent: parent ?? '', name })),
    jaeger: jaeger.data.flatMap(({ spans }) => spans.map(({ spanID, operationName, references }) => ({ id: spanID, parent: references[0]?.spanID ?? '', name: operationName }))),
    tempo: tempo.map(({ spanId, parentSpanId, name }) => ({ id: spanId, parent: parentSpanId, name })),
  }
  for (const [view, spans] of Object.entries(views)) {
    const parents = Object.fromEntries(spans.map(({ name, parent }) => [name, spans.find(({ id }) => id === parent)?.name ?? null]))
    assert.deepEqual(parents, { 'web CLIENT': null, 'shop SERVER': 'web CLIENT', 'shop CLIENT': 'shop SERVER' }, view)
    assert.equal(new Set(spans.map(({ id }) => id)).size, 3, view)
  }
})
