// The state machine under hours of load, on a clock of the test's own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { costAt, shareOf } from './cost.ts'
import { FLOOR, FULL, type Level, levelsBelow } from './level.ts'
import { type Demand, loadOf, shareAt } from './simulation.test.ts'
import { type Change, GovernorState } from './state.ts'

const LOOK_MS = 5000

interface Segment {
  readonly demand: Demand
  readonly looks: number
}

interface Seen {
  readonly segment: number
  /** Readings of this segment so far. */
  readonly age: number
  readonly level: Level
  readonly share: number
  readonly change: Change | undefined
}

/** @param truth - how many times more a level really costs than is forecast from another */
function simulate(budget: number, segments: readonly Segment[], truth: (level: Level) => number = () => 1): { state: GovernorState; seen: Seen[] } {
  const state = new GovernorState(budget)
  const seen: Seen[] = []
  let now = 0
  segments.forEach(({ demand, looks }, segment) => {
    for (let age = 1; age <= looks; age += 1) {
      now += LOOK_MS
      const { level } = state
      const load = loadOf(demand, level, LOOK_MS)
      const share = shareAt(demand, level) * truth(level)
      const change = state.look(now, share, (to) => shareOf(costAt(load, 1, level, to), load.elapsed) * truth(level))
      seen.push({ segment, age, level, share, change })
    }
  })
  return { state, seen }
}

const demand: fc.Arbitrary<Demand> = fc.record({
  requestsPerSecond: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 100, noNaN: true }), fc.double({ min: 0, max: 20_000, noNaN: true })),
  spansPerRequest: fc.double({ min: 1, max: 30, noNaN: true }),
  rate: fc.constantFrom(0, 20, 50, 100, 1000),
})
/** From half a minute to more than an hour each. */
const segments: fc.Arbitrary<Segment[]> = fc.array(fc.record({ demand, looks: fc.oneof(fc.integer({ min: 6, max: 60 }), fc.integer({ min: 60, max: 900 })) }), { minLength: 1, maxLength: 12 })
const budget: fc.Arbitrary<number> = fc.constantFrom(0.01, 0.02, 0.05, 0.2)
test('hours of random load: two minutes after each change the cost is within the budget, or next to nothing is left to take (property)', () => {
  fc.assert(
    fc.property(budget, segments, (limit, hours) => {
      for (const { segment, age, level, share } of simulate(limit, hours).seen) {
        const least = shareAt((hours[segment] ?? assert.fail()).demand, FLOOR)
        if (age > 24) assert.ok(share <= Math.max(limit, least + limit * 0.1 + 1e-12), `${share} of ${limit} at ${JSON.stringify(level)} in reading ${age}`)
      }
    }),
    { numRuns: 300 },
  )
})

test('hours of random load: under a load that stays the level settles, and no step is taken and given back in turn (property)', () => {
  fc.assert(
    fc.property(budget, segments, (limit, hours) => {
      const { seen } = simulate(limit, hours)
      hours.forEach((_, index) => {
        const changes = seen.filter(({ segment }) => segment === index).flatMap(({ change }) => change ?? [])
        const lowered = changes.filter(({ reason }) => reason === 'over_budget').length
        assert.ok(lowered <= 1, `${lowered} times lowered under one load`)
        assert.ok(changes.length - lowered <= FLOOR.sampling + FLOOR.profile)
      })
    }),
    { numRuns: 300 },
  )
})

test('each change is a step of the ladder: lowered only over the budget, given back one at a time (property)', () => {
  fc.assert(
    fc.property(budget, segments, (limit, hours) => {
      for (const { change } of simulate(limit, hours).seen) {
        if (change === undefined) continue
        const { from, to, reason, share } = change
        if (reason === 'over_budget') assert.ok(share > limit && levelsBelow(from).some((level) => level.sampling === to.sampling && level.profile === to.profile))
        else assert.ok(from.sampling - to.sampling + from.profile - to.profile === 1)
      }
    }),
    { numRuns: 200 },
  )
})

test('whatever came before, two quiet hours give everything back (property)', () => {
  const quiet: Segment = { demand: { requestsPerSecond: 1, spansPerRequest: 3, rate: 50 }, looks: 1440 }
  fc.assert(
    fc.property(fc.constantFrom(0.03, 0.05, 0.2), segments, (limit, hours) => {
      assert.deepEqual(simulate(limit, [...hours, quiet]).state.level, FULL)
    }),
    { numRuns: 100 },
  )
})

