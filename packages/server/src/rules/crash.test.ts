// A process that makes rules, and lets an alert fire, is killed at any moment: what it had said is there afterwards.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import type { Alert } from '@andon/model'
import { systemClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import { openTestStore, testServer } from '../store/fixture.test.ts'
import { RuleManager } from './manager.ts'
import { OwnRules } from './own-rules.ts'

const module = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href)
/** Makes a rule after the other, each of which fires at once, and says what is stored and what is handed over. */
const MAKER = `
import { systemClock } from ${module('../runtime/clock.js')}
import { silentLog } from ${module('../runtime/log.js')}
import { OwnMetrics } from ${module('../runtime/own-metrics.js')}
import { openStore } from ${module('../store/index.js')}
import { RuleManager } from ${module('./manager.js')}
import { OwnRules } from ${module('./own-rules.js')}
const [dataDir, from, server] = process.argv.slice(1)
const store = await openStore({ dataDir, log: silentLog, clock: systemClock, ...JSON.parse(server) })
const own = await OwnRules.open(store.state, { now: () => systemClock.now(), broken: () => undefined })
const receiver = { accept: async (alerts) => alerts.forEach((alert) => process.stdout.write('told ' + alert.labels.alertname + ' ' + alert.startsAt + '\\n')) }
const manager = await RuleManager.open([], { query: async () => [{ labels: {}, value: 1 }], write: async () => undefined, log: store.state, clock: systemClock, logger: silentLog, own: new OwnMetrics(), receiver }, { intervalMs: 50, queryOffsetMs: 0, externalUrl: '', externalLabels: {} }, { own: own.groups() })
own.onChange((groups) => manager.reload(groups, 'own'))
manager.start()
for (let index = Number(from); ; index += 1) {
  await own.put('rule' + index, { expr: 'vector(1)' }, 'test')
  process.stdout.write('stored rule' + index + '\\n')
  // A change evaluates anew from the next slot on.
  await systemClock.sleep(75)
}
`

test('killed at any moment: rules that were acknowledged are there, alerts that were handed over still fire since the same time', { timeout: 120_000 }, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-rules-crash-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 }))
  const server = JSON.stringify({ server: testServer(dataDir) })
  const stored = new Set<string>()
  const told = new Map<string, string>()
  for (let round = 0; round < 3; round += 1) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', MAKER, dataDir, String(round * 1000), server], { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    let lines = 0
    for await (const line of createInterface({ input: child.stdout })) {
      const [what = '', name = '', since = ''] = line.split(' ')
      if (what === 'stored') stored.add(name)
      else told.set(name, told.get(name) ?? since)
      assert.ok(what === 'stored' || told.get(name) === since, `${name} fires since another time after a crash`)
      lines += 1
      if (lines === 60 + round * 37) child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    assert.equal(child.signalCode, 'SIGKILL')
  }
  assert.ok(stored.size > 6 && told.size > 5, `${stored.size} stored, ${told.size} told`)
  const store = await openTestStore({ dataDir, log: silentLog, clock: systemClock })
  t.after(() => store.close())
  const own = await OwnRules.open(store.state, { now: () => systemClock.now(), broken: (id) => assert.fail(id) })
  const ids = new Set(own.list().map(({ id }) => id))
  assert.deepEqual([...stored].filter((id) => !ids.has(id)), [])
  const handed: Alert[] = []
  const manager = await RuleManager.open([], { query: () => Promise.resolve([]), write: () => Promise.resolve(), log: store.state, clock: systemClock, logger: silentLog, own: new OwnMetrics(), receiver: { accept: (alerts) => Promise.resolve(void handed.push(...alerts)) } }, { intervalMs: 3_600_000, queryOffsetMs: 0, externalUrl: '', externalLabels: {} }, { own: own.groups() })
  manager.start()
  await manager.stop()
  const firing = new Map(handed.filter(({ endsAt }) => endsAt === undefined).map(({ labels, startsAt }) => [labels['alertname'] ?? '', String(startsAt)]))
  assert.deepEqual([...told].filter(([name, since]) => firing.get(name) !== since), [])
})
