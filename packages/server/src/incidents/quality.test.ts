import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AlertVerdict, Incident } from '@andon/model'
import { figuresOf, summarize } from './figures.ts'
import { createWorld, firing, resolved, type World } from './fixture.test.ts'
import { qualityOf } from './quality.ts'

const HOUR = 3_600_000

/** An alert comes, is judged, and goes; at least an hour later. */
async function round(world: World, verdict?: AlertVerdict, rule = 'ManyErrors'): Promise<string | undefined> {
  const made = firing({ at: world.clock.now(), rule })
  const id = (await world.manager.join([made])).get(made.fingerprint)
  await world.clock.advance(60_000)
  if (id !== undefined) {
    if (verdict !== undefined) await world.manager.judge(id, { [rule]: verdict }, 'ann')
    await world.manager.setState(id, { state: 'acknowledged', revision: undefined, note: '' }, 'ann')
  }
  await world.manager.join([resolved({ at: world.clock.now(), rule })])
  await world.clock.advance(HOUR)
  return id
}

const all = (world: World): Incident[] => world.manager.list({ range: undefined, states: [], service: undefined, limit: Infinity })

test('a rule that uses up its budget opens no more incidents, says so, and gets it back by time or by a verdict', async () => {
  const world = await createWorld()
  const ids = [await round(world), await round(world), await round(world)]
  assert.deepEqual(ids, ['i20261102-1', 'i20261102-2', undefined])
  const said = (await world.manager.timeline('i20261102-2')).filter(({ kind }) => kind === 'alert-budget')
  assert.match(said[0]?.text ?? '', /^ManyErrors has used up its budget: 2 pages of shop in 7 days/)
  const first = await world.manager.find('i20261102-1')
  assert.equal(world.manager.demoted('ManyErrors')?.until, first.marks.detected.at + 7 * 24 * HOUR)
  assert.equal(await round(world, undefined, 'Other'), 'i20261102-3')
  const next = firing({ at: world.clock.now() })
  assert.match(world.manager.ticketBecause(next) ?? '', /^2 pages of shop in 7 days that nobody has judged to be real/)
  assert.deepEqual([world.manager.ticketBecause(firing({ at: world.clock.now(), rule: 'Other' })), world.manager.ticketBecause({ ...next, alert: { ...next.alert, source: 'objective' } })], [undefined, undefined])
  // Of another service it is as it was.
  assert.deepEqual([world.manager.demoted('ManyErrors', 'shop')?.service, world.manager.demoted('ManyErrors', 'bank')], ['shop', undefined])
  await world.restart()
  assert.notEqual(world.manager.demoted('ManyErrors'), undefined)
  // Demoted, it still joins what another rule has opened.
  const both = await world.manager.join([firing({ at: world.clock.now(), rule: 'Fourth' }), firing({ at: world.clock.now() })])
  assert.equal(new Set(both.values()).size, 1)
  await world.manager.judge('i20261102-2', { ManyErrors: 'real' }, 'ann')
  assert.equal(world.manager.demoted('ManyErrors'), undefined)
  await world.manager.judge('i20261102-2', { ManyErrors: 'noise' }, 'ann')
  assert.notEqual(world.manager.demoted('ManyErrors'), undefined)
  await world.clock.advance(7 * 24 * HOUR)
  assert.equal(world.manager.demoted('ManyErrors'), undefined)
})

test('what comes back within the cooldown is the same trouble: it opens its incident again and counts once', async () => {
  const world = await createWorld({ yaml: { alert_budget: { pages: 1 } } })
  for (let index = 0; index < 3; index += 1) {
    const made = firing({ at: world.clock.now() })
    assert.equal((await world.manager.join([made])).get(made.fingerprint), 'i20261102-1')
    assert.equal((await world.manager.find('i20261102-1')).state, 'detected')
    await world.manager.join([resolved({ at: world.clock.now() })])
    await world.clock.advance(5 * 60_000)
    assert.notEqual(world.manager.demoted('ManyErrors'), undefined)
    assert.equal(world.manager.ticketBecause(firing({ at: world.clock.now() })), undefined)
  }
  assert.match(world.manager.demoted('ManyErrors')?.reason ?? '', /^1 pages of shop/)
})

