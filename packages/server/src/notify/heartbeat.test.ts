import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import { Heartbeat } from './heartbeat.ts'
import { Secret } from './secret.ts'

test('a heartbeat goes out at once and at every interval, also after one that was not taken, until the end', async () => {
  const clock = new FakeClock()
  const own = new OwnMetrics()
  const asked: string[] = []
  const heartbeat = new Heartbeat({
    url: new Secret({ text: 'https://beats.example.com/x' }),
    intervalMs: 60_000,
    http: {
      send: ({ url, body }) => {
        asked.push(`${url} ${body}`)
        return asked.length === 2 ? Promise.reject(new Error('no')) : Promise.resolve({ status: asked.length === 3 ? 500 : 200, headers: {}, body: '' })
      },
    },
    clock,
    logger: silentLog,
    own,
  })
  heartbeat.start()
  await clock.advance(180_000)
  heartbeat.stop()
  await clock.advance(180_000)
  assert.equal(asked.length, 4)
  assert.match(asked[0] ?? '', /^https:\/\/beats\.example\.com\/x \{"source":"andon","status":"alive","at":\d+\}$/)
  const [family] = own.render().filter(({ name }) => name === 'andon_notify_heartbeats_total')
  assert.deepEqual(family?.samples.map(({ labels, value }) => [labels['outcome'], value]), [['taken', 2], ['failed', 2]])
})
