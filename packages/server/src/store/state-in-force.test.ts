import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { FakeClock } from '../runtime/clock.ts'
import { createLog, silentLog } from '../runtime/log.ts'
import type { Database } from './database.ts'
import { openTestDatabase, openTestStore } from './fixture.test.ts'
import { type Store, storeOver } from './index.ts'
import type { Retention } from './retention.ts'
import type { StateRow, StoredState } from './state.ts'
import { KINDS, MEANINGS, type StateKind } from './state-kinds.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 5, 12)
/** A month is dropped when it is over and its last row is a day old. */
const SHORT: Retention = { rawDays: 1, spansDays: 1, rollupDays: 1, longDays: 1 }
const folders: string[] = []
after(() => {
  for (const each of folders) rmSync(each, { recursive: true, force: true })
})

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'andon-in-force-'))
  folders.push(made)
  return made
}

async function open(t: TestContext, dataDir: string, clock: FakeClock, retention: Retention = SHORT): Promise<Store> {
  const store = await openTestStore({ dataDir, log: silentLog, clock, retention })
  t.after(() => store.close())
  return store
}

const row = (kind: StateKind, key: string, state: string, doc: unknown = { is: state }): StateRow => ({ kind, key, state, service: 'shop', severity: 'page', actor: 'ada', doc })

/** What holds, of all kinds, by kind and key. */
async function holding(store: Store): Promise<Record<string, StoredState>> {
  const found: Record<string, StoredState> = {}
  for (const kind of KINDS) for (const each of await store.state.latest(kind)) found[`${kind} ${each.key}`] = each
  return found
}

const lastsLong = START + 5000 * DAY

/** One that holds and one that is over of each kind, and what has happened. */
async function fill(store: Store): Promise<void> {
  for (const kind of KINDS) {
    const meaning = MEANINGS[kind]
    if (meaning === 'past') await store.state.append([row(kind, 'past', 'happened')])
    else if ('of' in meaning) await store.state.append([row(kind, 'open', 'note', { n: 1 }), row(kind, 'open', 'note', { n: 2 }), row(kind, 'over', 'note', { n: 3 })])
    else {
      await store.state.append([row(kind, 'open', 'begun', { first: true }), row(kind, 'over', 'begun')])
      await store.state.append([row(kind, 'open', 'set', meaning.until === undefined ? { text: 'a\tb\\n\u0000"ä' } : { [meaning.until]: lastsLong })])
      for (const [index, state] of meaning.over.entries()) await store.state.append([row(kind, index === 0 ? 'over' : `over ${index}`, state)])
      if (meaning.until !== undefined) await store.state.append([row(kind, 'ended', 'set', { [meaning.until]: START + DAY })])
    }
  }
}

const wanted = KINDS.flatMap((kind) => (MEANINGS[kind] === 'past' ? [] : [`${kind} open`]))

test('what holds is there as it was written after any time, over restarts; what is over, ended or past expires', { timeout: 120_000 }, async (t) => {
  const dataDir = folder()
  const clock = new FakeClock(START)
  let store = await open(t, dataDir, clock)
  await fill(store)
  const before = await holding(store)
  const events = await store.state.history('incident-event', 'open', 10)
  const rules = await store.state.history('rule', 'open', 10)
  assert.equal(rules.length, 2)
  const [last = 0] = await store.state.append([row('rule', 'last', 'removed')])
  for (const days of [40, 400, 1000]) {
    await store.close()
    await clock.advance(days * DAY)
    store = await open(t, dataDir, clock)
    const kept = await holding(store)
    assert.deepEqual(Object.keys(kept).filter((key) => key !== 'revision highest').toSorted(), wanted.toSorted())
    for (const key of wanted) assert.deepEqual(kept[key], before[key], key)
    assert.deepEqual(await store.state.history('incident-event', 'open', 10), events)
    assert.deepEqual(await store.state.history('rule', 'open', 10), rules.slice(0, 1), 'of the earlier states the last one is left')
    assert.deepEqual(await store.state.between('alert-active', { start: START + 1, end: clock.now() + DAY }, 10), [], 'nothing is told to have happened since')
    assert.deepEqual((await store.state.between('alert-active', { start: START, end: START + 1 }, 10)).map(({ key, state }) => [key, state]), [['open', 'set']])
  }
  const [next = 0] = await store.state.append([row('rule', 'next', 'set')])
  assert.ok(next > last, `${next} after ${last}`)
  // What was kept for so long is over like anything else.
  await store.state.append([row('rule', 'open', 'removed'), row('incident', 'open', 'resolved')])
  const notes = await store.state.history('incident-event', 'open', 10)
  assert.equal(notes.length, 2, 'notes are there as long as what they are about')
  await clock.advance(40 * DAY)
  await store.disk.dropExpired(clock.now())
  assert.deepEqual(Object.keys(await holding(store)).toSorted(), [...wanted.filter((key) => !/^(?:rule|incident|incident-event|evidence) /.test(key)), 'revision highest', 'rule next'].toSorted())
})

