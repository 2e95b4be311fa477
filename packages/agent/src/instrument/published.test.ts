// Packages without an instrumentation of ours, driven through the published ones, in CommonJS and ECMAScript programs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram, startReceiver } from '../otlp-receiver.test.ts'

const load = {
  module: (name: string, what: string) => `import ${what} from '${name}'`,
  commonjs: (name: string, what: string) => `const ${what} = require('${name}')`,
} as const

const GRAPHQL = `
const schema = buildSchema('type Query { board(id: ID!): Board } type Board { title: String, cards: [String] }')
graphql({ schema, source: '{ board(id: 7) { title cards } }', rootValue: { board: async () => ({ title: 'b', cards: async () => ['c'] }) } }).then((answer) => console.log(answer.data.board.cards.length))
`
const POOL = `
const pool = generic.createPool({ create: async () => ({}), destroy: async () => {} }, { max: 1 })
const loader = new DataLoader(async (keys) => keys)
const run = async () => trace.getTracer('t').startActiveSpan('work', async (span) => {
  pool.release(await pool.acquire())
  await loader.load(1)
  span.end()
})
run().then(() => pool.drain()).then(() => pool.clear()).then(() => console.log('done'))
`
const HAPI = `
const server = hapi.server({ port: 0, host: '127.0.0.1' })
server.route({ method: 'GET', path: '/cards/{id}', handler: () => 'ok' })
server.start().then(async () => { const answer = await fetch(server.info.uri + '/cards/7', { headers: { connection: 'close' } }); console.log(await answer.text()); await server.stop() })
`

for (const type of ['module', 'commonjs'] as const) {
  test(`${type}: graphql is parsed, validated and executed under spans of the published package`, { timeout: 60_000 }, async (t) => {
    const receiver = await startReceiver(t)
    const { stdout, stderr } = await runProgram(t, type, `${load[type]('graphql', '{ buildSchema, graphql }')}\n${GRAPHQL}`, receiver.url)
    assert.deepEqual([stdout, stderr], ['1\n', ''])
    const names = receiver.spans.map(({ name }) => name)
    for (const name of ['graphql.parse', 'graphql.validate', 'query']) assert.ok(names.includes(name), `${name} of ${names.join(', ')}`)
    const execute = receiver.spans.find(({ name }) => name === 'query')
    assert.ok(receiver.spans.some(({ parentSpanId, name }) => parentSpanId === execute?.spanId && name.startsWith('graphql.resolve')))
  })

  test(`${type}: generic-pool and dataloader record under the work that uses them`, { timeout: 60_000 }, async (t) => {
    const receiver = await startReceiver(t)
    const loads = [load[type]('generic-pool', 'generic'), load[type]('dataloader', 'DataLoader'), load[type]('@opentelemetry/api', '{ trace }')]
    const { stdout, stderr } = await runProgram(t, type, `${loads.join('\n')}\n${POOL}`, receiver.url)
    assert.deepEqual([stdout, stderr], ['done\n', ''])
    const work = receiver.spans.find(({ name }) => name === 'work')
    const below = receiver.spans.filter(({ parentSpanId }) => parentSpanId === work?.spanId).map(({ name }) => name)
    assert.deepEqual(below.toSorted(), ['dataloader.load', 'generic-pool.acquire'])
  })

  test(`${type}: a route of hapi names the server span`, { timeout: 60_000 }, async (t) => {
    const receiver = await startReceiver(t)
    const { stdout, stderr } = await runProgram(t, type, `${load[type]('@hapi/hapi', 'hapi')}\n${HAPI}`, receiver.url)
    assert.deepEqual([stdout, stderr], ['ok\n', ''])
    assert.deepEqual(receiver.spans.filter(({ kind }) => kind === 'server').map(({ name, attributes }) => [name, attributes['http.route']]), [['GET /cards/{id}', '/cards/{id}']])
  })
}
