// The texts of small web applications, each the same for both sides: a server, and a script of requests to it, one step each.

/** Begins every application: a step is a span of its own, under which all of its work hangs. */
export const STEPS: string = `
const { trace } = require('@opentelemetry/api')
const step = (name, run) => trace.getTracer('t').startActiveSpan('step ' + name, async (span) => {
  try { await run() } catch (error) { if (process.env.SHOW) console.error(error) } finally { span.end() }
})
const freePort = () => new Promise((resolve) => {
  const server = require('node:net').createServer().listen(0, '127.0.0.1', () => { const { port } = server.address(); server.close(() => resolve(port)) })
})
const tell = (ports) => console.log(JSON.stringify(ports))
`

const ASK = `${STEPS}
const http = require('node:http')
const ask = (port, path, { body, ...options } = {}) => new Promise((resolve) => {
  const request = http.request({ host: '127.0.0.1', port, path, ...options }, (response) => response.resume().on('close', resolve))
  request.on('error', resolve)
  request.end(body)
})
`

const BARE_SERVER = `
const listener = (request, response) => {
  const { pathname } = new URL(request.url, 'http://x')
  if (pathname === '/missing') response.writeHead(404).end('no')
  else if (pathname === '/broken') response.writeHead(503).end('bad')
  else if (pathname === '/reset') request.socket.destroy()
  else if (pathname === '/slow') response.flushHeaders()
  else if (pathname === '/cut') { response.writeHead(200, { 'content-length': 9 }).write('four'); setImmediate(() => request.socket.destroy()) }
  else if (pathname === '/moved') response.writeHead(302, { location: '/item' }).end()
  else if (pathname === '/nested') http.get({ host: '127.0.0.1', port: server.address().port, path: '/item' }, (inner) => inner.pipe(response))
  else response.end('ok')
}
const server = http.createServer(listener)
server.on('upgrade', (request, socket) => socket.end('HTTP/1.1 101 Switching Protocols\\r\\nconnection: upgrade\\r\\nupgrade: echo\\r\\n\\r\\n'))
`

const CLIENT_STEPS = `
server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address()
  const closed = await freePort()
  await step('found', () => ask(port, '/item/7?page=2'))
  await step('post', () => ask(port, '/item', { method: 'POST', body: 'four', headers: { 'content-length': 4, 'user-agent': 'test/1' } }))
  await step('head', () => ask(port, '/item', { method: 'HEAD' }))
  await step('unknown method', () => ask(port, '/item', { method: 'PURGE' }))
  await step('missing', () => ask(port, '/missing'))
  await step('broken', () => ask(port, '/broken'))
  await step('nested', () => ask(port, '/nested'))
  await step('moved', () => ask(port, '/moved'))
  await step('password', () => ask(port, '/item?token=s3cret', { auth: 'me:s3cret' }))
  await step('reset', () => ask(port, '/reset'))
  await step('refused', () => ask(closed, '/item'))
  await extra(port)
  server.closeAllConnections()
  server.close()
  tell({ server: port, closed })
})
`

