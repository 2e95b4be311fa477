import assert from 'node:assert/strict'
import { test } from 'node:test'
import { binomialTail, logGamma, logLikelihoodRatio } from './binomial.ts'
import { ECUSUM_START, ecusumEvidence, ecusumOnset, ecusumStep, ecusumValue, slicesPerYear } from './e-cusum.ts'

/** Each chance added up, the slow way. */
function tailBySum(n: number, k: number, p: number): number {
  let chance = (1 - p) ** n
  let below = 0
  for (let index = 0; index < k; index += 1) {
    below += chance
    chance *= ((n - index) / (index + 1)) * (p / (1 - p))
  }
  return 1 - below
}

test('the tail of the binomial distribution is the sum of its chances', () => {
  for (const [n, k, p] of [[3, 2, 0.5], [10, 1, 0.01], [100, 3, 0.02], [500, 20, 0.03], [40, 40, 0.9]] as const) {
    assert.ok(Math.abs(binomialTail(n, k, p) - tailBySum(n, k, p)) < 1e-9, `${n} ${k} ${p}: ${binomialTail(n, k, p)} is not ${tailBySum(n, k, p)}`)
  }
  // Far below what a sum of doubles can tell from 0; by the logarithm of its greatest term.
  const far = Math.log10(binomialTail(1000, 40, 0.001))
  const term = (logGamma(1001) - logGamma(41) - logGamma(961) + 40 * Math.log(0.001) + 960 * Math.log(0.999)) / Math.LN10
  assert.ok(far > term && far < term + 0.02, `${far} ${term}`)
  assert.deepEqual([binomialTail(10, 0, 0.1), binomialTail(10, 11, 0.1), binomialTail(10, 3, 0), binomialTail(10, 3, 1)], [1, 0, 0, 1])
})

const rise = (base: number, by: number): number => logGamma(base + by) - logGamma(base)

test('the likelihood ratio of the beta-binomial tends to that of the binomial, and its mean under what is tolerated is 1', () => {
  const plain = logLikelihoodRatio(50, 4, { q: 0.1, p: 0.02, dispersion: 0 })
  assert.ok(Math.abs(plain - logLikelihoodRatio(50, 4, { q: 0.1, p: 0.02, dispersion: 1e-7 })) < 1e-4)
  const dispersion = 0.05
  const m = 1 / dispersion - 1
  const [n, p, q] = [30, 0.02, 0.1]
  let mean = 0
  for (let k = 0; k <= n; k += 1) {
    const chance = logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1) + rise(m * p, k) + rise(m * (1 - p), n - k) - rise(m, n)
    mean += Math.exp(chance + logLikelihoodRatio(n, k, { q, p, dispersion }))
  }
  assert.ok(Math.abs(mean - 1) < 1e-9, String(mean))
})

test('the statistic rises when more is bad, says since when, and changes nothing of what it was given', () => {
  const of = { p0: 0.003, dispersion: 0 }
  const alarm = { alarm: slicesPerYear(15_000) }
  let state = ECUSUM_START
  for (let slice = 0; slice < 100; slice += 1) state = ecusumStep(state, { time: slice * 15_000, n: 75, bad: 0 }, of, alarm)
  assert.ok(ecusumEvidence(state) < 1 && ecusumOnset(state) === undefined)
  const before = structuredClone(state)
  const after = ecusumStep(state, { time: 1_500_000, n: 75, bad: 8 }, of, alarm)
  assert.deepEqual(state, before)
  assert.ok(ecusumValue(after) > ecusumValue(state))
  assert.equal(ecusumOnset(after), 1_500_000)
  assert.deepEqual(ecusumStep(after, { time: 1_515_000, n: 0, bad: 0 }, of, alarm), after)
})
