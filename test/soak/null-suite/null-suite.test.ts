// The short form of `npm run soak -- null-suite`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { counts, delayOf, precisionOf, recallOf } from '../scoring/score.ts'
import { faultTable } from '../scoring/table.ts'
import { NULLS } from './null-series.ts'
import { type NullResult, runInjectedSuite, runNullSuite } from './run.ts'

test('short form: where nothing is wrong, series that may page hardly ever would (simulated)', { timeout: 300_000 }, async () => {
  const results = await runNullSuite(1, 1, () => undefined)
  assert.equal(results.length, NULLS.length)
  const told = results.map(({ name, ours, paged, state }) => `${name}: ${ours.episodes} alarms, ${paged} pages, ${state}`).join('\n')
  const sum = (of: (result: NullResult) => number): number => results.reduce((all, each) => all + of(each), 0)
  // The long form holds the goal of 0.05; so few weeks can show no more than this.
  assert.ok(sum(({ paged }) => paged) / sum(({ weeks }) => weeks) <= 0.15, told)
  const peers = sum(({ robust }) => robust.episodes)
  assert.ok(peers > 10 * Math.max(1, sum(({ ours }) => ours.episodes)), `${peers} of robust z\n${told}`)
})

test('short form: faults that matter are found within five minutes and hardly anything else is (simulated)', { timeout: 300_000 }, async () => {
  const [{ scores } = { scores: [] }] = await runInjectedSuite(2, [5])
  const [pages] = scores
  assert.ok(pages)
  const told = faultTable([pages]).join('\n')
  const due = pages.found.filter(counts)
  assert.equal(due.length, 14)
  assert.ok(recallOf(due).share >= 0.85, told)
  assert.ok(precisionOf(pages).share >= 0.95, `${pages.trueIncidents} true, ${pages.falseIncidents} false`)
  assert.ok(delayOf(due, 0.5) <= 60_000, `${delayOf(due, 0.5)}`)
})
