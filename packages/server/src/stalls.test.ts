// Blocks of event loops over HTTP and a real store.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Resource, type Scope, STALL_EVENT, type StallRecord, stallAttributes } from '@andon/model'
import { encodeEvents, type LogEvent } from '@andon/wire'
import { App } from './app.ts'
import { testOptions } from './fixture.test.ts'
import { silentLog } from './runtime/log.ts'

const resource: Resource = { attributes: { 'service.name': 'shop', 'service.version': '1.2.3', 'service.instance.id': 'host:1', 'deployment.environment.name': 'test' }, droppedAttributes: 0, schemaUrl: '' }
const scope: Scope = { name: 'andon', version: '1', attributes: {}, droppedAttributes: 0, schemaUrl: '' }
const STALL: StallRecord = { seconds: 0.75, cpuSeconds: 0.7, kind: 'cpu', stack: 'at hash (/app/hash.ts:7)\nat handler (/app/a\tb.ts:1)', share: 0.5, samples: 12, route: '/sign' }

const event = (time: number, stall: StallRecord, ids: { traceId: string; spanId: string } = { traceId: '', spanId: '' }): LogEvent => ({ name: STALL_EVENT, time: BigInt(time) * 1_000_000n, ...ids, attributes: stallAttributes(stall), resource, scope })

test('a stall is stored once however often it is sent, and listed with stack, route and trace, the newest first', { timeout: 120_000 }, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-stalls-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  const app = new App(testOptions(dataDir), { log: silentLog })
  await app.start()
  t.after(() => app.stop())
  const now = Date.now()
  const ids = { traceId: 'a'.repeat(31) + '0', spanId: '0'.repeat(15) + 'f' }
  const body = encodeEvents([event(now - 5000, STALL, ids), event(now - 1000, { seconds: 3, cpuSeconds: 0, kind: 'waiting', stack: '', share: 0, samples: 0, route: '' }), event(now + 3_600_000, STALL), event(1000, STALL), { ...event(now, STALL), attributes: {} }])
  for (let time = 0; time < 2; time += 1) {
    const answer = await fetch(`${app.url}/v1/logs`, { method: 'POST', body: Buffer.from(body), headers: { 'content-type': 'application/x-protobuf', 'andon-batch': `${'a'.repeat(32)}/1` } })
    assert.equal(answer.status, 200)
    // Three were of no time that is kept, or no stall at all.
    assert.match(await answer.text(), /3 log records are neither/)
  }
  const get = async (path: string): Promise<{ status: number; body: { stalls?: unknown[]; error?: { code: string } } }> => {
    const answer = await fetch(app.url + path)
    return { status: answer.status, body: (await answer.json()) as { stalls?: unknown[]; error?: { code: string } } }
  }
  const of = { service: 'shop', env: 'test', version: '1.2.3', instance: 'host:1' }
  const { body: listed } = await get('/api/service/shop/stalls')
  assert.deepEqual(listed.stalls, [
    { ...of, time: now - 1000, seconds: 3, cpuSeconds: 0, kind: 'waiting', stack: '', share: 0, samples: 0, route: '', traceId: '', spanId: '' },
    { ...of, time: now - 5000, ...STALL, ...ids },
  ])
  assert.equal((await get('/api/service/shop/stalls?limit=1')).body.stalls?.length, 1)
  assert.deepEqual((await get(`/api/service/shop/stalls?from=${now - 5000}&to=${now - 4999}`)).body.stalls?.length, 1)
  assert.deepEqual((await get('/api/service/bank/stalls')).body.stalls, [])
  assert.deepEqual([(await get('/api/service/shop/stalls?limit=0')).status, (await get('/api/service/shop/stalls?limit=1001')).body.error?.code], [400, 'bad_parameter'])
  assert.equal((await get('/api/service/shop/stalls?from=now&to=now-1h')).status, 400)
})