test('a forecast that is wrong costs a few changes an hour, ever fewer: what fails is tried less and less often', () => {
  // Everything costs three times as much as soon as the last step is given back.
  const steady: Segment = { demand: { requestsPerSecond: 1000, spansPerRequest: 3, rate: 0 }, looks: (8 * 3_600_000) / LOOK_MS }
  const { seen } = simulate(0.05, [steady], ({ sampling }) => (sampling < 2 ? 3 : 1))
  const hourOf = (index: number): number => Math.floor((index * LOOK_MS) / 3_600_000)
  const perHour = Array.from({ length: 8 }, (_, hour) => seen.filter(({ change }, index) => change !== undefined && hourOf(index) === hour).length)
  assert.ok((perHour[0] ?? 0) <= 14, perHour.join(' '))
  assert.ok(perHour.slice(1).every((count) => count <= 6), perHour.join(' '))
})

test('a load that comes and goes every minute is not followed for ever', () => {
  const busy: Segment = { demand: { requestsPerSecond: 3000, spansPerRequest: 4, rate: 50 }, looks: 12 }
  const idle: Segment = { demand: { requestsPerSecond: 0, spansPerRequest: 1, rate: 50 }, looks: 12 }
  const { seen } = simulate(0.05, Array.from({ length: 240 }, (_, index) => (index % 2 === 0 ? busy : idle)))
  const changes = seen.filter(({ change }) => change !== undefined)
  assert.ok(changes.length > 1 && changes.length <= 60, `${changes.length} changes in four hours`)
})

test('spans are taken back first, the profile where they do not suffice; the profile comes back first', () => {
  const heavy = { requestsPerSecond: 600, spansPerRequest: 6, rate: 50 }
  const { state, seen } = simulate(0.05, [{ demand: heavy, looks: 12 }])
  assert.deepEqual([state.level.profile, state.level.sampling > 0], [0, true])
  assert.equal(seen.filter(({ change }) => change !== undefined).length, 1)
  const full = simulate(0.03, [{ demand: { ...heavy, requestsPerSecond: 3000 }, looks: 12 }, { demand: { ...heavy, requestsPerSecond: 10 }, looks: 400 }])
  const given = full.seen.flatMap(({ change }) => (change?.reason === 'load_fell' ? [change.to] : []))
  const sampling = full.seen.flatMap(({ change }) => (change?.reason === 'over_budget' ? [change.to.sampling] : [])).at(-1) ?? 0
  assert.ok(sampling > 2)
  assert.deepEqual(given.slice(0, 3), [{ sampling, profile: 1 }, { sampling, profile: 0 }, { sampling: sampling - 1, profile: 0 }])
  assert.deepEqual(full.state.level, FULL)
})

test('where the profile alone costs too much, no trace is given up for it', () => {
  const { state } = simulate(0.05, [{ demand: { requestsPerSecond: 5, spansPerRequest: 3, rate: 500 }, looks: 14 }])
  assert.deepEqual(state.level, { sampling: 0, profile: 1 })
})

test('where what cannot be taken back costs more than the budget, no trace is given up in vain, and none is held back for it', () => {
  // Requests alone cost more than the budget; then there are none.
  const many = { requestsPerSecond: 2000, spansPerRequest: 1, rate: 0 }
  const { state, seen } = simulate(0.02, [{ demand: many, looks: 20 }, { demand: { requestsPerSecond: 0.01, spansPerRequest: 3, rate: 0 }, looks: 2 }])
  assert.ok(seen.filter(({ change }) => change !== undefined).length === 1 && state.level.sampling > 0)
  const fixed = new GovernorState(0.02)
  for (let reading = 1; reading <= 100; reading += 1) assert.equal(fixed.look(reading * LOOK_MS, 0.05, ({ sampling }) => 0.0499 + 0.0001 * 2 ** -sampling), undefined)
  assert.deepEqual([fixed.level, fixed.isExhausted], [FULL, true])
  // The spans go, the rest stays too much: what is taken comes back.
  const spans = new GovernorState(0.02)
  for (let reading = 1; reading <= 12; reading += 1) spans.look(reading * LOOK_MS, 0.09, ({ sampling }) => 0.05 + 0.04 * 2 ** -sampling)
  assert.ok(spans.level.sampling > 0)
  for (let reading = 13; reading <= 200; reading += 1) spans.look(reading * LOOK_MS, 0.05, () => 0.05)
  assert.deepEqual([spans.level, spans.isExhausted], [FULL, true])
})

test('a burst that ends within a minute changes nothing, whatever it costs', () => {
  const state = new GovernorState(0.05)
  const shares = [...Array.from({ length: 11 }, () => 0.9), ...Array.from({ length: 30 }, () => 0.01), ...Array.from({ length: 11 }, () => 0.9), 0.01]
  assert.deepEqual(shares.map((share, index) => state.look(index * LOOK_MS, share, () => share)), shares.map(() => undefined))
})
