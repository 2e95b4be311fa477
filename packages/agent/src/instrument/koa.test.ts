// Koa with its router on real servers: nested routers, prefixes, errors, and what the inventory says.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram, startReceiver } from '../otlp-receiver.test.ts'

const APP = `
const app = new Koa()
app.silent = true
app.use(async (context, next) => { await new Promise(setImmediate); await next() })
const router = new Router({ prefix: '/api' })
router.get('/cards/:id', (context) => { context.body = 'card' })
const boards = new Router()
boards.get('/boards/:board', async (context) => { await new Promise((resolve) => setTimeout(resolve, 5)); context.body = 'board' })
boards.post('/boards', (context) => { context.body = 'made' })
router.use('/orgs/:org', boards.routes(), boards.allowedMethods())
router.get('/throws', () => { throw new RangeError('thrown') })
app.use(router.routes())
app.use((context) => { if (context.path === '/plain') context.body = 'plain' })
app.listen(0, '127.0.0.1', async function () {
  for (const path of process.env.PATHS.split(' ')) await (await fetch('http://127.0.0.1:' + this.address().port + path)).text()
  await new Promise((resolve) => setTimeout(resolve, 1100))
  console.log(JSON.stringify(inventoryItems().map(({ name }) => name)))
  this.closeAllConnections()
  this.close()
})
`
const EXPECTED: readonly (readonly [path: string, route: string | undefined, status: bigint])[] = [
  ['/api/cards/7', '/api/cards/:id', 200n],
  ['/api/orgs/1/boards/2', '/api/orgs/:org/boards/:board', 200n],
  ['/api/throws', '/api/throws', 500n],
  ['/plain', undefined, 200n],
  ['/nowhere', undefined, 404n],
]

for (const type of ['module', 'commonjs'] as const) {
  test(`Koa, ${type}: routes are named as they were written, errors are on the request's span, the inventory holds the routes`, { timeout: 60_000 }, async (t) => {
    const receiver = await startReceiver(t)
    const inventory = new URL('../inventory.js', import.meta.url).href
    const text =
      type === 'module'
        ? `import Koa from 'koa'\nimport { Router } from '@koa/router'\nimport { inventoryItems } from '${inventory}'\n${APP}`
        : `const Koa = require('koa')\nconst { Router } = require('@koa/router')\nimport('${inventory}').then(({ inventoryItems }) => {\n${APP}})`
    const { code, stdout, stderr } = await runProgram(t, type, text, receiver.url, { PATHS: EXPECTED.map(([path]) => path).join(' ') })
    assert.deepEqual([code, stderr], [0, ''])
    const servers = receiver.spans.filter(({ kind }) => kind === 'server').toSorted((a, b) => Number(a.start - b.start))
    assert.deepEqual(servers.map(({ attributes }) => [attributes['url.path'], attributes['http.route'], attributes['http.response.status_code']]), EXPECTED)
    const exceptions = servers.flatMap(({ attributes, events }) => events.map((event) => [attributes['url.path'], event.attributes['exception.type']]))
    assert.deepEqual(exceptions, [['/api/throws', 'RangeError']])
    const registered: string[] = JSON.parse(stdout)
    for (const route of ['GET /api/cards/:id', 'GET /api/orgs/:org/boards/:board', 'POST /api/orgs/:org/boards']) assert.ok(registered.includes(route), `${route} of ${registered.join(', ')}`)
  })
}
