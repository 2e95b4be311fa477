import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { Chance } from '@andon/bench'
import { BlockMaxima, MAXIMA_SIZE } from './block-maxima.ts'
import { CountDetector } from './count-detector.ts'
import type { Detector } from './detector.ts'
import { Evidence, EVIDENCE_SIZE } from './evidence.ts'
import { BEGIN, DAY_SLICES } from './fixture.test.ts'
import { levelShift } from './level-shift.ts'
import { HISTOGRAM_BUCKETS, LogHistogram } from './log-histogram.ts'
import { CALIBRATION, SLICE_MS } from './parameters.ts'
import { signalOf } from './signals.ts'
import { beyondTail, fitTail } from './tail.ts'
import { ValueDetector } from './value-detector.ts'

const at = (slice: number): number => BEGIN + slice * SLICE_MS

test('a histogram by logarithm answers shares and quantiles within a bucket', () => {
  const chance = new Chance(1)
  const values = Array.from({ length: 5000 }, () => Math.exp(chance.normal()))
  const histogram = new LogHistogram(new Float32Array(HISTOGRAM_BUCKETS))
  for (const value of values) histogram.add(value)
  values.sort((a, b) => a - b)
  for (const q of [0.1, 0.5, 0.9, 0.98]) {
    const exact = values[Math.floor(q * values.length)] ?? 0
    assert.ok(Math.abs(Math.log(histogram.quantile(q) / exact)) < 0.1, `${q}: ${histogram.quantile(q)} for ${exact}`)
    assert.ok(Math.abs(histogram.beyond(exact) - (1 - q)) < 0.02, `${q}`)
  }
  fc.assert(fc.property(fc.double({ min: 0, max: 1e4, noNaN: true }), fc.double({ min: 0, max: 1e4, noNaN: true }), (a, b) => histogram.beyond(Math.min(a, b)) >= histogram.beyond(Math.max(a, b)) - 1e-9))
})

/** The tail of a large sample. */
function fit(draw: () => number): ReturnType<typeof fitTail> {
  const histogram = new LogHistogram(new Float32Array(HISTOGRAM_BUCKETS))
  for (let index = 0; index < 20_000; index += 1) histogram.add(draw())
  return fitTail(histogram)
}

test('the tail beyond the 98th percentile is as heavy as the distribution', () => {
  const chance = new Chance(2)
  const light = fit(() => -Math.log(1 - chance.uniform()))
  // An exponential distribution: one in ten thousand lies beyond 9.21.
  assert.ok(light !== undefined && Math.abs(Math.log(beyondTail(light, 9.21) / 1e-4)) < 0.8, JSON.stringify(light))
  const heavy = fit(() => (1 - chance.uniform()) ** -0.4)
  // A Pareto distribution of shape 0.4: one in ten thousand lies beyond 39.8.
  assert.ok(heavy !== undefined && Math.abs(Math.log(beyondTail(heavy, 39.8) / 1e-4)) < 1, JSON.stringify(heavy))
  assert.ok(heavy.shape > light.shape + 0.1)
  assert.equal(fitTail(new LogHistogram(new Float32Array(HISTOGRAM_BUCKETS))), undefined)
})

test('evidence of uniform p-values is false no more often than its threshold says', () => {
  const chance = new Chance(3)
  const evidence = new Evidence(new Float64Array(EVIDENCE_SIZE))
  const threshold = Math.log(500)
  let alarms = 0
  const slices = 100_000
  for (let slice = 0; slice < slices; slice += 1) {
    if (evidence.add(Math.max(1e-8, chance.uniform()), at(slice)) < threshold) continue
    alarms += 1
    evidence.reset()
  }
  // On average not sooner than after 500 slices: 200 alarms at most; and it is no empty promise.
  assert.ok(alarms <= 200 && alarms > 10, `${alarms}`)
})

test('evidence names the slice in which small p-values began', () => {
  const chance = new Chance(4)
  const errors: number[] = []
  for (let run = 0; run < 200; run += 1) {
    const evidence = new Evidence(new Float64Array(EVIDENCE_SIZE))
    const change = 300 + run
    for (let slice = 0; slice < change; slice += 1) evidence.add(Math.max(1e-8, chance.uniform()), at(slice))
    let slice = change
    while (evidence.add(0.001 * chance.uniform() + 1e-6, at(slice)) < 14) slice += 1
    errors.push(Math.abs(evidence.onset - at(change)) / SLICE_MS)
  }
  errors.sort((a, b) => a - b)
  assert.ok((errors[100] ?? 9) <= 1, `${errors[100]} slices`)
})

