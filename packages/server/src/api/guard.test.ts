import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AndonError } from '@andon/model'
import fastify from 'fastify'
import { FakeClock } from '../runtime/clock.ts'
import { createFixture, HOST, PORT } from './fixture.test.ts'
import { Guard, hashToken, isLoopback, registerGuard, type Role, ROLES } from './guard.ts'

const TOKENS = ROLES.map((role) => ({ name: `the ${role}`, role, sha256: hashToken(`secret-of-${role}`) }))
const bearer = (role: Role): { host: string; authorization: string } => ({ host: HOST, authorization: `Bearer secret-of-${role}` })
const codeOf = (body: string): string => (JSON.parse(body) as { error: { code: string } }).error.code

test('loopback is recognised in every spelling, and nothing else is', () => {
  for (const host of ['127.0.0.1', '127.8.8.8', '::1', '[::1]', 'localhost', '::ffff:127.0.0.1']) assert.equal(isLoopback(host), true, host)
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'example.com', '127.0.0.1.example.com', '1.127.0.0']) assert.equal(isLoopback(host), false, host)
})

test('another address than loopback needs a token, and the refusal says how to set one', () => {
  const options = { port: () => PORT, allowedHosts: [], clock: new FakeClock() }
  assert.throws(
    () => new Guard({ ...options, host: '0.0.0.0', tokens: [] }),
    (error) => error instanceof AndonError && error.code === 'bad_config' && /ANDON_TOKEN/.test(error.hint),
  )
  assert.doesNotThrow(() => new Guard({ ...options, host: '0.0.0.0', tokens: TOKENS }))
})

test('a route without a role is refused at registration', () => {
  const app = fastify()
  registerGuard(app, new Guard({ host: '127.0.0.1', port: () => PORT, allowedHosts: [], tokens: [], clock: new FakeClock() }))
  assert.throws(() => app.get('/naked', () => 'data'), /\/naked names no role/)
})

test('open loopback answers its own names only: a rebound name is refused', async () => {
  const { app } = await createFixture({ allowedHosts: ['andon.example.com'] })
  const status = async (host: string): Promise<number> => (await app.inject({ url: '/api/status', headers: { host } })).statusCode
  for (const host of [HOST, `localhost:${PORT}`, `[::1]:${PORT}`, 'andon.example.com']) assert.equal(await status(host), 200, host)
  for (const host of ['evil.example:4318', '127.0.0.1', '127.0.0.1:80', `127.0.0.1.evil.example:${PORT}`, '']) assert.equal(await status(host), 403, host)
})

test('a page of another origin can neither send telemetry nor follow the live stream; programs send no Origin', async () => {
  const { app, sink } = await createFixture()
  const post = (headers: Record<string, string>): Promise<number> =>
    app.inject({ method: 'POST', url: '/v1/traces', headers: { host: HOST, 'content-type': 'application/json', ...headers }, payload: '{}' }).then((r) => r.statusCode)
  assert.equal(await post({ origin: 'https://evil.example' }), 403)
  assert.equal(await post({ origin: 'null' }), 403)
  assert.equal(await post({ 'sec-fetch-site': 'cross-site' }), 403)
  assert.equal(sink.got.length, 0)
  assert.equal(await post({}), 200)
  assert.equal(await post({ origin: `http://${HOST}` }), 200)
  assert.equal((await app.inject({ url: '/api/live', headers: { host: HOST, origin: 'https://evil.example' } })).statusCode, 403)
})

test('with tokens every role may do exactly what it names', async () => {
  const { app } = await createFixture({ host: '0.0.0.0', tokens: TOKENS })
  const get = async (headers: Record<string, string>): Promise<number> => (await app.inject({ url: '/api/status', headers })).statusCode
  const send = async (headers: Record<string, string>): Promise<number> =>
    (await app.inject({ method: 'POST', url: '/v1/traces', headers: { 'content-type': 'application/json', ...headers }, payload: '{}' })).statusCode
  assert.equal(await get({ host: HOST }), 401)
  assert.equal(await get({ host: HOST, authorization: 'Bearer wrong' }), 401)
  assert.equal(await get({ host: HOST, authorization: 'Basic c2VjcmV0' }), 401)
  assert.deepEqual(await Promise.all(ROLES.map((role) => get(bearer(role)))), [403, 200, 200, 200])
  assert.deepEqual(await Promise.all(ROLES.map((role) => send(bearer(role)))), [200, 403, 403, 200])
  assert.equal((await app.inject({ url: '/healthz' })).statusCode, 200)
})

test('a login gives a cookie that no page can read or send from elsewhere, that ends, and that cannot be forged', async () => {
  const { app, clock } = await createFixture({ host: '0.0.0.0', tokens: TOKENS })
  const login = await app.inject({ method: 'POST', url: '/api/login', payload: { token: 'secret-of-viewer' } })
  assert.equal(login.statusCode, 200)
  const set = String(login.headers['set-cookie'])
  assert.match(set, /HttpOnly; SameSite=Strict/)
  assert.ok(!set.includes('secret-of-viewer') && !set.includes(hashToken('secret-of-viewer')))
  const cookie = set.split(';')[0] ?? ''
  const status = async (value: string): Promise<number> => (await app.inject({ url: '/api/status', headers: { cookie: value } })).statusCode
  assert.equal(await status(cookie), 200)
  assert.equal(await status(`${cookie}x`), 401)
  assert.equal(await status(cookie.replace(/\.\d+\./, '.9999999999999.')), 401)
  await clock.advance(8 * 86_400_000)
  assert.equal(await status(cookie), 401)
  const refused = await app.inject({ method: 'POST', url: '/api/login', payload: { token: 'nonsense' } })
  assert.equal(refused.statusCode, 401)
  assert.equal(codeOf(refused.body), 'unauthorized')
})
