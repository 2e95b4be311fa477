// What people have set and what is open outlives the retention of small state, as the whole server answers it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { App } from './app.ts'
import { testOptions } from './fixture.test.ts'
import { FakeClock } from './runtime/clock.ts'
import { silentLog } from './runtime/log.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 5, 12)

test('own rules, silences and open incidents are answered alike before and after their month was dropped', { timeout: 120_000 }, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-small-state-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  let app: App | undefined
  t.after(() => app?.stop())
  const start = async (daysLater: number): Promise<void> => {
    await app?.stop()
    const retention = { rawDays: 1, spansDays: 1, errorsDays: 1, profilesDays: 1, rollupDays: 1, longDays: 1 }
    app = new App({ ...testOptions(dataDir), retention }, { log: silentLog, clock: new FakeClock(START + daysLater * DAY) })
    await app.start()
  }
  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const response = await fetch(`${app?.url ?? ''}${path}`, { method, headers: { 'content-type': 'application/json' }, ...(body !== undefined && { body: JSON.stringify(body) }) })
    const text = await response.text()
    assert.equal(response.status, 200, `${method} ${path}: ${text}`)
    return JSON.parse(text) as T
  }
  await start(0)
  await call('PUT', '/api/rules/own/deep', { alert: 'Deep', expr: 'depth > 7', for: '1m' })
  await call('POST', '/api/silences', { matchers: [{ name: 'service', operator: '=', value: 'shop' }], startsAt: START, endsAt: START + 1000 * DAY, comment: 'known' })
  const { id } = await call<{ id: string }>('POST', '/api/incidents', { title: 'The shop is slow', service: 'shop', severity: 'critical' })
  await call('POST', `/api/incidents/${id}/state`, { state: 'acknowledged' })
  await call('POST', `/api/incidents/${id}/comments`, { text: 'looking' })
  const over = await call<{ id: string }>('POST', '/api/incidents', { title: 'The shop was slow', service: 'shop', severity: 'critical' })
  await call('POST', `/api/incidents/${over.id}/state`, { state: 'resolved' })
  const answers = async (): Promise<unknown[]> => await Promise.all(['/api/rules/own', '/api/silences', `/api/incidents/${id}`].map(async (path) => ({ ...(await call<object>('GET', path)), now: 0 })))
  const before = await answers()
  for (const daysLater of [0, 60, 500]) {
    await start(daysLater)
    assert.deepEqual(await answers(), before, `${daysLater} days later`)
    const open = await call<{ incidents: { id: string }[] }>('GET', '/api/incidents')
    assert.deepEqual(open.incidents.map((each) => each.id).includes(over.id), daysLater === 0, 'what is over expires')
  }
})
