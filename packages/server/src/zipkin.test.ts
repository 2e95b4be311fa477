// Zipkin in and out through the whole server.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { decodeSpans } from '@andon/wire'
import { App } from './app.ts'
import { testOptions } from './fixture.test.ts'
import { silentLog } from './runtime/log.ts'

test('spans that came as Zipkin are found as Zipkin, as Jaeger and by Tempo', { timeout: 60_000 }, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-zipkin-'))
  const app = new App(testOptions(dataDir), { log: silentLog })
  await app.start()
  t.after(async () => {
    await app.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const start = (Date.now() - 60_000) * 1000
  const span = { traceId: '0000000000000000aaaaaaaaaaaaaaaa', id: 'bbbbbbbbbbbbbbbb', name: 'get /board', kind: 'SERVER', timestamp: start, duration: 250_000, localEndpoint: { serviceName: 'old' }, annotations: [], tags: { 'http.path': '/board', error: 'true', 'otel.status_code': 'ERROR' } }
  const child = { ...span, id: 'cccccccccccccccc', parentId: span.id, name: 'select', kind: 'CLIENT', duration: 1000, remoteEndpoint: { serviceName: 'postgres', ipv4: '10.0.0.1', port: 5432 }, tags: {} }
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
  assert.equal((await get('traces?annotationQuery=x'))[0], 400)
  const tempo = await fetch(`${app.url}/tempo/api/traces/aaaaaaaaaaaaaaaa`, { headers: { accept: 'application/protobuf' } })
  assert.deepEqual(decodeSpans(Buffer.from(await tempo.arrayBuffer())).map(({ name }) => name), ['get /board', 'select'])
  const batches = await fetch(`${app.url}/tempo/api/traces/aaaaaaaaaaaaaaaa`)
  assert.match(await batches.text(), /^\{"batches":\[\{"resource":/)
  assert.equal((await fetch(`${app.url}/tempo/api/traces/1`)).status, 404)
  const jaeger = await fetch(`${app.url}/api/traces/aaaaaaaaaaaaaaaa`)
  assert.match(await jaeger.text(), /"operationName":"get \/board".*"serviceName":"old"/)
})
