// Each fault shows its ailment and is gone when it is off, on the whole application over a real PostgreSQL.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs, { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PerformanceObserver } from 'node:perf_hooks'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { FastifyInstance } from 'fastify'
import pg from 'pg'
import { createApp } from './app.ts'
import type { BoardView } from './board-view.ts'
import { type Database, openDatabase, type Queryable } from './db.ts'
import { findBinaries } from './embedded-postgres.ts'
import { FAULT_KINDS, FAULT_NAMES } from './fault-catalogue.ts'
import { FaultyDatabase } from './fault-database.ts'
import { quadraticIndex } from './fault-work.ts'
import { Faults, faultsOf, parseFaults } from './faults.ts'

function missing(): string | false {
  try {
    findBinaries()
    return false
  } catch (error) {
    return error instanceof Error ? error.message : 'no PostgreSQL'
  }
}
const skip = missing()
let folder = ''
let sound: Database
let app: FastifyInstance
const faults = new Faults()
/** Statements since the last time it was emptied, those of transactions too. */
let statements: string[] = []

function through(connection: Queryable): Queryable {
  return {
    query: (text, values) => {
      statements.push(text)
      return connection.query(text, values)
    },
  }
}

function counted(database: Database): Database {
  return { ...through(database), pool: database.pool, transaction: (work) => database.transaction((connection) => work(through(connection))), close: () => database.close() }
}

