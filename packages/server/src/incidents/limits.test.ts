// What bounds incidents holds, and what is past it is counted.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Incident, TimelineEntry } from '@andon/model'
import { entry } from './draft.ts'
import { createWorld, firing, MemoryLog, resolved } from './fixture.test.ts'
import { entryRow } from './incident-log.ts'
import { OPEN_MAX } from './join.ts'
import { Shelf } from './shelf.ts'
import { planNew } from './states.ts'
import { ENTRIES_MAX, Timelines } from './timelines.ts'

const closed = (id: string, at: number): Incident => {
  const { incident } = planNew(id, { title: id, service: '', environment: '', severity: '', onsetAt: undefined }, { actor: 'ann', now: at })
  return { ...incident, state: 'resolved', marks: { ...incident.marks, resolved: { at, actor: 'ann' } } }
}

test('so many incidents are open at most; an alert past them belongs to none, and joins once there is room', async () => {
  const world = await createWorld()
  const at = world.clock.now()
  const alerts = Array.from({ length: OPEN_MAX + 1 }, (_, index) => firing({ at, service: `s${index}` }))
  const found = await world.manager.join(alerts)
  assert.equal(found.size, OPEN_MAX)
  await assert.rejects(world.manager.create({ title: 'one more', service: '', environment: '', severity: '', onsetAt: undefined }, 'ann'), { code: 'overloaded' })
  await world.manager.join([resolved({ at, service: 's0' })])
  assert.equal((await world.manager.join(alerts.slice(-1))).size, 1)
})

test('an incident holds 500 alerts: resolved ones give way, and where none is the next one begins another incident', async () => {
  const world = await createWorld()
  const at = world.clock.now()
  const many = (count: number, from = 0): ReturnType<typeof firing>[] => Array.from({ length: count }, (_, index) => firing({ at, instance: String(from + index) }))
  const first = new Set((await world.manager.join(many(500))).values())
  assert.equal(first.size, 1)
  const [second = ''] = (await world.manager.join(many(1, 500))).values()
  assert.ok(!first.has(second))
  await world.manager.join([resolved({ at, instance: '7' })])
  assert.deepEqual([...(await world.manager.join([firing({ at, instance: '501', rule: 'Slow', severity: 'warning' })])).values()].length, 1)
  for (const { alerts } of world.manager.list({ range: undefined, states: [], service: undefined, limit: 10 })) assert.ok(alerts.length <= 500)
})

const of = (kind: TimelineEntry['kind'], count: number): TimelineEntry[] => Array.from({ length: count }, (_, index) => entry(kind, index, 'andon', 'x'))

test('past 2,000 entries a timeline notes what people do, and counts the rest', async () => {
  const log = new MemoryLog()
  const incident = { id: 'i1', service: 'shop' }
  const timelines = new Timelines(log)
  const add = async (entries: readonly TimelineEntry[]): Promise<number> => {
    const fresh = await timelines.fresh('i1', entries)
    await log.append(fresh.map((one) => entryRow(incident, one)))
    await timelines.stored('i1', fresh)
    return fresh.length
  }
  assert.deepEqual([await add(of('alert', ENTRIES_MAX + 50)), await add(of('comment', 10)), await add(of('notification', 5)), timelines.leftOut], [ENTRIES_MAX, 10, 0, 55])
  assert.equal((await new Timelines(log).of('i1')).length, ENTRIES_MAX + 10)
})

test('the oldest closed incidents leave memory and stay in the log, from where they can be opened again', async () => {
  const shelf = new Shelf(3)
  for (let index = 0; index < 5; index += 1) shelf.put(closed(`i${index}`, index))
  assert.deepEqual(shelf.all().map(({ id }) => id), ['i2', 'i3', 'i4'])
  const world = await createWorld()
  await world.log.append([{ kind: 'incident', key: 'i20200101-1', state: 'resolved', service: '', severity: '', actor: 'ann', doc: closed('i20200101-1', 5) }])
  assert.equal((await world.manager.setState('i20200101-1', { state: 'detected', revision: undefined, note: '' }, 'ann')).state, 'detected')
  assert.equal(world.manager.list({ range: undefined, states: ['detected'], service: undefined, limit: 10 }).length, 1)
})
