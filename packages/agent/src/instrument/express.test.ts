// Express 4 and 5 on real servers: nested routers and applications, patterns, errors, and what the inventory says.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram, startReceiver } from '../otlp-receiver.test.ts'
import { copyAs } from './library-copy.test.ts'
import { pathText } from './route-names.ts'

const APP = `
const app = express()
app.use((request, response, next) => setImmediate(next))
app.get('/', (request, response) => response.send('root'))
app.route('/cards/:id').get((request, response) => response.send('card')).put((request, response) => response.send('put'))
const orgs = express.Router({ mergeParams: true })
const boards = express.Router()
boards.get('/', (request, response) => response.send('boards'))
boards.get('/:board', async (request, response) => { await new Promise((resolve) => setTimeout(resolve, 5)); response.send('board') })
orgs.use('/boards', boards)
app.use('/orgs/:org', orgs)
app.use(['/old', '/older'], boards)
const admin = express()
admin.get('/users/:user', (request, response) => response.send('user'))
app.use('/admin', admin)
app.use('/hidden/:id', (request, response, next) => boards(request, response, next))
app.get(/^\\/files\\/(.+)$/, (request, response) => response.send('file'))
app.get('/throws', () => { throw new RangeError('thrown') })
app.get('/nexts', (request, response, next) => setImmediate(next, new TypeError('given')))
app.get('/handled', (request, response, next) => next(new Error('handled')))
app.use((error, request, response, next) => error.message === 'handled' ? response.status(400).send('bad') : next(error))
app.use('/middleware', (request, response) => response.send('only middleware'))
app.listen(0, '127.0.0.1', async function () {
  console.error = () => {}
  for (const path of process.env.PATHS.split(' ')) await (await fetch('http://127.0.0.1:' + this.address().port + path)).text()
  await new Promise((resolve) => setTimeout(resolve, 1100))
  console.log(JSON.stringify(inventoryItems().map(({ name }) => name)))
  this.closeAllConnections()
  this.close()
})
`
const EXPECTED: readonly (readonly [path: string, route: string | undefined])[] = [
  ['/', '/'],
  ['/cards/7?x=1', '/cards/:id'],
  ['/orgs/1/boards', '/orgs/:org/boards'],
  ['/orgs/1/boards/2', '/orgs/:org/boards/:board'],
  ['/older/5', '/older/:board'],
  ['/admin/users/3', '/admin/users/:user'],
  ['/hidden/99/5', '/hidden/*/:board'],
  ['/files/a/b', pathText(/^\/files\/(.+)$/)],
  ['/throws', '/throws'],
  ['/nexts', '/nexts'],
  ['/handled', '/handled'],
  ['/middleware', undefined],
  ['/nowhere', undefined],
]
const ROUTES = ['GET /', 'GET /cards/:id', 'PUT /cards/:id', 'GET /orgs/:org/boards', 'GET /orgs/:org/boards/:board', 'GET /admin/users/:user', 'GET /old/:board', 'GET /older/:board', 'GET /throws', 'GET /handled']

for (const version of [4, 5] as const) {
  for (const type of ['module', 'commonjs'] as const) {
    test(`Express ${version}, ${type}: routes are named as they were written, errors are on the request's span, the inventory holds the routes`, { timeout: 60_000 }, async (t) => {
      const receiver = await startReceiver(t)
      const file = version === 4 ? copyAs(t, 'express4', 'express') : `${process.cwd()}/app.js`
      const inventory = new URL('../inventory.js', import.meta.url).href
      const text =
        type === 'module'
          ? `import { createRequire } from 'node:module'\nimport { pathToFileURL } from 'node:url'\nimport { inventoryItems } from '${inventory}'\nconst { default: express } = await import(pathToFileURL(createRequire(process.env.FILE).resolve('express')).href)\n${APP}`
          : `const express = require('node:module').createRequire(process.env.FILE)('express')\nimport('${inventory}').then(({ inventoryItems }) => {\n${APP}})`
      const { code, stdout, stderr } = await runProgram(t, type, text, receiver.url, { FILE: file, PATHS: EXPECTED.map(([path]) => path).join(' ') })
      assert.deepEqual([code, stderr], [0, ''])

      const servers = receiver.spans.filter(({ kind }) => kind === 'server').toSorted((a, b) => Number(a.start - b.start))
      assert.deepEqual(servers.map(({ attributes }) => [attributes['url.path'], attributes['http.route']]), EXPECTED.map(([path, route]) => [path.split('?', 1)[0], route]))
      assert.deepEqual(servers.map(({ name }) => name), EXPECTED.map(([, route]) => (route === undefined ? 'GET' : `GET ${route}`)))
      const exceptions = servers.flatMap(({ attributes, events }) => events.map((event) => [attributes['url.path'], event.attributes['exception.type'], event.attributes['exception.message']]))
      assert.deepEqual(exceptions, [['/throws', 'RangeError', 'thrown'], ['/nexts', 'TypeError', 'given'], ['/handled', 'Error', 'handled']])
      const registered: string[] = JSON.parse(stdout)
      for (const route of ROUTES) assert.ok(registered.includes(route), `${route} of ${registered.join(', ')}`)
      assert.ok(!registered.includes('GET /boards'))
    })
  }
}