/** Node's own server and client. */
export const NODE_HTTP: string = `${ASK}${BARE_SERVER}
const extra = async (port) => {
  await step('left early', () => new Promise((resolve) => {
    const request = http.get('http://127.0.0.1:' + port + '/slow', () => request.destroy())
    request.on('close', resolve)
    request.on('error', () => {})
  }))
  await step('in time', () => new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, path: '/slow' }, (response) => { response.resume().on('error', () => {}); request.setTimeout(50) })
    request.on('timeout', () => request.destroy(new Error('too late'))).on('error', () => {}).on('close', resolve)
  }))
  await step('cut off', () => new Promise((resolve) => http.get({ host: '127.0.0.1', port, path: '/cut' }, (response) => response.resume().on('error', () => {}).on('close', resolve))))
  await step('upgrade', () => new Promise((resolve) => http.get({ host: '127.0.0.1', port, path: '/', headers: { connection: 'upgrade', upgrade: 'echo' } }).on('upgrade', (_response, socket) => socket.on('close', resolve).resume().end())))
  await step('expect', () => new Promise((resolve) => {
    const request = http.request({ host: '127.0.0.1', port, path: '/item', method: 'PUT', headers: { expect: '100-continue' } }, (response) => response.resume().on('close', resolve))
    request.on('continue', () => request.end('four'))
  }))
  await step('by name', () => new Promise((resolve) => http.get(new URL('http://localhost:' + port + '/a%20b?q=%C3%A9#part'), { family: 4 }, (response) => response.resume().on('close', resolve))))
  await step('listed headers', () => new Promise((resolve) => http.get({ host: '127.0.0.1', port, path: '/item', headers: ['host', 'listed.example', 'x-one', '1'] }, (response) => response.resume().on('close', resolve))))
  await step('behind a proxy', () => ask(port, '/item', { headers: { host: 'inner:8080', 'x-forwarded-for': '10.1.2.3', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'shop.example' } }))
  await step('by a stranger', () => new Promise((resolve) => {
    const socket = require('node:net').connect(port, '127.0.0.1', () => socket.end('GET /item HTTP/1.1\\r\\nhost: shop.example:81\\r\\nx-forwarded-for: 10.1.2.3, 10.9.9.9\\r\\nconnection: close\\r\\n\\r\\n'))
    socket.resume().on('close', resolve)
  }))
}
${CLIENT_STEPS}`

/** Clients that are made of undici: fetch, and the package of that name. */
export const FETCH: string = `${STEPS}
const http = require('node:http')
const ask = async (port, path, { body, auth, method = 'GET', ...options } = {}) => {
  const answer = await fetch('http://127.0.0.1:' + port + path, { ...options, body, method, redirect: 'manual' })
  await answer.arrayBuffer()
}
${BARE_SERVER}
const extra = async (port) => {
  const { request } = require('undici')
  await step('undici', async () => (await request('http://127.0.0.1:' + port + '/item?page=3', { method: 'POST', body: 'four' })).body.dump())
  await step('followed', async () => (await fetch('http://127.0.0.1:' + port + '/moved')).arrayBuffer())
  await step('left early', async () => {
    const abort = new AbortController()
    const answer = await fetch('http://127.0.0.1:' + port + '/slow', { signal: abort.signal })
    abort.abort()
    await answer.arrayBuffer()
  })
}
${CLIENT_STEPS}`

const ROUTE_STEPS = `
const visit = async (server) => {
  const { port } = server.address()
  await step('item', () => ask(port, '/items/7?page=2'))
  await step('post', () => ask(port, '/items', { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json', 'content-length': 7 } }))
  await step('head', () => ask(port, '/items/7', { method: 'HEAD' }))
  await step('mounted', () => ask(port, '/api/users/9'))
  await step('mounted root', () => ask(port, '/api'))
  await step('teapot', () => ask(port, '/teapot'))
  await step('missing', () => ask(port, '/nowhere/1'))
  await step('missing below', () => ask(port, '/api/nowhere'))
  await step('broken', () => ask(port, '/broken'))
  await step('rejected', () => ask(port, '/rejected'))
  await step('nested', () => ask(port, '/nested'))
  await step('turned away', () => ask(port, '/guarded/7'))
  await step('invalid', () => ask(port, '/items', { method: 'POST', body: '{', headers: { 'content-type': 'application/json', 'content-length': 1 } }))
  await step('deep', () => ask(port, '/orgs/1/boards/2?x=1'))
  await step('any method', () => ask(port, '/any', { method: 'DELETE' }))
  await step('wildcard', () => ask(port, '/files/a/b.txt'))
  server.closeAllConnections()
  server.close()
  tell({ server: port })
}
let port = 0
const listening = function () { port = this.address().port; visit(this) }
`