const made = (): BlockMaxima => new BlockMaxima(new Float64Array(MAXIMA_SIZE), CALIBRATION.leastLog)

test('the threshold follows the greatest evidence of blocks, and incidents leave no trace in it', () => {
  const [quiet, spiky, incident] = [made(), made(), made()]
  for (let slice = 0; slice < 10 * DAY_SLICES; slice += 1) {
    const isSpike = slice % DAY_SLICES === 100
    const isIncident = slice % DAY_SLICES >= 2000 && slice % DAY_SLICES < 2020
    quiet.add(3, at(slice))
    spiky.add(isSpike ? 40 : 3, at(slice))
    incident.add(isIncident ? 90 : 3, at(slice))
    if (isIncident) incident.exclude(at(slice))
  }
  assert.equal(quiet.threshold, CALIBRATION.leastLog)
  assert.ok(spiky.threshold > 41 && spiky.threshold < 60, `${spiky.threshold}`)
  assert.equal(incident.threshold, CALIBRATION.leastLog)
})

test('the interval of a shift of level holds the true one as often as it says, also with dependent values', () => {
  const chance = new Chance(5)
  for (const phi of [0, 0.5]) {
    let held = 0
    const runs = 400
    for (let run = 0; run < runs; run += 1) {
      let state = 0
      const draw = (): number => (state = phi * state + chance.student(3) * 0.2)
      const before = Array.from({ length: 60 }, draw)
      const after = Array.from({ length: 30 }, () => draw() + 0.4)
      const { low, high } = levelShift(before, after, 0.95)
      if (low <= 0.4 && high >= 0.4) held += 1
    }
    assert.ok(held / runs >= 0.91, `${held} of ${runs} at ${phi}`)
  }
  const { shift, low } = levelShift([1, 1.1, 0.9, 1, 1.05, 0.95, 1, 1.02], [2, 2.1, 1.9, 2, 2.02, 1.97, 2.05, 2], 0.95)
  assert.ok(Math.abs(shift - 1) < 0.05 && low > 0.5)
  assert.throws(() => levelShift([1], [1, 2], 0.95), RangeError)
})

/** Feeds a detector with latencies about a level. */
function feed(detector: Detector, from: number, count: number, { level = 0.2, chance, noise = 0.1 }: { readonly level?: number; readonly chance: Chance; readonly noise?: number }): number {
  let firing = 0
  for (let slice = from; slice < from + count; slice += 1) if (detector.add(at(slice), level * Math.exp(noise * chance.normal()), 400)) firing += 1
  return firing
}

test('a latency of twice its level alarms within a minute, with its onset, and the baseline is what it was after it', () => {
  const chance = new Chance(6)
  const detector = signalOf('p95').detector()
  assert.equal(feed(detector, 0, DAY_SLICES, { chance }), 0)
  const before = detector.verdict.expected
  const start = DAY_SLICES
  let slice = start
  while (!detector.add(at(slice), 0.4 * Math.exp(0.1 * chance.normal()), 400)) {
    slice += 1
    assert.ok(slice - start < 8, JSON.stringify(detector.verdict))
  }
  assert.ok(slice - start <= 3, `${slice - start} slices`)
  assert.ok(Math.abs(detector.verdict.onset - at(start)) <= SLICE_MS, `${(detector.verdict.onset - at(start)) / SLICE_MS}`)
  feed(detector, slice + 1, 40, { level: 0.4, chance })
  assert.ok(detector.isFiring)
  feed(detector, slice + 41, 10, { chance })
  assert.ok(!detector.isFiring)
  assert.ok(Math.abs(Math.log(detector.verdict.expected / before)) < 0.1, `${detector.verdict.expected} for ${before}`)
})

test('a change that does not matter is no alarm, however certain it is; one for the better neither', () => {
  const chance = new Chance(7)
  const detector = signalOf('p95').detector()
  feed(detector, 0, DAY_SLICES, { chance, noise: 0.02 })
  assert.equal(feed(detector, DAY_SLICES, 40, { level: 0.25, chance, noise: 0.02 }), 0)
  assert.match(detector.verdict.held, /% of what would matter/)
  const better = signalOf('p95').detector()
  feed(better, 0, DAY_SLICES, { chance })
  assert.equal(feed(better, DAY_SLICES, 100, { level: 0.05, chance }), 0)
})

