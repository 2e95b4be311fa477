// A process that takes alerts and tells them is killed again and again, each time at some moment of its inserts: what is stored then
// says of every message what came before it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { test } from 'node:test'
import type { Notification } from '@andon/model'
import { systemClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { openTestStore, testServer } from '../store/fixture.test.ts'
import type { AlertLog } from './manager.ts'

const ROUNDS = 5

/** Takes numbered alerts from a number on, and says each that is taken; at last ends all of them and waits until that is told. */
const TAKER = `
import { systemClock } from ${JSON.stringify(new URL('../runtime/clock.js', import.meta.url).href)}
import { silentLog } from ${JSON.stringify(new URL('../runtime/log.js', import.meta.url).href)}
import { OwnMetrics } from ${JSON.stringify(new URL('../runtime/own-metrics.js', import.meta.url).href)}
import { openStore } from ${JSON.stringify(new URL('../store/index.js', import.meta.url).href)}
import { AlertManager } from ${JSON.stringify(new URL('./manager.js', import.meta.url).href)}
import { readAlertmanagerFile } from ${JSON.stringify(new URL('./schema.js', import.meta.url).href)}
const [dataDir, from, count, server] = process.argv.slice(1)
const store = await openStore({ dataDir, log: silentLog, clock: systemClock, ...JSON.parse(server) })
const config = readAlertmanagerFile('{route: {receiver: a, group_by: [group], group_wait: 0s, page_wait: 0s, group_interval: 1s}, receivers: [{name: a}]}', 'test')
const manager = await AlertManager.open(config, {
  log: store.state, clock: systemClock, logger: silentLog, own: new OwnMetrics(),
  incidents: { join: () => Promise.resolve(new Map()), told: () => Promise.resolve(), ticketBecause: () => undefined },
  outbox: { entries: (told) => told.map((one) => ({ kind: 'message', key: one.id, state: 'queued', service: '', severity: '', actor: '', doc: one })), deliver: () => undefined },
})
manager.start()
const alertOf = (n, endsAt) => ({ labels: { alertname: 'n' + n, group: String(n % 3), severity: n % 2 === 0 ? 'critical' : 'warning' }, annotations: {}, source: 'rule', startsAt: Date.now(), endsAt, generatorUrl: '', value: n, expression: undefined, onsetAt: undefined })
const until = Number(from) + Number(count)
for (let n = Number(from); n < until; n += 1) {
  await manager.accept([alertOf(n)])
  process.stdout.write(n + '\\n')
  if (n % 4 !== 0) await manager.accept([alertOf(n - 2, Date.now())])
}
for (let n = 0; n < until; n += 1) await manager.accept([alertOf(n, Date.now())])
while ((await manager.groups()).length > 0 || (await store.state.latest('alert-group', { except: ['closed'] })).length > 0) await systemClock.sleep(100)
await manager.stop()
await store.close()
`

test('killed at any moment: no message is told twice, none is resolved that was not told, everything that was told is resolved', { timeout: 180_000 }, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-alerts-crash-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 }))
  const server = JSON.stringify({ server: testServer(dataDir) })
  const begin = Date.now()
  const start = (from: number, count: number): ReturnType<typeof spawn> => spawn(process.execPath, ['--input-type=module', '-e', TAKER, dataDir, String(from), String(count), server], { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] })
  let next = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const child = start(next, 1_000_000)
    t.after(() => child.kill('SIGKILL'))
    const until = next + 8 + 3 * round
    assert.ok(child.stdout)
    for await (const line of createInterface({ input: child.stdout })) {
      next = Number(line) + 1
      if (next === until) void wait(Math.random() * 60).then(() => child.kill('SIGKILL'))
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    assert.equal(child.signalCode, 'SIGKILL')
  }
  const last = start(next, 3)
  assert.deepEqual(await once(last, 'exit'), [0, null])

  const store = await openTestStore({ dataDir, log: silentLog, clock: systemClock })
  t.after(() => store.close())
  // What the manager asks of a log is what the store has.
  const log: AlertLog = store.state
  const told = (await store.state.between('message', { start: begin - 1000, end: Date.now() + 1000 }, 100_000)).map(({ doc }) => doc as Notification)
  const known = new Map<string, Set<string>>()
  for (const { groupKey, alerts } of told) {
    const firing = known.get(groupKey) ?? new Set()
    known.set(groupKey, firing)
    for (const { status, fingerprint } of alerts) {
      if (status === 'resolved') assert.ok(firing.delete(fingerprint), `${groupKey}: ${fingerprint} was told to fire`)
    }
    for (const { status, fingerprint } of alerts) if (status === 'firing') firing.add(fingerprint)
  }
  assert.equal(new Set(told.map(({ id }) => id)).size, told.length)
  assert.equal(known.size, 3)
  assert.deepEqual([...known.values()].map(({ size }) => size), [0, 0, 0])
  assert.deepEqual((await log.latest('alert-active', { except: ['settled'] })).map(({ key }) => key), [])
  // Each alert that was taken and is to wake a person was told: it does not wait.
  const names = new Set(told.flatMap(({ alerts }) => alerts.map(({ labels }) => labels['alertname'])))
  for (let n = 0; n < next; n += 4) assert.ok(names.has(`n${n}`), `n${n} is told`)
})
