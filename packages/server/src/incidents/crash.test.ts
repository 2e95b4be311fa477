// A process that changes incidents in a real store is killed at some moment; another one finds whatever was acknowledged, whole.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Notification, StateEntry } from '@andon/model'
import { systemClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import { openTestStore, testServer } from '../store/fixture.test.ts'
import { isOpen } from './draft.ts'
import { noEvidence, optionsOf } from './fixture.test.ts'
import { IncidentManager } from './manager.ts'

const ROUNDS = 3
const YAML = { escalation: [{ name: 'all', steps: [{ notify: 'team' }] }], alert_budget: 'off', cooldown: '0' }

/** Opens, takes and closes one incident after the other, and says what was acknowledged. */
const WRITER = `
import { systemClock } from ${JSON.stringify(new URL('../runtime/clock.js', import.meta.url).href)}
import { silentLog } from ${JSON.stringify(new URL('../runtime/log.js', import.meta.url).href)}
import { OwnMetrics } from ${JSON.stringify(new URL('../runtime/own-metrics.js', import.meta.url).href)}
import { openStore } from ${JSON.stringify(new URL('../store/index.js', import.meta.url).href)}
import { firing, resolved, noEvidence, optionsOf } from ${JSON.stringify(new URL('./fixture.test.js', import.meta.url).href)}
import { IncidentManager } from ${JSON.stringify(new URL('./manager.js', import.meta.url).href)}
const [dataDir, from, server, yaml] = process.argv.slice(1)
const store = await openStore({ dataDir, log: silentLog, clock: systemClock, ...JSON.parse(server) })
const outbox = { entries: (list) => list.map((doc) => ({ kind: 'message', key: doc.id, state: 'owed', service: '', severity: '', actor: '', doc })), deliver: () => undefined }
const manager = await IncidentManager.open({ log: store.state, clock: systemClock, logger: silentLog, own: new OwnMetrics(), outbox, neighbours: async () => new Set(), deploys: async () => [], evidence: noEvidence, holdMs: () => 0 }, optionsOf(JSON.parse(yaml)))
const say = (...words) => process.stdout.write(words.join(' ') + '\\n')
for (let number = Number(from); number < Number(from) + 500; number += 1) {
  const alert = { at: Date.now(), service: 's' + number }
  const id = [...(await manager.join([firing(alert)])).values()][0]
  say(number, id, 'detected')
  await manager.setState(id, { state: 'acknowledged', revision: 1, note: '' }, 'ann')
  say(number, id, 'acknowledged')
  await manager.join([resolved({ ...alert, at: Date.now() })])
  say(number, id, 'resolved')
}
`

const ORDER = ['detected', 'acknowledged', 'resolved']

test('killed at any moment, no acknowledged change is lost, none is half, and the messages of a decision are there with it', { timeout: 120_000 }, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-incidents-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 }))
  const server = JSON.stringify({ server: testServer(dataDir) })
  const told = new Map<string, string>()
  let next = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, dataDir, String(next), server, JSON.stringify(YAML)], { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    let lines = 0
    for await (const line of createInterface({ input: child.stdout })) {
      const [number = '', id = '', state = ''] = line.split(' ')
      told.set(id, state)
      next = Number(number) + 1
      lines += 1
      if (lines === 8 + round) void wait(Math.random() * 20).then(() => child.kill('SIGKILL'))
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    assert.equal(child.signalCode, 'SIGKILL')
  }
  const store = await openTestStore({ dataDir, log: silentLog, clock: systemClock })
  t.after(() => store.close())
  const outbox = { entries: (): readonly StateEntry[] => [], deliver: (): void => undefined }
  const manager = await IncidentManager.open(
    { log: store.state, clock: systemClock, logger: silentLog, own: new OwnMetrics(), outbox, neighbours: () => Promise.resolve(new Set()), deploys: () => Promise.resolve([]), evidence: noEvidence, holdMs: () => 0 },
    optionsOf(YAML),
  )
  const messages = (await store.state.latest('message')).map(({ doc }) => doc as Notification)
  assert.ok(told.size >= ROUNDS * 2)
  for (const [id, state] of told) {
    const incident = await manager.find(id)
    assert.ok(ORDER.indexOf(incident.state) >= ORDER.indexOf(state), `${id} was acknowledged as ${state} and is ${incident.state}`)
    const timeline = await manager.timeline(id)
    // Each state with its entry, and each escalation and its end with its message: they were one insert.
    assert.equal(timeline.filter(({ kind }) => kind === 'state').length, ORDER.indexOf(incident.state))
    assert.deepEqual(
      messages.filter((message) => message.incident === id).map(({ status }) => status).toSorted(),
      isOpen(incident) ? ['firing'] : ['firing', 'resolved'],
    )
  }
  // An id is never given twice.
  assert.equal(new Set(told.keys()).size, told.size)
})