test('while it runs what holds is written again before its month is dropped, and only then', { timeout: 60_000 }, async (t) => {
  const clock = new FakeClock(START)
  const store = await open(t, folder(), clock, { rawDays: 1, spansDays: 1, rollupDays: 1, longDays: 60 })
  await fill(store)
  const before = await holding(store)
  const months = async (): Promise<string[]> => (await store.disk.partitions()).filter(({ table }) => table === 'state_log').map(({ id }) => id)
  for (let day = 0; day < 70; day += 1) {
    await clock.advance(DAY)
    await store.disk.dropExpired(clock.now())
    const kept = await holding(store)
    for (const key of wanted) assert.deepEqual(kept[key], before[key], `${key} after ${day + 1} days`)
    assert.equal((await months()).length, 1)
  }
  assert.deepEqual(await months(), ['202603'])
})

/** A database whose statements fail on demand. */
class Failing {
  readonly database: Database
  fails: 'insert' | 'drop' | undefined

  constructor(database: Database) {
    this.database = new Proxy(database, {
      get: (target, name) => {
        if (name === 'insert' && this.fails === 'insert') return () => Promise.reject(new Error('the disk is away'))
        if (name === 'command' && this.fails === 'drop') return () => Promise.reject(new Error('busy'))
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? (...given: unknown[]): unknown => Reflect.apply(value, target, given) : value
      },
    })
  }
}

test('where it cannot be written again its month stays; where the month cannot be dropped each entry is told once all the same', { timeout: 60_000 }, async (t) => {
  const clock = new FakeClock(START)
  const failing = new Failing(await openTestDatabase(folder()))
  const lines: string[] = []
  const log = createLog('info', () => 0, (line) => lines.push(String(Reflect.get(JSON.parse(line) as object, 'message'))))
  const store = await storeOver(failing.database, { log, clock, retention: SHORT })
  t.after(() => store.close())
  await store.state.append([row('rule', 'open', 'set'), row('incident', 'open', 'open'), row('incident-event', 'open', 'note', { n: 1 })])
  await store.state.append([row('incident-event', 'open', 'note', { n: 2 }), row('alert-active', 'a', 'firing')])
  const [before, events, changes] = [await holding(store), await store.state.history('incident-event', 'open', 10), await store.state.between('alert-active', { start: START, end: START + DAY }, 10)]
  await clock.advance(40 * DAY)
  const check = async (): Promise<void> => {
    assert.deepEqual(await holding(store), before)
    assert.deepEqual(await store.state.history('incident-event', 'open', 10), events)
    assert.deepEqual(await store.state.between('alert-active', { start: START, end: clock.now() + 1 }, 10), changes)
  }
  const rows = async (): Promise<number[]> => (await store.disk.partitions()).filter(({ table }) => table === 'state_log').map((each) => each.rows)
  lines.length = 0
  failing.fails = 'insert'
  assert.deepEqual(await store.disk.dropExpired(clock.now()), [])
  assert.deepEqual([lines, await rows()], [['what still holds could not be written again: its partitions stay'], [5]])
  await check()
  failing.fails = 'drop'
  for (let turn = 0; turn < 3; turn += 1) await store.disk.dropExpired(clock.now())
  assert.deepEqual(await rows(), [5, 5], 'written again once')
  await check()
  failing.fails = undefined
  assert.equal((await store.disk.dropExpired(clock.now())).length, 1)
  assert.deepEqual(await rows(), [5])
  await check()
})

test('whatever is written when, what holds at last is what was said last (property)', { timeout: 120_000 }, async (t) => {
  const clock = new FakeClock(START)
  const store = await open(t, folder(), clock)
  const expected = new Map<string, string>()
  const step = fc.record({ days: fc.constantFrom(0, 0, 3, 35), keys: fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.constantFrom('set', 'set', 'removed')), { maxLength: 3 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      for (const { days, keys } of steps) {
        await clock.advance(days * DAY)
        if (days > 0) await store.disk.dropExpired(clock.now())
        await store.state.append(keys.map(([key, state]) => row('rule', `r${key}`, state)))
        for (const [key, state] of keys) expected.set(`r${key}`, state)
        const held = (await store.state.latest('rule', { except: ['removed'] })).map(({ key }) => key)
        assert.deepEqual(held, [...expected].filter(([, state]) => state === 'set').map(([key]) => key).toSorted())
      }
    }),
    { numRuns: 15 },
  )
})