before(async () => {
  if (skip !== false) return
  folder = mkdtempSync(join(tmpdir(), 'andon-faults-'))
  sound = await openDatabase({ url: undefined, dataDir: folder })
  app = await createApp(counted(sound), faults)
})
after(async () => {
  if (skip !== false) return
  await app.close()
  await sound.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Answer {
  readonly status: number
  readonly ms: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: { readonly board?: BoardView; readonly boards?: readonly { readonly id: string }[]; readonly error?: { readonly code: string }; readonly faults?: readonly { readonly name: string; readonly strength: number }[]; readonly until?: string | null }
}

const cookies = new Map<string, string>()

async function ask(name: string, method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, payload?: object): Promise<Answer> {
  if (!cookies.has(name)) {
    const password = { demo: 'demo', ada: 'ada-lovelace', vera: 'vera-viewer' }[name]
    const entered = await app.inject({ method: 'POST', url: '/api/login', payload: { name, password } })
    cookies.set(name, String(entered.headers['set-cookie']).split(';', 1)[0] ?? '')
  }
  const begun = performance.now()
  const answer = await app.inject({ method, url, headers: { cookie: cookies.get(name) }, ...(payload !== undefined && { payload }) })
  const body: Answer['body'] = answer.body.startsWith('{') ? JSON.parse(answer.body) : {}
  return { status: answer.statusCode, ms: performance.now() - begun, headers: answer.headers, body }
}

async function board(): Promise<BoardView> {
  const [first] = (await ask('demo', 'GET', '/api/boards')).body.boards ?? []
  return (await ask('demo', 'GET', `/api/boards/${first?.id}`)).body.board ?? assert.fail('no board')
}

/** What `look` finds in good days, under a fault, and after it. */
async function around<T>(name: (typeof FAULT_NAMES)[number], strength: number, look: () => Promise<T>): Promise<{ sound: T; struck: T; after: T }> {
  const soundly = await look()
  await faults.replace(new Map([[name, strength]]))
  try {
    const struck = await look()
    await faults.replace(new Map())
    return { sound: soundly, struck, after: await look() }
  } finally {
    await faults.replace(new Map())
  }
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN

async function times(count: number, run: () => Promise<{ readonly ms: number }>): Promise<number> {
  const taken: number[] = []
  for (let number = 0; number < count; number += 1) taken.push((await run()).ms)
  return median(taken)
}

let serial = 0
/** A search that no cache knows. */
const searchOnce = (id: string): Promise<Answer> => ask('demo', 'GET', `/api/boards/${id}/search?text=word${(serial += 1)}`)
const addCard = (of: BoardView): Promise<Answer> => ask('demo', 'POST', `/api/boards/${of.id}/tasks`, { columnId: of.columns[0]?.id, title: `Card ${(serial += 1)}` })

/** The longest time between two turns of the event loop while something runs. */
async function longestBlock(ms: number): Promise<number> {
  let longest = 0
  for (let last = performance.now(), end = last + ms; last < end; ) {
    await wait(1)
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }
  return longest
}

test('slow-query: comments are read without an index; afterwards it is there again, and no comment of the fault', { skip }, async () => {
  const look = async (): Promise<string> => {
    const { rows } = await sound.query<{ 'QUERY PLAN': string }>('EXPLAIN SELECT count(*) FROM comments WHERE card = gen_random_uuid()')
    const { rows: kept } = await sound.query<{ n: number }>('SELECT count(*)::int AS n FROM comments')
    return `${/Index/.test(rows.map((row) => row['QUERY PLAN']).join('\n')) ? 'index' : 'scan'} ${kept[0]?.n}`
  }
  await faults.replace(new Map([['slow-query', 5]]))
  assert.equal(await look(), 'scan 5000')
  assert.ok((await board()).cards.every(({ comments }) => comments === 0))
  await faults.replace(new Map([['slow-query', 6]]))
  assert.equal(await look(), 'scan 6000')
  await faults.replace(new Map())
  const { rows } = await sound.query("SELECT 1 FROM pg_indexes WHERE indexname = 'comments_card'")
  assert.equal(rows.length, 1)
  assert.match(await look(), / 0$/)
})

test('slow-query of a kanban that was killed is healed by its next start', { skip }, async () => {
  await faults.replace(new Map([['slow-query', 1]]))
  await (await createApp(sound)).close()
  const { rows } = await sound.query("SELECT 1 FROM pg_indexes WHERE indexname = 'comments_card'")
  assert.equal(rows.length, 1)
  assert.equal((await sound.query('SELECT 1 FROM comments')).rows.length, 0)
  await faults.replace(new Map())
})

test('n-plus-one: a board takes as many statements as it has cards, and cards stay what they are', { skip }, async () => {
  const seen = await around('n-plus-one', 2, async () => {
    await addCard(await board())
    statements = []
    const { cards } = await board()
    return { cards, statements: statements.length }
  })
  assert.equal(seen.struck.statements - seen.sound.statements, seen.struck.cards.length * 2)
  assert.equal(seen.after.statements, seen.sound.statements)
  const known = new Map(seen.sound.cards.map((card) => [card.id, card]))
  for (const { id, assignees, labels } of seen.struck.cards) if (known.has(id)) assert.deepEqual([assignees, labels], [known.get(id)?.assignees, known.get(id)?.labels])
})

async function updatesOfNewCard(): Promise<number> {
  const of = await board()
  statements = []
  assert.equal((await addCard(of)).status, 201)
  return statements.filter((text) => text.startsWith('UPDATE cards SET position = $2')).length
}

test('reposition-loop: a new card renumbers its whole column, one update each', { skip }, async () => {
  const seen = await around('reposition-loop', 3, updatesOfNewCard)
  assert.deepEqual([seen.sound, seen.after], [0, 0])
  assert.ok(seen.struck >= 9 && seen.struck % 3 === 0, String(seen.struck))
})

test('quadratic: four times the words take far more than four times as long, on each load of a board', { skip }, async () => {
  const { cards } = await board()
  const least = (count: number): number => Math.min(...Array.from({ length: 3 }, () => {
    const begun = performance.now()
    assert.equal(quadraticIndex(cards, count), count)
    return performance.now() - begun
  }))
  least(1000)
  const [few, many] = [least(2000), least(8000)]
  assert.ok(many > few * 7, `${few} ms, ${many} ms`)
  const { id } = await board()
  const seen = await around('quadratic', 10, () => times(3, () => ask('demo', 'GET', `/api/boards/${id}`)))
  assert.ok(seen.struck > Math.max(seen.sound, seen.after) + many / 2, JSON.stringify(seen))
})

const bigFiles = (): number => fs.readdirSync(tmpdir()).filter((name) => name.startsWith('kanban-fault-')).length

test('sync-read: each request reads the file synchronously, and the file goes', { skip }, async (t) => {
  const read = t.mock.method(fs, 'readFileSync')
  syncBuiltinESMExports()
  t.after(() => {
    read.mock.restore()
    syncBuiltinESMExports()
  })
  const others = bigFiles()
  const seen = await around('sync-read', 3, async () => {
    read.mock.resetCalls()
    await ask('demo', 'GET', '/api/boards')
    const sizes = read.mock.calls.map(({ result }) => (Buffer.isBuffer(result) ? result.length : 0))
    return { sizes, files: bigFiles() - others }
  })
  assert.deepEqual(seen, { sound: { sizes: [], files: 0 }, struck: { sizes: [3 * 2 ** 20], files: 1 }, after: { sizes: [], files: 0 } })
})

test('no-pool: statements open connections of their own', { skip }, async (t) => {
  const connect = t.mock.method(pg.Client.prototype, 'connect')
  const { id } = await board()
  const seen = await around('no-pool', 1, async () => {
    connect.mock.resetCalls()
    assert.equal((await searchOnce(id)).status, 200)
    return connect.mock.callCount()
  })
  // Who asks, and what is found.
  assert.deepEqual(seen, { sound: 0, struck: 2, after: 0 })
})

test('small-pool: what runs at once waits for the only connection', { skip }, async () => {
  const switches = new Faults()
  const database = new FaultyDatabase(sound, switches)
  await switches.replace(new Map([['small-pool', 1]]))
  const running = Promise.all(Array.from({ length: 5 }, () => database.query('SELECT pg_sleep(0.05)')))
  assert.deepEqual([database.pool.waitingCount, database.pool.totalCount, database.pool === sound.pool], [4, 1, false])
  await running
  await database.transaction((connection) => connection.query('SELECT 1'))
  await switches.replace(new Map())
  assert.equal(database.pool, sound.pool)
})

test('held-connections: a connection is still in use after its statement', { skip }, async () => {
  const switches = new Faults()
  const database = new FaultyDatabase(sound, switches)
  const used = (): number => sound.pool.totalCount - sound.pool.idleCount
  await database.query('SELECT 1')
  assert.equal(used(), 0)
  await switches.replace(new Map([['held-connections', 1000]]))
  await database.query('SELECT 1')
  await assert.rejects(database.transaction((connection) => connection.query('SELECT nothing')))
  assert.equal(used(), 2)
  await switches.replace(new Map())
  await database.query('SELECT 1')
  assert.equal(used(), 2)
  for (let turn = 0; used() > 0 && turn < 100; turn += 1) await wait(50)
  assert.equal(used(), 0)
})

async function askOften(): Promise<void> {
  for (let number = 0; number < 40; number += 1) await ask('demo', 'GET', '/api/me')
}

test('memory-leak: what requests leave behind outlives a collection, and goes with the fault', { skip }, async () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const heap = (): number => {
    collect()
    return process.memoryUsage().heapUsed / 2 ** 20
  }
  await askOften()
  const first = heap()
  await askOften()
  const quiet = heap()
  await faults.replace(new Map([['memory-leak', 512]]))
  await askOften()
  const leaked = heap()
  await faults.replace(new Map())
  const healed = heap()
  assert.ok(quiet - first < 5 && leaked - quiet > 12 && leaked - quiet < 40 && healed - quiet < 5, JSON.stringify({ first, quiet, leaked, healed }))
})

test('no-compression: answers are as long as they are', { skip }, async () => {
  for (let number = 0; number < 10; number += 1) await addCard(await board())
  const { id } = await board()
  const look = async (): Promise<unknown[]> => {
    const { headers, rawPayload } = await app.inject({ url: `/api/boards/${id}`, headers: { cookie: cookies.get('demo'), 'accept-encoding': 'gzip, deflate' } })
    assert.equal(Number(headers['content-length']), rawPayload.length)
    return [headers['content-encoding'], rawPayload.length > 3000]
  }
  assert.deepEqual(await around('no-compression', 1, look), { sound: ['gzip', false], struck: [undefined, true], after: ['gzip', false] })
  assert.equal((await ask('demo', 'GET', `/api/boards/${id}`)).headers['content-encoding'], undefined)
})

test('cache-off: a board is read again each time', { skip }, async () => {
  const seen = await around('cache-off', 1, async () => {
    await board()
    statements = []
    await board()
    return statements.length
  })
  assert.ok(seen.struck > seen.sound + 4 && seen.after === seen.sound, JSON.stringify(seen))
})

test('redos: four characters more take far longer', { skip }, async () => {
  const { id } = await board()
  const at = async (strength: number): Promise<number> => (await around('redos', strength, () => times(3, () => searchOnce(id)))).struck
  const quiet = await times(3, () => searchOnce(id))
  const [short, long] = [await at(21), await at(25)]
  assert.ok(long > 3 * short && long > quiet * 3, `${quiet}, ${short}, ${long} ms`)
})

test('gc-churn: requests have the collector run', { skip }, async () => {
  let collections = 0
  const observer = new PerformanceObserver((list) => (collections += list.getEntries().length))
  observer.observe({ entryTypes: ['gc'] })
  const seen = await around('gc-churn', 50, async () => {
    await wait(20)
    collections = 0
    for (let number = 0; number < 10; number += 1) await ask('demo', 'GET', '/api/me')
    await wait(20)
    return collections
  })
  observer.disconnect()
  assert.ok(seen.struck > Math.max(seen.sound, seen.after) + 5, JSON.stringify(seen))
})

async function failedOfHundred(): Promise<number> {
  const statuses: number[] = []
  for (let number = 0; number < 100; number += 1) statuses.push((await ask('demo', 'GET', '/api/me')).status)
  assert.ok(statuses.every((status) => status === 200 || status === 500))
  return statuses.filter((status) => status === 500).length
}

test('errors: so many requests fail, as one that nobody caught', { skip }, async () => {
  const seen = await around('errors', 0.3, failedOfHundred)
  assert.ok(seen.sound === 0 && seen.after === 0 && seen.struck > 10 && seen.struck < 55, JSON.stringify(seen))
})

test('slow-dependency: changes wait for the mail service, reads do not', { skip }, async () => {
  const of = await board()
  const seen = await around('slow-dependency', 400, async () => [(await addCard(of)).ms >= 399, (await ask('demo', 'GET', '/api/me')).ms >= 399])
  assert.deepEqual(seen, { sound: [false, false], struck: [true, false], after: [false, false] })
})

test('latency: answers take so many times as long', { skip }, async () => {
  const { id } = await board()
  const seen = await around('latency', 10, () => times(15, () => searchOnce(id)))
  // Of the two without it the quicker one: the other may have come while the machine did something else, or was not warm yet.
  assert.ok(seen.struck > 5 * Math.min(seen.sound, seen.after), JSON.stringify(seen))
})

/** Milliseconds of CPU in half a second. */
async function cpuOfHalfSecond(): Promise<number> {
  const begun = process.cpuUsage()
  await wait(500)
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / 1000
}

test('dropped-connections, cpu-burn and blocked-loop strike a kanban that listens', { skip }, async (t) => {
  const switches = new Faults()
  const other = await createApp(sound, switches)
  t.after(() => other.close())
  const url = `${await other.listen({ port: 0, host: '127.0.0.1' })}/healthz`
  const reached = async (): Promise<boolean> => await fetch(url).then(async (answer) => (await answer.arrayBuffer()).byteLength > 0, () => false)
  assert.equal(await reached(), true)
  await switches.replace(new Map([['dropped-connections', 1]]))
  assert.equal(await reached(), false)
  await switches.replace(new Map())
  assert.equal(await reached(), true)

  const quiet = await cpuOfHalfSecond()
  await switches.replace(new Map([['cpu-burn', 0.8]]))
  await wait(200)
  const burnt = await cpuOfHalfSecond()
  await switches.replace(new Map())
  const cooled = await cpuOfHalfSecond()
  // On a busy machine it gets far less than it asks for.
  assert.ok(burnt > 5 * Math.max(quiet, cooled, 4), `${quiet}, ${burnt}, ${cooled} ms of CPU`)

  await switches.replace(new Map([['blocked-loop', 600]]))
  assert.ok((await longestBlock(2000)) > 500)
  await switches.replace(new Map())
  assert.ok((await longestBlock(1500)) < 500)
})

test('only admins switch; what is wrong is refused; faults end by themselves where asked', { skip }, async () => {
  const url = '/api/admin/faults'
  assert.equal((await app.inject({ url })).statusCode, 401)
  for (const [name, method] of [['ada', 'GET'], ['ada', 'PUT'], ['vera', 'DELETE']] as const) assert.equal((await ask(name, method, url, method === 'PUT' ? { faults: { errors: 1 } } : undefined)).status, 403)
  for (const wrong of [{ faults: { bogus: 1 } }, { faults: { errors: 2 } }, { faults: { errors: -1 } }, { faults: { errors: 'all' } }, {}, { faults: {}, seconds: 0 }, { faults: {}, more: 1 }]) {
    assert.equal((await ask('demo', 'PUT', url, wrong)).status, 400, JSON.stringify(wrong))
  }
  const on = async (): Promise<string[]> => ((await ask('demo', 'GET', url)).body.faults ?? []).filter(({ strength }) => strength > 0).map(({ name, strength }) => `${name} ${strength}`)
  assert.equal((await ask('demo', 'PUT', url, { faults: { errors: 1, latency: 1.5 } })).status, 200)
  assert.deepEqual(await on(), ['errors 1', 'latency 1.5'])
  // Everything fails now, but not the way back.
  assert.equal((await ask('demo', 'GET', '/api/boards')).status, 500)
  assert.equal((await ask('demo', 'PUT', url, { faults: { 'cache-off': 1 } })).status, 200)
  assert.deepEqual(await on(), ['cache-off 1'])
  assert.equal((await ask('demo', 'DELETE', url)).status, 200)
  assert.deepEqual(await on(), [])
  const { body } = await ask('demo', 'PUT', url, { faults: { errors: 1 }, seconds: 0.1 })
  assert.ok(body.until !== undefined && body.until !== null && Math.abs(Date.parse(body.until) - Date.now()) < 5000)
  for (let turn = 0; (await on()).length > 0 && turn < 100; turn += 1) await wait(50)
  assert.deepEqual(await on(), [])
})

test('a kanban without the switches has no route to them', { skip }, async (t) => {
  const plain = await createApp(sound)
  t.after(() => plain.close())
  const { headers } = await plain.inject({ method: 'POST', url: '/api/login', payload: { name: 'demo', password: 'demo' } })
  const cookie = String(headers['set-cookie']).split(';', 1)[0] ?? ''
  for (const method of ['GET', 'PUT', 'DELETE'] as const) {
    const answer = await plain.inject({ method, url: '/api/admin/faults', headers: { cookie }, ...(method === 'PUT' && { payload: { faults: { errors: 1 } } }) })
    assert.equal(answer.statusCode, 404)
  }
})

test('the environment says which faults a kanban begins with', () => {
  assert.equal(faultsOf({}), undefined)
  assert.equal(faultsOf({ KANBAN_FAULTS_ENABLED: '0' }), undefined)
  assert.deepEqual(faultsOf({ KANBAN_FAULTS_ENABLED: '1' }), new Map())
  assert.deepEqual(faultsOf({ KANBAN_FAULTS_ENABLED: 'true', KANBAN_FAULTS: ' latency:1.5, errors,' }), new Map([['latency', 1.5], ['errors', FAULT_KINDS.errors.otherwise]]))
  for (const env of [{ KANBAN_FAULTS: 'errors' }, { KANBAN_FAULTS_ENABLED: '0', KANBAN_FAULTS: 'errors' }, { KANBAN_FAULTS_ENABLED: 'maybe' }]) assert.throws(() => faultsOf(env), /KANBAN_FAULTS/)
  assert.throws(() => parseFaults('bogus'), /no fault "bogus"/)
  assert.throws(() => parseFaults('errors:many'), /errors must be 0, or 0.001 to 1 share of requests, not NaN/)
})

test('a kanban that is told of faults without being allowed any does not start', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'main.js')], { env: { ...process.env, KANBAN_FAULTS: 'errors', KANBAN_FAULTS_ENABLED: '' }, encoding: 'utf8', timeout: 30_000 })
  assert.equal(status, 2)
  assert.match(stderr, /set KANBAN_FAULTS_ENABLED=1 too/)
})

test('the reference names each fault with its unit, range and default', () => {
  const reference = readFileSync(join(import.meta.dirname, '../../../docs/reference/kanban-api.md'), 'utf8')
  const rows = [...reference.matchAll(/^\| `([\w-]+)` \| (.+?) \| (\S+) to (\S+) \| (\S+) \|/gm)].map(([, name, unit, low, high, otherwise]) => [name, unit, Number(low?.replace(',', '')), Number(high?.replace(',', '')), Number(otherwise)])
  assert.deepEqual(rows, FAULT_NAMES.map((name) => [name, FAULT_KINDS[name].unit, FAULT_KINDS[name].low, FAULT_KINDS[name].high, FAULT_KINDS[name].otherwise]))
})
