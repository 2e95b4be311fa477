import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Milliseconds } from '@andon/model'
import { FakeClock } from '../runtime/clock.ts'
import { type Evaluator, type Grid, gridOf, type GridSeries } from './grid.ts'
import { RecentAnswers } from './recent-answers.ts'

const MINUTE: Milliseconds = 60_000
const HOUR = 60 * MINUTE
const START = Date.UTC(2026, 5, 1)

/** Counts points of the minute before each step, of those that had arrived; some arrive late. */
class Arrivals implements Evaluator {
  readonly #clock: FakeClock
  readonly points: { readonly at: Milliseconds; readonly arrives: Milliseconds }[] = []
  steps = 0
  instants = 0

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  #count(time: Milliseconds): number {
    return this.points.filter(({ at, arrives }) => at > time - MINUTE && at <= time && arrives <= this.#clock.now()).length
  }

  over(_expression: string, { t }: Grid): Promise<readonly GridSeries[]> {
    this.steps += t.length
    const values = t.map((time) => this.#count(time) || null)
    return Promise.resolve(values.every((value) => value === null) ? [] : [{ labels: { job: 'a' }, values }])
  }

  at(_expression: string, time: Milliseconds): Promise<readonly { readonly labels: Record<string, string>; readonly value: number }[]> {
    this.instants += 1
    return Promise.resolve([{ labels: {}, value: this.#count(time) }])
  }
}

test('an open page gets what asking anew would give, for a fraction of the steps', async () => {
  const clock = new FakeClock(START)
  const arrivals = new Arrivals(clock)
  const recent = new RecentAnswers(arrivals, clock)
  const direct = new Arrivals(clock)
  for (let second = -3600; second < 1200; second += 7) arrivals.points.push({ at: START + second * 1000, arrives: START + (second + (second % 3 === 0 ? 110 : 1)) * 1000 })
  direct.points.push(...arrivals.points)
  let asked = 0
  for (let tick = 0; tick < 200; tick += 1) {
    await clock.advance(5000)
    const range = { start: clock.now() - HOUR, end: clock.now() }
    const grid = gridOf(range, 60)
    asked += grid.t.length
    // Two pages, the second a little later and over half of the range.
    const [one, other] = await Promise.all([recent.over('x', grid), recent.over('x', { step: grid.step, t: grid.t.slice(30) })])
    const expected = await direct.over('x', grid)
    assert.deepEqual(one, expected, `tick ${tick}`)
    assert.deepEqual(other[0]?.values, expected[0]?.values.slice(30), `tick ${tick}, the other page`)
  }
  assert.ok(arrivals.steps < asked / 4, `${arrivals.steps} of ${asked} steps were asked`)
})

test('what arrives later than two minutes is seen within one more', async () => {
  const clock = new FakeClock(START)
  const arrivals = new Arrivals(clock)
  const recent = new RecentAnswers(arrivals, clock)
  const read = async (): Promise<number> => {
    const found = await recent.over('x', gridOf({ start: clock.now() - HOUR, end: clock.now() }, 60))
    return found.flatMap(({ values }) => values).reduce<number>((sum, value) => sum + (value ?? 0), 0)
  }
  assert.equal(await read(), 0)
  arrivals.points.push({ at: START - 30 * MINUTE, arrives: START })
  await clock.advance(5000)
  assert.equal(await read(), 0)
  await clock.advance(56_000)
  assert.equal(await read(), 1)
})

test('a failure is not remembered, and neither is an answer beyond its age', async () => {
  const clock = new FakeClock(START)
  const arrivals = new Arrivals(clock)
  let fails = true
  const recent = new RecentAnswers(
    {
      over: async (expression, grid) => (fails ? await Promise.reject(new Error('away')) : await arrivals.over(expression, grid)),
      at: async (expression, time) => (fails ? await Promise.reject(new Error('away')) : await arrivals.at(expression, time)),
    },
    clock,
  )
  const grid = gridOf({ start: START - HOUR, end: START }, 60)
  await assert.rejects(recent.over('x', grid), /away/)
  await assert.rejects(recent.at('x', START, 10_000), /away/)
  fails = false
  assert.deepEqual(await recent.over('x', grid), [])
  await recent.at('x', START, 10_000)
  await recent.at('x', START + 9000, 10_000)
  assert.equal(arrivals.instants, 1)
  await recent.at('x', START - 1, 10_000)
  await recent.at('x', START + 10_001, 10_000)
  await recent.at('x', START + 10_001)
  assert.equal(arrivals.instants, 4)
})
