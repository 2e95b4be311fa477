import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { AndonError } from '@andon/model'
import { decodeExportResponse } from '@andon/wire'
import type { LightMyRequestResponse } from 'fastify'
import { createFixture, HOST } from './fixture.test.ts'

const PROTOBUF = 'application/x-protobuf'
const headers = (more: Record<string, string> = {}): Record<string, string> => ({ host: HOST, 'content-type': PROTOBUF, ...more })

test('bodies arrive unpacked, with their content and batch', async () => {
  const { app, sink } = await createFixture()
  const body = Buffer.from([1, 2, 3])
  const batch = `${'0123456789abcdef'.repeat(2)}/17`
  const answers = [
    await app.inject({ method: 'POST', url: '/v1/traces', headers: headers({ 'andon-batch': batch }), payload: body }),
    await app.inject({ method: 'POST', url: '/v1/metrics', headers: headers({ 'content-encoding': 'gzip' }), payload: gzipSync(body) }),
    await app.inject({ method: 'POST', url: '/v1/logs', headers: headers({ 'content-encoding': 'deflate' }), payload: deflateSync(body) }),
    await app.inject({ method: 'POST', url: '/v1/logs', headers: headers({ 'content-type': 'application/json; charset=utf-8' }), payload: '{}' }),
  ]
  assert.deepEqual(answers.map((one) => one.statusCode), [200, 200, 200, 200])
  assert.deepEqual(sink.got.map(({ content, batch: number }) => [content, number]), [['protobuf', batch], ['protobuf', undefined], ['protobuf', undefined], ['json', undefined]])
  for (const { body: got } of sink.got.slice(0, 3)) assert.deepEqual([...got], [1, 2, 3])
  assert.match(String(answers[3]?.headers['content-type']), /^application\/json/)
  assert.equal(answers[3]?.body, '{}')
})

test('what was not taken is told by partial success in the content type of the request', async () => {
  const { app, sink } = await createFixture()
  sink.answer = () => ({ rejected: 2, message: 'too old' })
  const binary = await app.inject({ method: 'POST', url: '/v1/traces', headers: headers(), payload: Buffer.from([1]) })
  assert.equal(binary.headers['content-type'], PROTOBUF)
  assert.deepEqual(decodeExportResponse(binary.rawPayload), { rejected: 2, message: 'too old' })
  const json = await app.inject({ method: 'POST', url: '/v1/metrics', headers: headers({ 'content-type': 'application/json' }), payload: '{}' })
  assert.deepEqual(json.json(), { partialSuccess: { rejectedDataPoints: '2', errorMessage: 'too old' } })
})

test('refusals carry their status, a Status message, and when to come back', async () => {
  const { app, sink } = await createFixture()
  const post = (more: Record<string, string>, payload: Buffer | string = Buffer.from([1])): Promise<LightMyRequestResponse> =>
    app.inject({ method: 'POST', url: '/v1/traces', headers: headers(more), payload })
  const big = await post({}, Buffer.alloc(10_001))
  assert.equal(big.statusCode, 413)
  assert.equal((await post({ 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(20_001)))).statusCode, 413)
  assert.equal((await post({ 'content-encoding': 'gzip' }, Buffer.from('not gzip'))).statusCode, 400)
  assert.equal((await post({ 'content-encoding': 'br' })).statusCode, 415)
  assert.equal((await post({ 'content-type': 'text/xml' })).statusCode, 415)
  assert.equal((await post({ 'andon-batch': 'x/1' })).statusCode, 400)
  assert.equal(sink.got.length, 0)
  for (const [code, status, seconds] of [['overloaded', 429, '1'], ['unavailable', 503, '1'], ['disk_full', 503, '30']] as const) {
    sink.answer = () => {
      throw new AndonError(code, 'come back')
    }
    const answer = await post({ 'content-type': 'application/json' }, '{}')
    assert.equal(answer.statusCode, status)
    assert.equal(answer.headers['retry-after'], seconds)
    assert.match(answer.json<{ message: string }>().message, new RegExp(`^${code}: come back\\. \\S`))
  }
  sink.answer = () => {
    throw new Error('secret detail')
  }
  const broken = await post({})
  assert.equal(broken.statusCode, 500)
  assert.ok(!broken.body.includes('secret detail'))
})

test('what is no HTTP, or too long a head, is answered with code, message and hint', async () => {
  const { app } = await createFixture()
  await app.listen({ host: '127.0.0.1', port: 0 })
  try {
    const address = app.server.address()
    assert.ok(typeof address === 'object' && address !== null)
    for (const [text, status, code] of [['NO HTTP\r\n\r\n', 400, 'bad_body'], [`GET /?${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431, 'too_large']] as const) {
      const socket = connect(address.port, '127.0.0.1').setEncoding('utf8')
      socket.write(text)
      let answer = ''
      for await (const chunk of socket) answer += String(chunk)
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
      assert.match(answer, new RegExp(`"error":\\{"code":"${code}","message":".+","hint":".+"\\}`))
    }
  } finally {
    await app.close()
  }
})
