// The kanban over its REST API, on a real PostgreSQL.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { createApp } from './app.ts'
import type { BoardView } from './board-view.ts'
import { type Database, openDatabase } from './db.ts'
import { findBinaries } from './embedded-postgres.ts'
import type { Card } from './tasks.ts'

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
let database: Database
let app: FastifyInstance

before(async () => {
  if (skip !== false) return
  folder = mkdtempSync(join(tmpdir(), 'andon-kanban-'))
  database = await openDatabase({ url: undefined, dataDir: folder })
  app = await createApp(database)
})
after(async () => {
  if (skip !== false) return
  await app.close()
  await database.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Asked {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>> & { readonly error?: { readonly code: string }; readonly board?: BoardView; readonly card?: Card }
}

const cookies = new Map<string, string>()
const passwords: Readonly<Record<string, string>> = { demo: 'demo', ada: 'ada-lovelace', vera: 'vera-viewer' }

async function cookieOf(name: string): Promise<string> {
  const known = cookies.get(name)
  if (known !== undefined) return known
  const answer = await app.inject({ method: 'POST', url: '/api/login', payload: { name, password: passwords[name] } })
  const cookie = String(answer.headers['set-cookie']).split(';', 1)[0] ?? ''
  cookies.set(name, cookie)
  return cookie
}

async function ask(name: string, method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE', url: string, payload?: object | string): Promise<Asked> {
  const headers = { cookie: await cookieOf(name), ...(typeof payload === 'string' && { 'content-type': 'text/markdown' }) }
  const answer = await app.inject({ method, url, headers, ...(payload !== undefined && { payload }) })
  const body: Asked['body'] = answer.body.startsWith('{') ? JSON.parse(answer.body) : { text: answer.body }
  return { status: answer.statusCode, body }
}

async function newBoard(): Promise<BoardView> {
  const made = await ask('demo', 'POST', '/api/boards', { name: `Board ${performance.now()}` })
  return await load(made.body.board?.id ?? assert.fail('no board'))
}

async function load(id: string): Promise<BoardView> {
  return (await ask('demo', 'GET', `/api/boards/${id}`)).body.board ?? assert.fail('no board')
}

async function newCard(board: BoardView, title: string, column = 0): Promise<Card> {
  const made = await ask('demo', 'POST', `/api/boards/${board.id}/tasks`, { columnId: board.columns[column]?.id, title })
  return made.body.card ?? assert.fail(JSON.stringify(made.body))
}

test('nobody reads without a session, and a role does what it may', { skip }, async () => {
  assert.equal((await app.inject({ url: '/api/boards' })).statusCode, 401)
  assert.equal((await app.inject({ method: 'POST', url: '/api/login', payload: { name: 'demo', password: 'wrong' } })).statusCode, 401)
  const board = await newBoard()
  assert.equal((await ask('vera', 'GET', `/api/boards/${board.id}`)).status, 200)
  const refused = await ask('vera', 'POST', `/api/boards/${board.id}/tasks`, { columnId: board.columns[0]?.id, title: 'x' })
  assert.deepEqual([refused.status, refused.body.error?.code], [403, 'forbidden'])
  assert.equal((await ask('ada', 'POST', '/api/people', { name: 'x', password: '12345678', role: 'admin' })).status, 403)
  assert.equal((await app.inject({ method: 'POST', url: '/api/boards', headers: { cookie: await cookieOf('demo'), origin: 'http://evil.example' }, payload: { name: 'x' } })).statusCode, 403)
})

test('a page may ask whether anybody is logged in', { skip }, async () => {
  for (const [cookie, name] of [[undefined, undefined], [await cookieOf('ada'), 'ada'], ['kanban_session=made-up', undefined]]) {
    const answer = await app.inject({ url: '/api/session', headers: cookie === undefined ? {} : { cookie } })
    assert.deepEqual([answer.statusCode, answer.json<{ me: { name: string } | null }>().me?.name], [200, name])
  }
})

test('too many wrong passwords must wait', { skip }, async () => {
  const statuses: number[] = []
  for (let attempt = 0; attempt < 11; attempt += 1) statuses.push((await app.inject({ method: 'POST', url: '/api/login', payload: { name: 'mallory', password: 'guess' } })).statusCode)
  assert.deepEqual([statuses.at(0), statuses.at(-1)], [401, 429])
})

test('an API token is as good as a session, until it is deleted', { skip }, async () => {
  const { body } = await ask('ada', 'POST', '/api/tokens', { name: 'ci' })
  const headers = { authorization: `Bearer ${String(body['token'])}` }
  assert.equal((await app.inject({ url: '/api/me', headers })).json<{ me: { name: string } }>().me.name, 'ada')
  const { body: listed } = await ask('ada', 'GET', '/api/tokens')
  const [token] = listed['tokens'] as { id: string }[]
  assert.equal((await ask('ada', 'DELETE', `/api/tokens/${token?.id ?? ''}`)).status, 204)
  assert.equal((await app.inject({ url: '/api/me', headers })).statusCode, 401)
})

test('a column takes no more cards than its limit', { skip }, async () => {
  const board = await newBoard()
  await ask('demo', 'PATCH', `/api/columns/${board.columns[1]?.id ?? ''}`, { wipLimit: 1 })
  await newCard(board, 'first', 1)
  const second = await newCard(board, 'second')
  const refused = await ask('demo', 'POST', `/api/tasks/${second.id}/move`, { columnId: board.columns[1]?.id, before: null, version: second.version })
  assert.deepEqual([refused.status, refused.body.error?.code], [409, 'wip_limit'])
  assert.equal((await ask('demo', 'POST', `/api/boards/${board.id}/tasks`, { columnId: board.columns[1]?.id, title: 'third' })).status, 409)
})

test('a board with rules allows the moves that they name', { skip }, async () => {
  const board = await newBoard()
  const [todo, doing, done] = board.columns
  await ask('demo', 'PUT', `/api/boards/${board.id}/rules`, { rules: [{ from: todo?.id, to: doing?.id }] })
  const card = await newCard(board, 'a card')
  const refused = await ask('demo', 'POST', `/api/tasks/${card.id}/move`, { columnId: done?.id, before: null, version: card.version })
  assert.deepEqual([refused.status, refused.body.error?.code], [409, 'transition_not_allowed'])
  assert.equal((await ask('demo', 'POST', `/api/tasks/${card.id}/move`, { columnId: doing?.id, before: null, version: card.version })).status, 200)
})

test('a change of what somebody else changed meanwhile is refused, with how it is now', { skip }, async () => {
  const card = await newCard(await newBoard(), 'before')
  assert.equal((await ask('ada', 'PATCH', `/api/tasks/${card.id}`, { version: card.version, title: 'after' })).status, 200)
  const refused = await ask('demo', 'PATCH', `/api/tasks/${card.id}`, { version: card.version, title: 'mine' })
  const error = refused.body.error as { code: string; current?: Card }
  assert.deepEqual([refused.status, error.code, error.current?.title], [409, 'stale_version', 'after'])
})

async function move(id: string, columnId: string | undefined, next: string | null): Promise<void> {
  const now = (await ask('demo', 'GET', `/api/tasks/${id}`)).body.card
  await ask('demo', 'POST', `/api/tasks/${id}/move`, { columnId, before: next, version: now?.version })
}

test('many moves at once lose no card and leave one order', { skip }, async () => {
  const board = await newBoard()
  const cards: Card[] = []
  for (let index = 0; index < 8; index += 1) cards.push(await newCard(board, `card ${index}`))
  const [todo, , done] = board.columns
  for (let round = 0; round < 6; round += 1) {
    await Promise.all(cards.map((card, index) => move(card.id, (index + round) % 2 === 0 ? todo?.id : done?.id, index % 3 === 0 ? null : (cards[(index + round) % cards.length]?.id ?? null))))
  }
  const { cards: left } = await load(board.id)
  assert.deepEqual(left.map(({ id }) => id).toSorted(), cards.map(({ id }) => id).toSorted())
  const { rows } = await database.query<{ same: number }>('SELECT count(*)::int AS same FROM (SELECT "column", position FROM cards WHERE board = $1 GROUP BY 1, 2 HAVING count(*) > 1) x', [board.id])
  assert.equal(rows[0]?.same, 0, 'no two cards stand at one place')
})

test('a card goes before the one that it is dropped on, however often', { skip }, async () => {
  const board = await newBoard()
  const first = await newCard(board, 'first')
  const last = await newCard(board, 'last')
  let wanted = ''
  for (let round = 0; round < 60; round += 1) {
    const card = await newCard(board, `card ${round}`)
    await ask('demo', 'POST', `/api/tasks/${card.id}/move`, { columnId: card.columnId, before: last.id, version: card.version })
    wanted = card.id
  }
  const order = (await load(board.id)).cards.map(({ id }) => id)
  assert.deepEqual([order[0], order.at(-2), order.at(-1)], [first.id, wanted, last.id])
})

test('a board that is exported and brought back is the same, ids included', { skip }, async () => {
  const board = await newBoard()
  const card = await newCard(board, 'Title: with "quotes" & ---')
  const description = 'One\n---\n\\---\n\ntwo\n\n'
  await ask('demo', 'PATCH', `/api/tasks/${card.id}`, { version: card.version, description, labels: ['a', 'b: c'], due: '2026-12-24', checklist: [{ text: 'x', done: true }] })
  const exported = String((await ask('demo', 'GET', `/api/boards/${board.id}/export`)).body['text'])
  const twice = await ask('demo', 'POST', '/api/boards/import', exported)
  assert.deepEqual([twice.status, twice.body.error?.code], [409, 'exists'])
  await database.query('DELETE FROM cards WHERE board = $1', [board.id])
  const back = await ask('demo', 'POST', '/api/boards/import', exported)
  assert.equal(back.status, 201, JSON.stringify(back.body))
  const { body } = await ask('demo', 'GET', `/api/tasks/${card.id}`)
  assert.deepEqual([body.card?.description, body.card?.labels, body.card?.due, body.card?.checklist], [description, ['a', 'b: c'], '2026-12-24', [{ text: 'x', done: true }]])
  const again = String((await ask('demo', 'GET', `/api/boards/${back.body.board?.id ?? ''}/export`)).body['text'])
  assert.equal(again.replaceAll(/created_at: .*/g, ''), exported.replaceAll(/created_at: .*/g, ''))
})

test('search finds by text, label, person, priority and day', { skip }, async () => {
  const board = await newBoard()
  const ada = board.people.find(({ name }) => name === 'ada')?.id
  await ask('demo', 'POST', `/api/boards/${board.id}/tasks`, { columnId: board.columns[0]?.id, title: 'Fix 100 % of it', labels: ['bug'], assignees: [ada], priority: 'high', due: '2026-01-02' })
  await newCard(board, 'Other')
  const found = async (query: string): Promise<number> => ((await ask('demo', 'GET', `/api/boards/${board.id}/search?${query}`)).body['cards'] as unknown[]).length
  for (const query of ['text=100%20%25', 'text=fix', 'label=bug', `assignee=${ada ?? ''}`, 'priority=high', 'dueBefore=2026-02-01']) assert.equal(await found(query), 1, query)
  assert.equal(await found('text=_ix'), 0, 'an underscore is no wildcard')
})

test('bad input is refused by every route with a code, and the kanban lives on', { skip }, async () => {
  const board = await newBoard()
  const card = await newCard(board, 'a card')
  const nowhere = '00000000-0000-4000-8000-000000000000'
  const bad: ['POST' | 'PATCH' | 'PUT' | 'GET' | 'DELETE', string, (object | string)?][] = [
    ['POST', '/api/login', { name: 1, password: [] }],
    ['POST', '/api/people', { name: 'x', password: 'short', role: 'king' }],
    ['POST', '/api/boards', { name: '' }],
    ['POST', '/api/boards', { name: 'x', extra: 1 }],
    ['GET', '/api/boards/17'],
    ['GET', `/api/boards/${nowhere}`],
    ['POST', `/api/boards/${board.id}/tasks`, { columnId: nowhere, title: 'x' }],
    ['POST', `/api/boards/${board.id}/tasks`, { columnId: board.columns[0]?.id, title: 'x'.repeat(201) }],
    ['POST', `/api/boards/${board.id}/tasks`, { columnId: board.columns[0]?.id, title: 'x', due: '2026-02-31' }],
    ['PATCH', `/api/tasks/${card.id}`, { title: 'no version' }],
    ['PATCH', `/api/tasks/${card.id}`, { version: 1, priority: 'never' }],
    ['POST', `/api/tasks/${card.id}/move`, { columnId: nowhere, before: null, version: 1 }],
    ['DELETE', `/api/tasks/${card.id}`],
    ['PUT', `/api/boards/${board.id}/rules`, { rules: [{ from: nowhere, to: nowhere }] }],
    ['POST', `/api/tasks/${card.id}/comments`, { text: '  ' }],
    ['GET', `/api/boards/${board.id}/search?assignee=me`],
    ['POST', '/api/boards/import', 'no document'],
    ['POST', '/api/boards/import', '---\nboard: [\n---\n'],
    ['GET', '/api/nothing'],
  ]
  for (const [method, url, payload] of bad) {
    const { status, body } = await ask('demo', method, url, payload)
    assert.ok(status >= 400 && status < 500 && typeof body.error?.code === 'string', `${method} ${url}: ${status} ${JSON.stringify(body)}`)
  }
  assert.equal((await app.inject({ url: '/healthz' })).statusCode, 200)
})

test('a text that PostgreSQL cannot keep, and an address that cannot be read, are refused', async () => {
  for (const name of ['a\0b', 'Board']) {
    const { status, body } = await ask('demo', 'POST', '/api/boards', { name, description: name === 'Board' ? 'x\0' : '' })
    assert.deepEqual([status, body.error?.code], [400, 'bad_request'])
  }
  const found = await ask('demo', 'GET', '/api/boards')
  assert.equal(found.status, 200)
  const board = await ask('demo', 'GET', '/%zz')
  assert.deepEqual([board.status, board.body.error?.code], [400, 'bad_request'])
})

test('what is no HTTP, or too long a head, is answered with code, message and hint', async () => {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const address = app.server.address()
  assert.ok(typeof address === 'object' && address !== null)
  for (const [text, status] of [['NO HTTP\r\n\r\n', 400], [`GET /?${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431]] as const) {
    const socket = connect(address.port, '127.0.0.1').setEncoding('utf8')
    socket.write(text)
    let answer = ''
    for await (const chunk of socket) answer += String(chunk)
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
    assert.match(answer, /"error":\{"code":"bad_request","message":".+","hint":".+"\}/)
  }
})
