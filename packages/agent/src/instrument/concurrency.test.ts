// Every request has exactly its spans, under its own trace and parent, whatever else goes on: the statements say by
// themselves which request they belong to, and each one is checked.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { after, before, test } from 'node:test'
import type { SpanRecord } from '@andon/model'
import { copyAs } from './library-copy.test.ts'
import { type Receiver, receive } from '../otlp-receiver.test.ts'
import { noPostgres, runPostgres } from '../postgres.test.ts'

/** The statements of each route, and whether one of them fails. */
const ROUTES = { plain: 2, transaction: 4, queued: 3, cursor: 1, submittable: 1, prepared: 2, callback: 2, error: 1, copies: 2, none: 0 } as const
type Route = keyof typeof ROUTES
const NAMES = Object.keys(ROUTES).filter((name): name is Route => name in ROUTES)

const PROGRAM = `
import { createServer } from 'node:http'
import pg from 'pg'
import Cursor from 'pg-cursor'
import { createRequire } from 'node:module'
const copy = createRequire(process.env.COPY)('pg')
if (copy.Client === pg.Client) throw new Error('pg is there once only')
const second = new copy.Pool({ connectionString: process.env.PGURL, max: 3 })
const pool = new pg.Pool({ connectionString: process.env.PGURL, max: 10 })
const work = {
  async plain(of) { await pool.query('SELECT 1 AS ' + of); await pool.query('SELECT 2 AS ' + of) },
  async transaction(of) {
    const client = await pool.connect()
    try {
      await client.query('BEGIN /* ' + of + ' */')
      await client.query('SELECT pg_sleep(0.002) AS ' + of)
      await client.query('SELECT 3 AS ' + of)
      await client.query('COMMIT /* ' + of + ' */')
    } finally { client.release() }
  },
  async queued(of) {
    const client = await pool.connect()
    try { await Promise.all([1, 2, 3].map((n) => client.query('SELECT ' + n + ' AS ' + of))) } finally { client.release() }
  },
  async cursor(of) {
    const client = await pool.connect()
    try {
      const cursor = client.query(new Cursor('SELECT generate_series(1, 30) AS ' + of))
      while ((await cursor.read(10)).length > 0);
      await cursor.close()
    } finally { client.release() }
  },
  async submittable(of) {
    const client = await pool.connect()
    try {
      await new Promise((resolve, reject) => client.query(new pg.Query('SELECT 5 AS ' + of)).on('end', resolve).on('error', reject))
    } finally { client.release() }
  },
  async prepared(of) {
    const statement = { name: of, text: 'SELECT $1::int AS ' + of }
    await pool.query(statement, [1])
    await pool.query({ ...statement, values: [2] })
  },
  callback: (of) => new Promise((resolve, reject) => pool.query('SELECT 1 AS ' + of, (error) => {
    if (error) return reject(error)
    pool.query('SELECT $1::int AS ' + of, [2], (again) => again ? reject(again) : resolve())
  })),
  error: (of) => pool.query('SELECT 1/0 AS ' + of).catch((error) => { if (error.code !== '22012') throw error }),
  async copies(of) { await second.query('SELECT 1 AS ' + of); await pool.query('SELECT 2 AS ' + of) },
  async none() {},
}
const server = createServer((request, response) => {
  const of = 't' + request.headers.traceparent.slice(3, 35)
  const task = work[request.url.slice(1)]
  if (task === undefined) { response.writeHead(404).end(); return }
  task(of).then(() => response.end('done'), (error) => response.writeHead(500).end(String(error)))
})
let background = 0
let failed = 0
const timer = setInterval(() => { background += 1; pool.query('SELECT 1 AS background').catch(() => (failed += 1)) }, 5)
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.on('message', async () => {
  clearInterval(timer)
  server.closeAllConnections()
  server.close()
  await pool.end()
  await second.end()
  process.send({ background, failed })
  process.disconnect()
})
`

interface Sent {
  readonly traceId: string
  readonly route: Route | 'missing'
  readonly isAborted: boolean
}

let receiver: Receiver
let child: ChildProcess | undefined
let port = 0
const ends: (() => Promise<void>)[] = []
const sent: Sent[] = []

before(async () => {
  if (noPostgres !== false) return
  const received = await receive()
  receiver = received.receiver
  ends.push(received.end)
  const postgres = await runPostgres()
  ends.push(postgres.end)
  const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...inherited } = process.env
  child = spawn(process.execPath, ['--import', import.meta.resolve('@andon/agent/register'), '--input-type=module', '-e', PROGRAM], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...inherited, COPY: copyAs({ after: (end) => ends.push(async () => end()) }, 'pg', 'pg'), PGURL: postgres.url, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_SERVICE_NAME: 'concurrency' },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  for await (const line of createInterface({ input: child.stdout! })) {
    port = Number(line)
    break
  }
})

