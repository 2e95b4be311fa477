// A full queue before the store, as each protocol is told of it. OTLP over gRPC: otlp-grpc.test.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AndonError } from '@andon/model'
import { createFixture, HOST } from './fixture.test.ts'

const PROTOBUF = 'application/x-protobuf'

test('each protocol is told when to send again, by what its senders heed', async () => {
  const { app, sink } = await createFixture()
  const packed = Buffer.from([1, 0, 1])
  const span = JSON.stringify([{ traceId: '1', id: '2', timestamp: 1 }])
  const ways: readonly (readonly [path: string, type: string, body: Buffer | string, overloaded: number])[] = [
    ['/v1/traces', PROTOBUF, packed, 429],
    ['/v1/metrics', PROTOBUF, packed, 429],
    ['/v1/logs', 'application/json', '{}', 429],
    ['/api/v2/spans', 'application/json', span, 429],
    ['/api/profiles?service=shop', PROTOBUF, packed, 429],
    // Prometheus sends again after 5xx, and after 429 only where it is told to.
    ['/api/v1/write', PROTOBUF, packed, 503],
  ]
  for (const [code, usual] of [['overloaded', undefined], ['unavailable', 503]] as const) {
    sink.answer = () => {
      throw new AndonError(code, 'the queue is full')
    }
    for (const [url, type, payload, overloaded] of ways) {
      const answer = await app.inject({ method: 'POST', url, headers: { host: HOST, 'content-type': type }, payload })
      assert.equal(answer.statusCode, usual ?? overloaded, url)
      assert.equal(answer.headers['retry-after'], '1', url)
      assert.match(answer.body, /the queue is full/, url)
      assert.match(answer.body, /Try again after the time in the Retry-After header|try again shortly/, url)
    }
  }
})

test('while bodies hold all the memory there is for them, no other is read', async () => {
  const { app, sink } = await createFixture()
  const releases: (() => void)[] = []
  const held = new Promise<void>((resolve) => void releases.push(resolve))
  let entered = 0
  sink.accept = async () => {
    entered += 1
    await held
    return { rejected: 0, message: '' }
  }
  const post = (bytes: number): Promise<{ statusCode: number }> => app.inject({ method: 'POST', url: '/v1/traces', headers: { host: HOST, 'content-type': PROTOBUF }, payload: Buffer.alloc(bytes) })
  // Ten bodies of 10,000 bytes are as much as the fixture allows.
  const taken = Array.from({ length: 10 }, () => post(10_000))
  while (entered < taken.length) await new Promise((resolve) => setImmediate(resolve))
  const refused = await post(1)
  assert.equal(refused.statusCode, 429)
  for (const release of releases) release()
  assert.deepEqual((await Promise.all(taken)).map(({ statusCode }) => statusCode), taken.map(() => 200))
  assert.equal((await post(1)).statusCode, 200)
})