test('what lasts longer than four hours is how it is now', () => {
  const chance = new Chance(8)
  const detector = signalOf('p95').detector()
  feed(detector, 0, DAY_SLICES, { chance })
  feed(detector, DAY_SLICES, 1200, { level: 0.6, chance })
  assert.ok(!detector.isFiring)
  assert.ok(Math.abs(detector.verdict.expected - 0.6) < 0.06, `${detector.verdict.expected}`)
  assert.equal(feed(detector, DAY_SLICES + 1200, 240, { level: 0.6, chance }), 0)
})

test('a single wild slice, and a slice of four requests, alarm nobody', () => {
  const chance = new Chance(9)
  const detector = signalOf('p95').detector()
  feed(detector, 0, DAY_SLICES, { chance })
  assert.ok(!detector.add(at(DAY_SLICES), 50, 400))
  assert.equal(feed(detector, DAY_SLICES + 1, 20, { chance }), 0)
  for (let slice = 0; slice < 20; slice += 1) assert.ok(!detector.add(at(DAY_SLICES + 21 + slice), 9, 4))
})

test('shares: one failed of ten alarms in a minute at many requests, and at few in some minutes', () => {
  for (const [count, most] of [[300, 3], [30, 6], [4, 30]] as const) {
    const chance = new Chance(10)
    const detector = signalOf('errors').detector()
    for (let slice = 0; slice < 3 * DAY_SLICES; slice += 1) assert.ok(!detector.add(at(slice), chance.binomial(count, 0.001), count))
    let slice = 0
    while (!detector.add(at(3 * DAY_SLICES + slice), chance.binomial(count, 0.101), count)) {
      slice += 1
      assert.ok(slice < most, `${count} requests: ${JSON.stringify(detector.verdict)}`)
    }
  }
})

test('a detector that was kept and restored goes on exactly as one that was not', () => {
  const cases = [
    ['p95', (chance: Chance): readonly [number, number] => [0.2 * Math.exp(0.1 * chance.normal()), 400]],
    ['errors', (chance: Chance): readonly [number, number] => [chance.binomial(200, 0.004), 200]],
    ['throughput', (chance: Chance): readonly [number, number] => [chance.poisson(200) / 15, Number.NaN]],
  ] as const
  for (const [name, draw] of cases) {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 900 }), (seed, cut) => {
        const chance = new Chance(seed)
        const whole = signalOf(name).detector()
        let parts = signalOf(name).detector()
        for (let slice = 0; slice < 1000; slice += 1) {
          if (slice === cut) parts = signalOf(name).detector(parts.snapshot())
          const [value, count] = draw(chance)
          const worse = slice > 950 ? value * 3 : value
          assert.equal(parts.add(at(slice), worse, count), whole.add(at(slice), worse, count))
        }
        assert.ok(Math.abs(parts.verdict.expected - whole.verdict.expected) < 1e-9)
      }),
      { numRuns: 15 },
    )
  }
  const damaged = signalOf('p95').detector('a1:1:2:AAAA')
  assert.equal(damaged.slices, 0)
})

test('the numbers of a series are less than 3 KiB, and less than 5 KiB with the objects around them', () => {
  const options = { effect: { scale: 'log', offset: 1e-4, worse: 'up', factor: 1.5, least: 0.001 }, leastError: 0.02 } as const
  assert.ok(new ValueDetector(options).bytes <= 3072, `${new ValueDetector(options).bytes}`)
  assert.ok(new CountDetector({ leastShare: 0.005, points: 0.015 }).bytes <= 1536)
  const before = usedBytes()
  const held = Array.from({ length: 500 }, () => new ValueDetector(options))
  const each = (usedBytes() - before) / held.length
  // What is beside the numbers, objects and views, counts too.
  assert.ok(each < 5 * 1024, `${each} bytes`)
  assert.equal(held.length, 500)
})

setFlagsFromString('--expose-gc')
const gc: unknown = runInNewContext('gc')

function usedBytes(): number {
  assert.ok(typeof gc === 'function')
  Reflect.apply(gc, undefined, [])
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
