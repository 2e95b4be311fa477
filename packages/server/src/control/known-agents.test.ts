import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AgentIdentity } from '@andon/model'
import { FakeClock } from '../runtime/clock.ts'
import type { HeardAgent } from '../store/agents.ts'
import { AGENTS_MAX, type AgentTable, KnownAgents, WRITE_MS } from './known-agents.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const identity = (instance: string, revision = 0): AgentIdentity => ({ service: 'shop', instance, version: '1', revision, capabilities: ['sampling'] })

/** The table in memory: of each instance what was written last. */
class FakeTable implements AgentTable {
  readonly rows = new Map<string, HeardAgent>()
  readonly writes: number[] = []
  error: Error | undefined

  write(agents: readonly HeardAgent[]): Promise<void> {
    if (this.error !== undefined) return Promise.reject(this.error)
    this.writes.push(agents.length)
    for (const agent of agents) this.rows.set(agent.instance, agent)
    return Promise.resolve()
  }

  heardSince(since: number, limit: number): Promise<HeardAgent[]> {
    return Promise.resolve([...this.rows.values()].filter(({ lastSeen }) => lastSeen >= since).toSorted((a, b) => a.lastSeen - b.lastSeen).slice(-limit))
  }
}

test('an instance belongs to the token that it sends under; the agents are bounded and forgotten after seven days', async () => {
  const clock = new FakeClock()
  const agents = await KnownAgents.open(new FakeTable(), clock)
  assert.equal(agents.seen(identity('a'), 'one'), true)
  assert.equal(agents.seen(identity('a'), 'two'), false)
  assert.deepEqual([agents.isOwnedBy('a', 'one'), agents.isOwnedBy('a', 'two'), agents.isOwnedBy('b', 'one')], [true, false, false])
  await clock.advance(10 * MINUTE)
  assert.equal(agents.seen(identity('a'), 'two'), true)
  for (let index = 0; index < AGENTS_MAX; index += 1) agents.seen(identity(`i${index}`), 'one')
  assert.equal(agents.find('a'), undefined)
  assert.equal(agents.list().length, AGENTS_MAX)
  await clock.advance(7 * DAY)
  assert.equal(agents.find('i9')?.stale, true)
  await clock.advance(1)
  assert.deepEqual([agents.find('i9'), agents.list()], [undefined, []])
})

test('after five silent minutes an agent is stale, until it is heard again', async () => {
  const clock = new FakeClock()
  const agents = await KnownAgents.open(new FakeTable(), clock)
  agents.seen(identity('a'), 'one')
  await clock.advance(5 * MINUTE - 1)
  assert.equal(agents.find('a')?.stale, false)
  await clock.advance(1)
  agents.seen(identity('b'), 'one')
  assert.deepEqual(agents.list().map(({ instance, stale }) => [instance, stale]), [['a', true], ['b', false]])
  agents.seen(identity('a'), 'one')
  assert.equal(agents.find('a')?.stale, false)
})

test('a restart, also after a crash, knows who was heard until 30 seconds before, under whose token, and since when it is silent', async () => {
  const clock = new FakeClock()
  const table = new FakeTable()
  const first = await KnownAgents.open(table, clock)
  const start = clock.now()
  first.seen(identity('old'), 'one')
  await clock.advance(7 * DAY - WRITE_MS)
  first.seen(identity('new', 3), 'one')
  await clock.advance(WRITE_MS)
  first.seen(identity('unwritten'), 'one')
  // No stop: as if the process was killed.
  const second = await KnownAgents.open(table, clock)
  assert.deepEqual(second.list(), [
    { ...identity('new', 3), lastSeen: start + 7 * DAY - WRITE_MS, stale: false },
    { ...identity('old'), lastSeen: start, stale: true },
  ])
  assert.deepEqual([second.seen(identity('new'), 'two'), second.isOwnedBy('new', 'one')], [false, true])
  await clock.advance(1)
  assert.deepEqual((await KnownAgents.open(table, clock)).find('old'), undefined)
})

test('what did not change is written once an hour; what could not be written is, with the next turn or at the end', async () => {
  const clock = new FakeClock()
  const table = new FakeTable()
  const errors: unknown[] = []
  const agents = await KnownAgents.open(table, clock, (error) => errors.push(error))
  agents.seen(identity('a'), 'one')
  agents.seen(identity('b'), 'one')
  await clock.advance(3 * WRITE_MS)
  assert.deepEqual(table.writes, [2])
  agents.seen(identity('b', 1), 'one')
  table.error = new Error('the disk is full')
  await clock.advance(WRITE_MS)
  assert.deepEqual([errors, table.writes], [[table.error], [2]])
  table.error = undefined
  agents.seen(identity('a'), 'one')
  await agents.stop()
  assert.deepEqual(table.writes, [2, 2])
  agents.seen(identity('c'), 'one')
  await clock.advance(WRITE_MS)
  assert.deepEqual(table.writes, [2, 2])
})

test('an agent that is heard all the time is written once an hour, and at once when it says something else', async () => {
  const clock = new FakeClock()
  const table = new FakeTable()
  const agents = await KnownAgents.open(table, clock)
  const heard = async (minutes: number, revision: number): Promise<void> => {
    for (let minute = 0; minute < minutes; minute += 1) {
      agents.seen(identity('a', revision), 'one')
      await clock.advance(MINUTE)
    }
  }
  await heard(10 * 60, 0)
  assert.ok(table.writes.length >= 9 && table.writes.length <= 10, `${table.writes.length} times in ten hours`)
  const before = table.writes.length
  await heard(1, 1)
  assert.deepEqual([table.writes.length, table.rows.get('a')?.revision], [before + 1, 1])
})

test('after a start a name belongs for ten minutes to the token that had it, however long the server was away', async () => {
  const clock = new FakeClock()
  const table = new FakeTable()
  const first = await KnownAgents.open(table, clock)
  first.seen(identity('a'), 'one')
  await first.stop()
  await clock.advance(DAY)
  const second = await KnownAgents.open(table, clock)
  await clock.advance(9 * MINUTE)
  assert.equal(second.seen(identity('a'), 'two'), false)
  await clock.advance(MINUTE)
  assert.equal(second.seen(identity('a'), 'two'), true)
})
