import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { CommandError, EXIT } from './exit.ts'
import { query, queryUrl, renderResult } from './query.ts'
import { agentEnvironment } from './run.ts'
import { sparkline, table } from './table.ts'

test('numbers stand at the right, texts at the left, each column as wide as its widest cell', () => {
  assert.equal(table(['series', 'value'], [['a', '1'], ['long', '22.5']]), 'series  value\n──────  ─────\na           1\nlong     22.5')
  assert.equal(table(['series', 'value'], []), 'series  value\n──────  ─────')
})

test('bars reach from the least (or zero) to the greatest; what is no number is a space', () => {
  assert.equal(sparkline([0, 7, Number.NaN, 14]), '▁▅ █')
  assert.equal(sparkline([0, 0]), '▁▁')
  assert.equal(sparkline([]), '')
})

test('the request for the newest value, for a course, and for a step of its own', () => {
  const url = 'http://localhost:4318'
  assert.equal(queryUrl('up{a="b"}', { url }, 1000), `${url}/api/v1/query?query=up%7Ba%3D%22b%22%7D`)
  assert.equal(queryUrl('up', { url, range: '1h' }, 10_000), `${url}/api/v1/query_range?query=up&start=6400&end=10000&step=60`)
  assert.equal(queryUrl('up', { url, range: '1m', step: '5s' }, 10_000), `${url}/api/v1/query_range?query=up&start=9940&end=10000&step=5`)
  assert.throws(() => queryUrl('up', { url, range: 'soon' }, 0), (error) => error instanceof CommandError && error.code === EXIT.usage)
})

test('each kind of result has a text', () => {
  const metric = { __name__: 'up', job: 'a' }
  assert.match(renderResult({ resultType: 'vector', result: [{ metric, value: [1, '3'] }] }), /up\{job="a"\} +3$/)
  assert.match(renderResult({ resultType: 'matrix', result: [{ metric, values: [[1, '1'], [2, '3']] }] }), /up\{job="a"\} +3 +1 +3 +▃█$/)
  assert.match(renderResult({ resultType: 'vector', result: [{ metric: {}, histogram: [1, { count: '4', sum: '2' }] }] }), /count 4, sum 2/)
  assert.equal(renderResult({ resultType: 'scalar', result: [1, '2'] }), '2')
  assert.equal(renderResult({ resultType: 'vector', result: [] }), 'nothing')
})

test('what the server answers is data, a refusal, or nobody there; the token goes with the request', async () => {
  let asked: { url: string | undefined; authorization: string | undefined } | undefined
  const server = createServer((request, response) => {
    asked = { url: request.url, authorization: request.headers.authorization }
    const bad = request.url?.includes('bad') === true
    response.statusCode = bad ? 400 : 200
    response.end(JSON.stringify(bad ? { status: 'error', errorType: 'bad_data', error: 'parse error at 1' } : { status: 'success', data: { resultType: 'scalar', result: [1, '2'] } }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  assert.equal(await query('1+1', { url, token: 'secret' }), '2')
  assert.deepEqual(asked, { url: '/api/v1/query?query=1%2B1', authorization: 'Bearer secret' })
  assert.deepEqual(JSON.parse(await query('1+1', { url, json: true })), { resultType: 'scalar', result: [1, '2'] })
  await assert.rejects(query('bad', { url }), (error) => error instanceof CommandError && error.code === EXIT.problem && error.message === 'parse error at 1')
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
  await assert.rejects(query('1', { url }), (error) => error instanceof CommandError && error.code === EXIT.unreachable && error.message.includes('andon serve'))
})

test('the program is run with the agent before it, and keeps what it was given', () => {
  const env = agentEnvironment({ NODE_OPTIONS: '--enable-source-maps', PATH: '/bin' }, 'file:///agent/register.js', { url: 'http://127.0.0.1:4318', service: 'shop' })
  assert.deepEqual(env, {
    PATH: '/bin',
    NODE_OPTIONS: '--enable-source-maps --import file:///agent/register.js',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
    OTEL_SERVICE_NAME: 'shop',
  })
  assert.equal(agentEnvironment({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://elsewhere' }, 'x', { url: 'http://127.0.0.1:1' })['OTEL_EXPORTER_OTLP_ENDPOINT'], 'http://elsewhere')
})
