import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createWorld, firing, resolved } from './fixture.test.ts'
import { levelChange } from './level-change.ts'
import { postmortemOf } from './postmortem.ts'

const MINUTE = 60_000

test('the draft holds what can be known: impact, figures, what came before, the timeline, action items', async () => {
  const begin = Date.UTC(2026, 10, 2, 12)
  const world = await createWorld({
    evidence: {
      slowTraces: () => Promise.resolve([]),
      errors: () => Promise.resolve([]),
      statements: () => Promise.resolve([]),
      series: (_expression, { start, end }) =>
        Promise.resolve([{ labels: {}, points: Array.from({ length: Math.floor((end - start) / 15_000) }, (_, index): [number, number] => [start + index * 15_000, (start + index * 15_000 < begin - 5 * MINUTE ? 0.1 : 0.9) + (index % 3) / 100]) }]),
    },
  })
  const { clock, manager, deploys } = world
  deploys.push({ id: 'd', service: 'shop', environment: '', version: '1.5', at: begin - 7 * MINUTE, source: 'told', actor: 'ci', note: 'abc|123' })
  const [id = ''] = (await manager.join([firing({ at: begin, more: { onsetAt: begin - 6 * MINUTE, expression: 'x' } })])).values()
  await clock.advance(2 * MINUTE)
  await manager.comment(id, { text: 'limit the | job\n# not a heading', action: true, owner: 'ben' }, 'ann')
  await manager.setState(id, { state: 'mitigated', revision: undefined, note: 'rolled back' }, 'ann')
  await manager.told([{ incident: id, channel: 'mail', notification: 'n', state: 'given-up', at: clock.now(), detail: '550' }])
  await clock.advance(40 * MINUTE)
  await manager.join([resolved({ at: clock.now() })])
  await clock.advance(MINUTE)
  const incident = await manager.find(id)
  const made = postmortemOf({
    incident,
    timeline: await manager.timeline(id),
    evidence: await manager.evidence(id),
    impact: { requests: 12_000, failed: 480, budgets: [{ objective: 'shop availability', burned: 0.31 }] },
    objectives: manager.options.objectives,
    runbooks: [],
    now: clock.now(),
  })
  assert.deepEqual(made.figures, { mttdMs: 6 * MINUTE, mttaMs: 2 * MINUTE, mttmMs: 8 * MINUTE, mttrMs: 48 * MINUTE })
  assert.deepEqual(made.suspects.map(({ kind, beforeOnsetMs }) => [kind, Math.round(beforeOnsetMs / MINUTE)])[0], ['deploy', 1])
  assert.match(made.suspects[0]?.text ?? '', /^Deployed: shop 1\.5 \(abc\|123\); ManyErrors rose from 0\.1\d* to 0\.9\d* 2 min later/)
  assert.deepEqual(made.actions.map(({ origin, owner }) => [origin, owner]), [['person', 'ben'], ['proposed', ''], ['proposed', ''], ['proposed', ''], ['proposed', '']])
  for (const part of ['# Post-mortem of i20261102-1: ManyErrors of shop', 'Requests that failed: 480 of 12000 (4 %)', 'shop availability burned: 31 %', '| to detect (MTTD) | 6 min | onset – detection | < 5 min | missed |', '- [ ] limit the \\| job \\# not a heading (ben)', 'mail was not told: 550', '## What went badly']) {
    assert.ok(made.markdown.includes(part), `${part}\nin\n${made.markdown}`)
  }
  // What others have written makes no row, cell or heading of its own.
  const rows = made.markdown.split('\n').filter((line) => line.startsWith('| 2026'))
  assert.ok(rows.length >= 8 && rows.every((row) => row.replaceAll(String.raw`\|`, '').split('|').length === 6), rows.join('\n'))
})

test('a change of level is found where it is, and none in noise (property)', () => {
  const noise = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 20, maxLength: 100 })
  fc.assert(
    fc.property(noise, fc.double({ min: 0.2, max: 0.8, noNaN: true }), fc.boolean(), (values, where, up) => {
      const split = Math.floor(values.length * where)
      const points = values.map((value, index): [number, number] => [index * 1000, 100 + value + (index >= split === up ? 50 : 0)])
      const found = levelChange(points)
      assert.deepEqual([found?.at, (found?.after ?? 0) > (found?.before ?? 0)], [split * 1000, up])
      assert.equal(levelChange(values.map((value, index) => [index * 1000, 100 + value])), undefined)
    }),
    { numRuns: 100 },
  )
  assert.equal(levelChange([]), undefined)
  assert.equal(levelChange(Array.from({ length: 30 }, (_, index) => [index, 5])), undefined)
})