/** Express; which version is a matter of what `FILE` leads to. */
export const EXPRESS: string = `${ASK}${ROUTE_STEPS}
const express = require(process.env.FILE)
const app = express()
app.use(express.json())
app.get('/items/:id', (request, response) => response.json({ id: request.params.id }))
app.post('/items', (request, response) => response.status(201).json(request.body))
const api = express.Router()
api.get('/', (_request, response) => response.send('api'))
api.get('/users/:user', (request, response) => response.send('ok'))
app.use('/api', api)
app.get('/teapot', (_request, response) => response.status(418).end())
app.get('/broken', () => { throw new RangeError('no good') })
app.get('/rejected', async (_request, _response, next) => next(new TypeError('later')))
app.get('/nested', async (_request, response) => { await ask(port, '/items/3'); response.send('ok') })
app.use('/guarded', (_request, response) => response.status(401).end())
app.get('/guarded/:id', (_request, response) => response.send('secret'))
const boards = express.Router({ mergeParams: true })
boards.get('/:board', (_request, response) => response.send('board'))
const orgs = express.Router()
orgs.use('/:org/boards', boards)
app.use('/orgs', orgs)
app.all('/any', (_request, response) => response.send('any'))
app.get(/^\\/files\\/(.+)$/, (_request, response) => response.send('file'))
app.use((error, _request, response, _next) => response.status(500).send(error.name))
app.listen(0, '127.0.0.1', listening)
`

/** Koa with the router of its own project. */
export const KOA: string = `${ASK}${ROUTE_STEPS}
const Koa = require('koa')
const Router = require('@koa/router')
const app = new Koa()
app.silent = true
const router = new Router()
router.get('/items/:id', (context) => { context.body = { id: context.params.id } })
router.post('/items', (context) => { context.status = 201; context.body = 'made' })
const api = new Router({ prefix: '/api' })
api.get('/', (context) => { context.body = 'api' })
api.get('/users/:user', (context) => { context.body = 'ok' })
router.get('/teapot', (context) => { context.status = 418 })
router.get('/broken', () => { throw new RangeError('no good') })
router.get('/rejected', async () => { await null; throw new TypeError('later') })
router.get('/nested', async (context) => { await ask(port, '/items/3'); context.body = 'ok' })
router.use('/guarded', (context) => { context.status = 401 })
router.get('/guarded/:id', (context) => { context.body = 'secret' })
const boards = new Router()
boards.get('/:board', (context) => { context.body = 'board' })
router.use('/orgs/:org/boards', boards.routes())
router.all('/any', (context) => { context.body = 'any' })
router.get('/files/*path', (context) => { context.body = 'file' })
app.use(async function timing(context, next) { await next(); context.set('x-time', '1') })
app.use(router.routes())
app.use(api.routes())
app.listen(0, '127.0.0.1', listening)
`

/** Fastify. */
export const FASTIFY: string = `${ASK}${ROUTE_STEPS}
const app = require('fastify')()
app.get('/items/:id', async (request) => ({ id: request.params.id }))
app.post('/items', async (request, reply) => reply.code(201).send(request.body))
app.register(async (api) => {
  api.get('/', async () => 'api')
  api.get('/users/:user', async () => 'ok')
}, { prefix: '/api' })
app.get('/teapot', (_request, reply) => { reply.code(418).send() })
app.get('/broken', () => { throw new RangeError('no good') })
app.get('/rejected', async () => { await null; throw new TypeError('later') })
app.get('/nested', async () => { await ask(port, '/items/3'); return 'ok' })
app.register(async (guarded) => {
  guarded.addHook('onRequest', async (_request, reply) => reply.code(401).send())
  guarded.get('/guarded/:id', async () => 'secret')
})
app.register(async (orgs) => orgs.register(async (boards) => boards.get('/:board', async () => 'board'), { prefix: '/:org/boards' }), { prefix: '/orgs' })
app.all('/any', async () => 'any')
app.get('/files/*', async () => 'file')
app.listen({ port: 0, host: '127.0.0.1' }).then(() => listening.call(app.server))
`
