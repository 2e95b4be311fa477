import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../runtime/clock.ts'
import { HOUR, MemoryLog, MINUTE, START } from './fixture.test.ts'
import { parseMatchers } from './matcher.ts'
import { SilenceBook, silenceState, type WantedSilence } from './silence.ts'

function wanted(more: Partial<WantedSilence> = {}): WantedSilence {
  return { id: '', matchers: parseMatchers('service_name="shop",severity=~"warning|info"'), startsAt: START, endsAt: START + HOUR, createdBy: 'ann', comment: 'deploy', ...more }
}

async function open(): Promise<{ book: SilenceBook; clock: FakeClock; log: MemoryLog; again: () => Promise<SilenceBook> }> {
  const clock = new FakeClock(START)
  const log = new MemoryLog(clock)
  let count = 0
  const again = (): Promise<SilenceBook> => SilenceBook.open(log, clock, () => `id${(count += 1)}`)
  return { book: await again(), clock, log, again }
}

test('a silence begins, matches, ends; it is stored', async () => {
  const { book, clock, again } = await open()
  const id = await book.set(wanted({ startsAt: START + MINUTE }))
  const labels = { service_name: 'shop', severity: 'info' }
  assert.deepEqual(book.silencedBy(labels), [])
  await clock.advance(MINUTE)
  assert.deepEqual([book.silencedBy(labels), book.silencedBy({ ...labels, severity: 'critical' }), book.silencedBy({})], [[id], [], []])
  assert.deepEqual((await again()).silencedBy(labels), [id])
  await clock.advance(59 * MINUTE)
  assert.deepEqual(book.silencedBy(labels), [])
  await clock.advance(119 * HOUR)
  assert.equal(book.list().length, 1)
  await clock.advance(2 * HOUR)
  assert.deepEqual([book.list(), (await again()).list()], [[], []])
})

test('it may end at another time and be commented otherwise; with other matchers, another begin or after its end it is a new one', async () => {
  const { book, clock } = await open()
  const id = await book.set(wanted())
  await clock.advance(MINUTE)
  assert.equal(await book.set(wanted({ id, endsAt: START + 2 * HOUR, comment: 'longer' })), id)
  assert.deepEqual([book.get(id)?.endsAt, book.get(id)?.comment, book.list().length], [START + 2 * HOUR, 'longer', 1])
  // In another order they are the same matchers.
  assert.equal(await book.set(wanted({ id, matchers: wanted().matchers.toReversed() })), id)
  const second = await book.set(wanted({ id, matchers: parseMatchers('service_name="bank"') }))
  assert.notEqual(second, id)
  assert.deepEqual(book.list().map((one) => [one.id, silenceState(one, clock.now())]), [[second, 'active'], [id, 'expired']])
  assert.equal(book.get(second)?.startsAt, clock.now())
  const third = await book.set(wanted({ id, endsAt: START + 3 * HOUR }))
  assert.ok(![id, second].includes(third))
  await assert.rejects(book.set(wanted({ id: 'nobody' })), { code: 'not_found' })
})

test('a pending one is changed as long as it does not begin in the past; expiring it leaves nothing', async () => {
  const { book, clock } = await open()
  const id = await book.set(wanted({ startsAt: START + MINUTE }))
  assert.equal(await book.set(wanted({ id, startsAt: START + 2 * MINUTE })), id)
  await book.expire(id, 'bob')
  await book.expire(id, 'bob')
  assert.deepEqual([book.get(id)?.startsAt, book.get(id)?.endsAt], [START, START])
  await clock.advance(3 * MINUTE)
  assert.deepEqual(book.silencedBy({ service_name: 'shop', severity: 'info' }), [])
  await assert.rejects(book.expire('nobody', 'bob'), { code: 'not_found' })
})

test('what would mute everything, or says nothing, is refused', async () => {
  const { book, log } = await open()
  for (const more of [
    { matchers: [] },
    { matchers: parseMatchers('a=~".*"') },
    { matchers: parseMatchers('a=""') },
    { endsAt: START },
    { startsAt: START - HOUR, endsAt: START - MINUTE },
    { comment: '' },
    { createdBy: '' },
    { comment: 'x'.repeat(9000) },
    { matchers: [{ name: 'a', operator: '=~' as const, value: '(' }] },
  ]) await assert.rejects(book.set(wanted(more)), { code: 'bad_parameter' }, JSON.stringify(more).slice(0, 100))
  assert.deepEqual([log.rows, book.list()], [[], []])
})

test('what could not be stored does not hold', async () => {
  const { book, log } = await open()
  log.isDead = true
  await assert.rejects(book.set(wanted()))
  assert.deepEqual(book.list(), [])
})
