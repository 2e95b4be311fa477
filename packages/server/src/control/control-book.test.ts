import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FakeClock } from '../runtime/clock.ts'
import { ControlBook, CONTROLS_MAX } from './control-book.ts'
import { FakeLog } from './fake-log.test.ts'

const start = async (): Promise<{ clock: FakeClock; log: FakeLog; book: ControlBook }> => {
  const clock = new FakeClock()
  const log = new FakeLog(clock)
  return { clock, log, book: await ControlBook.open(log, clock) }
}

test('a state for an instance wins over one for its service, until it expires', async () => {
  const { clock, book } = await start()
  assert.equal(book.answer('shop', 'a').revision, 0)
  const whole = await book.set({ service: 'shop' }, { sampling: 0.1, expires: clock.now() + 100_000 }, 'ann')
  const single = await book.set({ instance: 'a' }, { sampling: 0.9, expires: clock.now() + 50_000 }, 'ben')
  assert.deepEqual([book.answer('shop', 'a').sampling, book.answer('shop', 'b').sampling, book.answer('bank', 'c').sampling], [0.9, 0.1, null])
  assert.deepEqual([book.revision('shop', 'a'), book.revision('shop', 'b')], [single.revision, whole.revision])
  await clock.advance(50_000)
  assert.deepEqual([book.revision('shop', 'a'), book.answer('shop', 'a').sampling], [whole.revision, 0.1])
  await clock.advance(50_000)
  assert.deepEqual(book.answer('shop', 'a'), { revision: 0, now: clock.now(), sampling: null, profile: null, thresholds: [], expires: null })
})

test('a profile that has ended is wanted no more, while the rest holds', async () => {
  const { clock, book } = await start()
  await book.set({ service: 'shop' }, { sampling: 0.1, profile: { until: clock.now() + 5000, rate: 100, kinds: ['cpu'] }, expires: clock.now() + 100_000 }, 'ann')
  assert.equal(book.answer('shop', 'a').profile?.rate, 100)
  await clock.advance(5000)
  assert.deepEqual([book.answer('shop', 'a').profile, book.answer('shop', 'a').sampling], [null, 0.1])
})

test('after any changes a restart finds what was in force, and revisions never repeat (property)', async () => {
  const target = fc.oneof(fc.record({ service: fc.constantFrom('a', 'b') }), fc.record({ instance: fc.constantFrom('1', '2') }))
  const step = fc.oneof(
    fc.record({ set: target, forMs: fc.integer({ min: 10_000, max: 100_000 }), sampling: fc.double({ min: 0, max: 1, noNaN: true }) }),
    fc.record({ remove: target }),
    fc.record({ wait: fc.integer({ min: 0, max: 60_000 }) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const { clock, log, book } = await start()
      for (const each of steps) {
        if ('set' in each) await book.set(each.set, { sampling: each.sampling, expires: clock.now() + each.forMs }, 'ann')
        else if ('remove' in each) await book.remove(each.remove, 'ann')
        else await clock.advance(each.wait)
      }
      const again = await ControlBook.open(log, clock)
      for (const service of ['a', 'b']) for (const instance of ['1', '2', '3']) assert.deepEqual(again.answer(service, instance), book.answer(service, instance))
      assert.equal(new Set(log.rows.map(({ revision }) => revision)).size, log.rows.length)
    }),
    { numRuns: 100 },
  )
})

test('of two changes at the same time the later one holds, whichever is stored first', async () => {
  const { clock, log, book } = await start()
  const held: (() => void)[] = []
  const append = log.append.bind(log)
  log.append = async (rows) => {
    const revisions = await append(rows)
    await new Promise<void>((resolve) => held.push(resolve))
    return revisions
  }
  const both = [0.1, 0.2].map((sampling) => book.set({ service: 'shop' }, { sampling, expires: clock.now() + 60_000 }, 'ann'))
  while (held.length < 2) await new Promise((resolve) => setImmediate(resolve))
  held[1]?.()
  await both[1]
  held[0]?.()
  await both[0]
  assert.equal(book.answer('shop', 'a').sampling, 0.2)
})

test('the states are bounded, and those that expired make room', async () => {
  const { clock, book } = await start()
  const set = (index: number): Promise<unknown> => book.set({ service: `s${index}` }, { expires: clock.now() + 10_000 }, 'ann')
  for (let index = 0; index < CONTROLS_MAX; index += 1) await set(index)
  await assert.rejects(set(CONTROLS_MAX), { code: 'overloaded' })
  await clock.advance(10_000)
  await set(CONTROLS_MAX)
})
