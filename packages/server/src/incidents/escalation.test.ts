import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { IncidentState } from '@andon/model'
import { createWorld, firing, resolved, type World } from './fixture.test.ts'

const MINUTE = 60_000
const YAML = {
  escalation: [
    { name: 'quiet', match: { service: 'batch' }, steps: [{ notify: 'mail' }] },
    { name: 'pages', match: { severity: ['critical', 'page'] }, steps: [{ wait: '5m' }, { notify_on_call: 'primary' }, { wait: '10m' }, { notify: 'team' }, { wait: '15m' }], repeat: 1, reescalate_after: '1h' },
  ],
  on_call: [{ name: 'primary', time_zone: 'Europe/Berlin', start: '2026-11-02', people: [{ name: 'Ann', receiver: 'ann' }, { name: 'Ben', receiver: 'ben' }] }],
  alert_budget: 'off',
}

const told = (world: World): string[] => world.outbox.delivered.map(({ receiver, status }) => `${receiver} ${status}`)

async function open(world: World, service = 'shop'): Promise<string> {
  const made = firing({ at: world.clock.now(), service })
  return (await world.manager.join([made])).get(made.fingerprint) ?? assert.fail()
}

const set = (world: World, id: string, state: IncidentState): Promise<unknown> => world.manager.setState(id, { state, revision: undefined, note: '' }, 'ann')

test('steps follow each other at their times, all of them again, and then it says that it has come to its end', async () => {
  const world = await createWorld({ yaml: YAML })
  const id = await open(world)
  const at: [number, string][] = []
  let count = 0
  for (let minute = 0; minute <= 70; minute += 1) {
    for (; count < world.outbox.delivered.length; count += 1) at.push([minute, world.outbox.delivered[count]?.receiver ?? ''])
    await world.clock.advance(MINUTE)
  }
  assert.deepEqual(at, [[5, 'ann'], [15, 'team'], [35, 'ann'], [45, 'team']])
  assert.equal((await world.manager.timeline(id)).at(-1)?.text, 'Nobody has acknowledged it, and the escalation has come to its end')
  const [first] = world.outbox.delivered
  assert.deepEqual([first?.reason, first?.status, first?.incident, first?.alerts.map(({ labels }) => labels['alertname'])], ['escalation', 'firing', id, ['ManyErrors']])
  assert.ok(world.outbox.delivered.every((one) => /^[\w-]{1,64}$/.test(one.id)))
})

test('an acknowledgement stops it; who is silent then for an hour is not believed any more', async () => {
  const world = await createWorld({ yaml: YAML })
  const id = await open(world)
  await world.clock.advance(6 * MINUTE)
  await set(world, id, 'acknowledged')
  await world.clock.advance(50 * MINUTE)
  await world.manager.comment(id, { text: 'still looking', action: false, owner: '' }, 'ann')
  await world.clock.advance(59 * MINUTE)
  assert.deepEqual(told(world), ['ann firing'])
  await world.clock.advance(MINUTE)
  assert.deepEqual(told(world), ['ann firing', 'ann firing'])
  // It goes on from there until somebody says something.
  await world.clock.advance(10 * MINUTE)
  assert.deepEqual(told(world), ['ann firing', 'ann firing', 'team firing'])
  await set(world, id, 'acknowledged')
  await world.clock.advance(30 * MINUTE)
  assert.equal(told(world).length, 3)
  await set(world, id, 'resolved')
  assert.deepEqual(told(world).slice(3), ['ann resolved', 'team resolved'])
  await world.clock.advance(24 * 60 * MINUTE)
  assert.equal(told(world).length, 5)
})

test('after a restart it goes on where it was; what was due meanwhile is told at once, and once', async () => {
  const world = await createWorld({ yaml: YAML })
  await open(world)
  await world.clock.advance(MINUTE)
  await world.manager.stop()
  await world.clock.advance(30 * MINUTE)
  assert.deepEqual(told(world), [])
  await world.restart()
  await world.clock.advance(0)
  assert.deepEqual(told(world), ['ann firing'])
  await world.restart()
  await world.clock.advance(9 * MINUTE)
  assert.deepEqual(told(world), ['ann firing'])
  await world.clock.advance(MINUTE)
  assert.deepEqual(told(world), ['ann firing', 'team firing'])
})

test('a step that could not be stored has told nobody, and is attempted again', async () => {
  const world = await createWorld({ yaml: YAML })
  await open(world)
  await world.clock.advance(4 * MINUTE)
  world.log.failing = 1
  await world.clock.advance(MINUTE + 4000)
  assert.deepEqual([told(world), world.log.failing], [[], 0])
  await world.clock.advance(1000)
  assert.deepEqual(told(world), ['ann firing'])
})

test('a reopened incident escalates anew, and tells of each end once', async () => {
  const world = await createWorld({ yaml: YAML })
  await open(world)
  await world.clock.advance(6 * MINUTE)
  await world.manager.join([resolved({ at: world.clock.now() })])
  assert.deepEqual(told(world), ['ann firing', 'ann resolved'])
  await open(world)
  await world.clock.advance(4 * MINUTE)
  assert.equal(told(world).length, 2)
  await world.clock.advance(MINUTE)
  await world.manager.join([resolved({ at: world.clock.now() })])
  assert.deepEqual(told(world), ['ann firing', 'ann resolved', 'ann firing', 'ann resolved'])
  // Nobody was called this time, so nobody hears of the end.
  await open(world)
  await world.clock.advance(MINUTE)
  await world.manager.join([resolved({ at: world.clock.now() })])
  assert.equal(told(world).length, 4)
})

test('the first policy that fits holds; where it gets worse another one begins; without one nobody is told', async () => {
  const world = await createWorld({ yaml: { ...YAML, open: ['warning', 'critical'] } })
  await open(world, 'batch')
  assert.deepEqual(told(world), ['mail firing'])
  await world.manager.join([firing({ at: world.clock.now(), severity: 'warning', rule: 'Slow' })])
  await world.clock.advance(10 * MINUTE)
  assert.deepEqual(told(world), ['mail firing'])
  await open(world)
  await world.clock.advance(5 * MINUTE)
  assert.deepEqual(told(world), ['mail firing', 'ann firing'])
})

test('where nobody is on call it says so and goes on at once', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'andon-on-call-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const ical = join(folder, 'a.ics')
  writeFileSync(ical, 'BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20200101T000000Z\nDURATION:PT1H\nSUMMARY:Ann\nEND:VEVENT\nEND:VCALENDAR\n')
  const world = await createWorld({ yaml: { escalation: [{ name: 'p', steps: [{ notify_on_call: 'primary' }, { notify: 'team' }] }], on_call: [{ name: 'primary', ical, people: [{ name: 'Ann', receiver: 'ann' }] }] } })
  const id = await open(world)
  assert.deepEqual(told(world), ['team firing'])
  assert.ok((await world.manager.timeline(id)).some(({ text }) => text === 'Nobody is on call of primary'))
})
