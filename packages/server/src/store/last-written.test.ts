import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FakeClock } from '../runtime/clock.ts'
import { LastWritten, REFRESH_MS } from './last-written.ts'

test('no row is written twice within an hour while all fit, and each is due again after it (property)', async () => {
  const step = fc.record({ wait: fc.integer({ min: 0, max: 2 * REFRESH_MS }), keys: fc.uniqueArray(fc.integer({ min: 0, max: 9 })) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const clock = new FakeClock()
      const written = new LastWritten<number>(clock, 10)
      const model = new Map<number, number>()
      for (const { wait, keys } of steps) {
        await clock.advance(wait)
        const due = keys.filter((key) => written.isDue(key))
        assert.deepEqual(due, keys.filter((key) => clock.now() - (model.get(key) ?? -Infinity) > REFRESH_MS))
        written.note(due)
        for (const key of due) model.set(key, clock.now())
      }
    }),
    { numRuns: 50 },
  )
})

test('of more rows than are remembered those written last are kept', async () => {
  const clock = new FakeClock()
  const written = new LastWritten<string>(clock, 2)
  written.note(['a', 'b'])
  await clock.advance(REFRESH_MS + 1)
  written.note(['a', 'c'])
  assert.deepEqual(['a', 'b', 'c'].map((key) => written.isDue(key)), [false, true, false])
})