test('objectives and detectors have no budget, nor has a rule that is exempt or always real', async () => {
  const world = await createWorld({ yaml: { alert_budget: { pages: 1, exempt: ['Exempt'] } } })
  for (let index = 0; index < 4; index += 1) {
    assert.notEqual(await round(world, 'real', 'Real'), undefined)
    assert.notEqual(await round(world, undefined, 'Exempt'), undefined)
    const slo = firing({ at: world.clock.now(), rule: 'Burn', more: { source: 'objective' } })
    assert.notEqual((await world.manager.join([slo])).get(slo.fingerprint), undefined)
    await world.manager.join([resolved({ at: world.clock.now(), rule: 'Burn' })])
    await world.clock.advance(HOUR)
  }
})

test('precision, alerts per week and median time to acknowledgement per rule; a poor one is proposed to be demoted from ten verdicts on', async () => {
  const world = await createWorld({ yaml: { alert_budget: 'off' } })
  for (const verdict of ['real', 'noise', 'expected', 'noise', 'noise', 'noise', 'real', 'noise', 'real', 'noise'] as const) await round(world, verdict)
  const range = { start: world.clock.now() - 14 * 24 * HOUR, end: world.clock.now() }
  const [nine] = qualityOf(all(world), range, () => undefined)
  assert.deepEqual([nine?.real, nine?.noise, nine?.expected, nine?.precision, nine?.proposal, nine?.perWeek, nine?.pages, nine?.medianAckMs], [3, 6, 1, 1 / 3, null, 5, 10, 60_000])
  await round(world, 'noise')
  const [ten] = qualityOf(all(world), range, () => undefined)
  assert.deepEqual([ten?.precision, ten?.proposal, ten?.reason], [0.3, 'demote', 'Of 10 judged incidents 3 were real (30 %).'])
  await assert.rejects(world.manager.judge('i20261102-1', { Unknown: 'real' }, 'ann'), { code: 'bad_body' })
})

test('figures of several incidents: p50, p90, counts and the share within the objective; what has not come yet counts in none', async () => {
  const world = await createWorld({ yaml: { alert_budget: 'off' } })
  for (let index = 1; index <= 10; index += 1) {
    const at = world.clock.now()
    await world.manager.join([firing({ at, rule: `Rule${index}`, more: { onsetAt: at - index * 60_000 } })])
    if (index < 10) {
      await world.clock.advance(index * 60_000)
      await world.manager.setState(`i20261102-${index}`, { state: 'mitigated', revision: undefined, note: '' }, 'ann')
      await world.manager.join([resolved({ at: world.clock.now(), rule: `Rule${index}` })])
    }
    await world.clock.advance(HOUR)
  }
  const { mttd, mtta, mttm, mttr } = summarize(all(world), { detectMs: 5 * 60_000, acknowledgeMs: null, resolveMs: 10 * 60_000 })
  assert.deepEqual(mttd, { count: 10, p50Ms: 330_000, p90Ms: 546_000, objectiveMs: 300_000, within: 0.4 })
  assert.deepEqual(mtta, { count: 9, p50Ms: 300_000, p90Ms: 492_000, objectiveMs: null, within: null })
  assert.deepEqual([mttm.count, mttr.count, mttr.p50Ms, mttr.within], [9, 9, 600_000, 4 / 9])
  assert.deepEqual(summarize([], { detectMs: 1, acknowledgeMs: null, resolveMs: 1 }).mttr, { count: 0, p50Ms: null, p90Ms: null, objectiveMs: 1, within: null })
})

test('without an estimate the onset is the start less what the rule waits; the earliest of its alerts counts', async () => {
  const world = await createWorld({ deps: { holdMs: (rule) => (rule === 'Slow' ? 120_000 : 0) } })
  const at = world.clock.now()
  const [id] = (await world.manager.join([firing({ at }), firing({ at, rule: 'Slow', severity: 'warning' })])).values()
  assert.equal(figuresOf(await world.manager.find(id ?? '')).mttdMs, 120_000)
})

test('verdicts are handed on once they are stored; what becomes of that changes nothing', async () => {
  const told: unknown[] = []
  const world = await createWorld({
    deps: {
      judged: (incident, verdicts) => {
        told.push([incident.id, incident.verdicts['ManyErrors']?.verdict, verdicts])
        return Promise.reject(new Error('away'))
      },
    },
  })
  const id = (await round(world, 'noise')) ?? assert.fail()
  await world.manager.setState(id, { state: 'reviewed', revision: undefined, note: '' }, 'ann', { ManyErrors: 'real' })
  assert.deepEqual(told, [
    [id, 'noise', { ManyErrors: 'noise' }],
    [id, 'real', { ManyErrors: 'real' }],
  ])
  assert.equal((await world.manager.find(id)).state, 'reviewed')
})
