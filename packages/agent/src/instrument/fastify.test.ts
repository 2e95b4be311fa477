// Fastify on real servers: errors of handlers and hooks, and what a request costs of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram, startReceiver } from '../otlp-receiver.test.ts'

const APP = `
const app = fastify()
// Each read of a request's routeOptions asks for this; its getter itself cannot be replaced.
const ask = app.hasConstraintStrategy
let reads = 0
app.hasConstraintStrategy = (name) => { reads += 1; return ask(name) }
app.get('/cards/:id', async () => 'card')
app.get('/throws', () => { throw new RangeError('thrown') })
app.get('/rejects', async () => { await null; throw new TypeError('rejected') })
app.get('/sends', (request, reply) => { reply.send(new Error('sent')) })
app.get('/text', () => { throw 'no error' })
app.register(async (below) => {
  below.addHook('preHandler', async () => { throw new Error('in a hook') })
  below.get('/hook', async () => 'never')
})
app.register(async (below) => {
  below.setErrorHandler((error, request, reply) => reply.code(400).send({ told: error.message }))
  below.get('/handled', () => { throw new RangeError('handled') })
})
app.register(async (below) => {
  below.setErrorHandler((error) => { throw error })
  below.get('/thrown-on', async () => { throw new RangeError('thrown on') })
})
app.get('/own', { errorHandler: (error, request, reply) => reply.code(418).send('own') }, async () => { throw new RangeError('of a route') })
app.listen({ port: 0, host: '127.0.0.1' }).then(async (url) => {
  reads = 0
  for (const path of process.env.PATHS.split(' ')) await (await fetch(url + path)).text()
  console.log(reads)
  app.server.closeAllConnections()
  await app.close()
})
`
const EXPECTED: readonly (readonly [path: string, route: string | undefined, status: bigint, exceptions: readonly string[]])[] = [
  ['/cards/7', '/cards/:id', 200n, []],
  ['/throws', '/throws', 500n, ['RangeError: thrown']],
  ['/rejects', '/rejects', 500n, ['TypeError: rejected']],
  ['/sends', '/sends', 500n, ['Error: sent']],
  ['/text', '/text', 500n, []],
  ['/hook', '/hook', 500n, ['Error: in a hook']],
  ['/handled', '/handled', 400n, ['RangeError: handled']],
  ['/thrown-on', '/thrown-on', 500n, ['RangeError: thrown on']],
  ['/own', '/own', 418n, ['RangeError: of a route']],
  ['/nowhere', undefined, 404n, []],
]

for (const type of ['module', 'commonjs'] as const) {
  test(`Fastify, ${type}: an error is on the request's span, once, whoever answers it; the route is read once for a request`, { timeout: 60_000 }, async (t) => {
    const receiver = await startReceiver(t)
    const load = type === 'module' ? `import fastify from 'fastify'` : `const fastify = require('fastify')`
    const { code, stdout, stderr } = await runProgram(t, type, `${load}\n${APP}`, receiver.url, { PATHS: EXPECTED.map(([path]) => path).join(' ') })
    assert.deepEqual([code, stderr], [0, ''])
    const servers = receiver.spans.filter(({ kind }) => kind === 'server').toSorted((a, b) => Number(a.start - b.start))
    const found = servers.map(({ attributes, events }) => [
      attributes['url.path'],
      attributes['http.route'],
      attributes['http.response.status_code'],
      events.map((event) => ['type', 'message'].map((part) => event.attributes[`exception.${part}`]).filter((value) => typeof value === 'string').join(': ')),
    ])
    assert.deepEqual(found, EXPECTED)
    // Each read builds an object.
    assert.equal(Number(stdout), EXPECTED.length)
  })
}
