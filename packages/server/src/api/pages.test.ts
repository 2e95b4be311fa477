import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { LightMyRequestResponse } from 'fastify'
import type { ErrorBody } from './errors.ts'
import { createFixture, HOST } from './fixture.test.ts'

const folder = mkdtempSync(join(tmpdir(), 'andon-pages-'))
after(() => rmSync(folder, { recursive: true }))
mkdirSync(join(folder, 'dist/assets'), { recursive: true })
writeFileSync(join(folder, 'secret.txt'), 'secret')
writeFileSync(join(folder, 'dist/index.html'), '<title>Andon</title>')
writeFileSync(join(folder, 'dist/assets/main-abc123.js'), 'run()')
writeFileSync(join(folder, 'dist/.env'), 'secret')

const built = await createFixture({ dashboard: join(folder, 'dist') })
const get = (url: string, accept = '*/*', method: 'GET' | 'POST' | 'DELETE' = 'GET'): Promise<LightMyRequestResponse> => built.app.inject({ method, url, headers: { host: HOST, accept } })

test('the page is asked for anew each time, runs nothing but our files and cannot be framed', async () => {
  const page = await get('/')
  assert.equal(page.body, '<title>Andon</title>')
  assert.equal(page.headers['cache-control'], 'no-cache')
  const policy = String(page.headers['content-security-policy'])
  assert.match(policy, /script-src 'self';/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.equal(page.headers['x-content-type-options'], 'nosniff')
})

test('files whose name carries their hash are kept for ever', async () => {
  const asset = await get('/assets/main-abc123.js')
  assert.equal(asset.body, 'run()')
  assert.equal(asset.headers['cache-control'], 'public, max-age=31536000, immutable')
  assert.match(String(asset.headers['content-type']), /javascript/)
})

test('a path that the page routes by itself is the page; data paths and other files are not', async () => {
  assert.equal((await get('/service/shop?from=now-1h', 'text/html,*/*')).body, '<title>Andon</title>')
  for (const url of ['/api/nothing', '/v1/nothing', '/metrics/x', '/assets/gone.js']) {
    const answer = await get(url, url.startsWith('/assets') ? '*/*' : 'text/html')
    assert.equal(answer.statusCode, 404, url)
    assert.equal(answer.json<ErrorBody>().error.code, 'not_found')
  }
})

test('nothing outside the folder and no hidden file is served', async () => {
  for (const url of ['/../secret.txt', '/..%2fsecret.txt', '/assets/..%2f..%2fsecret.txt', '/.env', '/%2e%2e/secret.txt', '/assets/%2e%2e/%2e%2e/secret.txt']) {
    const answer = await get(url)
    assert.ok(!answer.body.includes('secret.txt"') && answer.body !== 'secret', url)
    assert.ok(answer.statusCode >= 400, `${url}: ${answer.statusCode}`)
  }
})

test('a wrong method says which one is right; a malformed body and address are refused in the envelope', async () => {
  const wrong = await get('/v1/traces')
  assert.equal(wrong.statusCode, 405)
  assert.equal(wrong.headers['allow'], 'POST')
  assert.equal((await get('/api/status', '*/*', 'DELETE')).statusCode, 405)
  const bad = await built.app.inject({ method: 'POST', url: '/api/login', headers: { host: HOST, 'content-type': 'application/json' }, payload: '{' })
  assert.deepEqual([bad.statusCode, bad.json<ErrorBody>().error.code], [400, 'bad_body'])
  const address = await get('/api/service/%ff')
  assert.deepEqual([address.statusCode, address.json<ErrorBody>().error.code], [400, 'bad_parameter'])
})

test('where it is not built a text says how to build it', async () => {
  const { app } = await createFixture()
  const answer = await app.inject({ url: '/', headers: { host: HOST } })
  assert.equal(answer.statusCode, 404)
  assert.match(answer.body, /npm run build/)
})

test('/metrics in both formats, the probes and the status', async () => {
  const text = await get('/metrics')
  assert.match(String(text.headers['content-type']), /^text\/plain; version=0\.0\.4/)
  assert.match(text.body, /^andon_ingest_test_total 3$/m)
  const open = await get('/metrics', 'application/openmetrics-text; version=1.0.0, text/plain;q=0.5')
  assert.match(String(open.headers['content-type']), /^application\/openmetrics-text; version=1\.0\.0/)
  assert.match(open.body, /# EOF\n$/)
  assert.deepEqual([(await get('/healthz')).body, (await get('/readyz')).body], ['ok\n', 'ready\n'])
  const status = (await get('/api/status')).json<{ ingest: unknown; store: unknown }>()
  assert.deepEqual([status.ingest, status.store], [{ test: 3 }, { bytes: 5 }])
})