after(async () => {
  child?.kill('SIGKILL')
  for (const end of ends.toReversed()) await end()
})

function textOf({ attributes }: SpanRecord): string {
  return typeof attributes['db.query.text'] === 'string' ? attributes['db.query.text'] : ''
}

/** @param own - the spans of its trace */
function checkRequest({ traceId, route, isAborted }: Sent, own: readonly SpanRecord[]): void {
  const servers = own.filter(({ kind }) => kind === 'server')
  // A request that was given up before it was read leaves nothing.
  if (isAborted && servers.length === 0) return
  assert.equal(servers.length, 1, `${route}: server spans`)
  const [server] = servers
  assert.ok(server !== undefined)
  assert.equal(server.parentSpanId, 'b'.repeat(16))
  const statements = own.filter((span) => textOf(span).includes(`t${traceId}`))
  assert.equal(statements.length, route === 'missing' ? 0 : ROUTES[route], `${route}: ${statements.map(textOf).join(', ')}`)
  for (const span of own) {
    if (span === server) continue
    assert.equal(span.parentSpanId, server.spanId, `${route}: ${span.name}`)
    assert.ok(textOf(span).includes(`t${traceId}`) || span.name === 'CONNECT', `${route} holds a stranger: ${textOf(span)}`)
  }
  if (route === 'error') assert.deepEqual(statements.map(({ status, attributes }) => [status.code, attributes['error.type'], attributes['db.response.status_code']]), [['error', '22012', '22012']])
}

async function request(agent: http.Agent, route: Route | 'missing', isAborted: boolean): Promise<void> {
  const traceId = randomBytes(16).toString('hex')
  sent.push({ traceId, route, isAborted })
  await new Promise<void>((resolve, reject) => {
    const outgoing = http.get({ host: '127.0.0.1', port, path: `/${route}`, agent, headers: { traceparent: `00-${traceId}-${'b'.repeat(16)}-01` } }, (response) => {
      if (response.statusCode !== (route === 'missing' ? 404 : 200)) reject(new Error(`${route}: ${response.statusCode}`))
      response.resume().once('end', resolve).once('error', reject)
    })
    outgoing.once('error', (error) => (isAborted ? resolve() : reject(error)))
    // Aborted once the server works on it.
    if (isAborted) outgoing.once('finish', () => setImmediate(() => outgoing.destroy()))
  })
}

for (const connections of [1, 4, 16, 48, 64]) {
  test(`${connections} connections over a pool of 10`, { timeout: 120_000, skip: noPostgres }, async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: connections })
    let next = 0
    const total = connections * 12
    const worker = async (): Promise<void> => {
      while (next < total) {
        const index = (next += 1)
        // One in nine is not known, one in 13 is given up.
        await request(agent, index % 9 === 0 ? 'missing' : (NAMES[index % NAMES.length] ?? 'plain'), index % 13 === 0)
      }
    }
    await Promise.all(Array.from({ length: connections }, worker))
    agent.destroy()
  })
}

test('every request has exactly its spans, and no span of the background joins a request', { timeout: 60_000, skip: noPostgres }, async () => {
  assert.ok(child !== undefined)
  child.send('end')
  const [told]: { readonly background: number; readonly failed: number }[] = await once(child, 'message')
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
  assert.equal(told?.failed, 0)
  const { spans } = receiver
  const byTrace = new Map<string, SpanRecord[]>()
  for (const span of spans) byTrace.set(span.traceId, [...(byTrace.get(span.traceId) ?? []), span])
  for (const each of sent) checkRequest(each, byTrace.get(each.traceId) ?? [])

  const known = new Set(sent.map(({ traceId }) => traceId))
  const background = spans.filter((span) => textOf(span) === 'SELECT ? AS background')
  assert.equal(background.length, told.background)
  for (const { parentSpanId, traceId } of background) assert.ok(parentSpanId === '' && !known.has(traceId))
  // What says whose it is stands in no other trace.
  for (const span of spans) {
    const owner = /t([\da-f]{32})/.exec(textOf(span))?.[1]
    if (owner !== undefined) assert.equal(span.traceId, owner)
  }
  assert.ok(sent.length > 1500)
  assert.ok(spans.some(({ attributes }) => Number(attributes['andon.db.pool_wait'] ?? 0) > 0))
})
