import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Labels } from '@andon/model'
import { type ActiveAlert, AlertingRule, NO_DATA_MS, type Transition } from './alerting.ts'
import { readRules } from './schema.ts'

const SECOND = 1000
const MINUTE = 60_000

function ruleOf(more = ''): AlertingRule {
  const rule = readRules(`groups: [{ name: g, rules: [{ alert: A, expr: x > 1 ${more === '' ? '' : `, ${more}`} }] }]`, 'f.yaml')[0]?.rules[0]
  assert.ok(rule?.kind === 'alert')
  return new AlertingRule(rule)
}

interface Step {
  readonly at: number
  /** Names of elements for which the expression holds. */
  readonly holds: readonly string[]
  /** Names of elements of which nothing is known. */
  readonly missing?: readonly string[]
}

const candidate = (name: string, value = 1): { element: Labels; labels: Labels; annotations: Labels; value: number } => ({ element: { name }, labels: { name, alertname: 'A' }, annotations: {}, value })

async function step(rule: AlertingRule, { at, holds, missing = [] }: Step): Promise<readonly Transition[]> {
  const plan = await rule.plan(
    holds.map((name) => candidate(name)),
    at,
    (alert) => Promise.resolve(missing.includes(alert.element['name'] ?? '')),
    0,
  )
  rule.commit(plan)
  return plan.transitions
}

const never = (): Promise<boolean> => Promise.resolve(false)
const states = (rule: AlertingRule): Record<string, string> => Object.fromEntries([...rule.alerts.values()].map(({ labels, state }) => [labels['name'] ?? '', state]))

test('an alert fires at once without `for`, and resolves as soon as it does not hold', async () => {
  const rule = ruleOf()
  assert.deepEqual((await step(rule, { at: 0, holds: ['a', 'b'] })).map(({ from, to }) => [from, to]), [['none', 'firing'], ['none', 'firing']])
  assert.deepEqual((await step(rule, { at: 15 * SECOND, holds: ['a'] })).map(({ from, to, alert }) => [from, to, alert.labels['name'], alert.resolvedAt]), [['firing', 'inactive', 'b', 15 * SECOND]])
  assert.deepEqual(states(rule), { a: 'firing', b: 'inactive' })
  assert.deepEqual((await step(rule, { at: 16 * MINUTE, holds: ['a'] })).map(({ from, to }) => [from, to]), [['inactive', 'none']])
})

test('with `for` it is pending until it has held so long, and forgotten when it ceases before', async () => {
  const rule = ruleOf('for: 1m')
  assert.deepEqual((await step(rule, { at: 0, holds: ['a', 'b'] })).map(({ to }) => to), ['pending', 'pending'])
  assert.deepEqual((await step(rule, { at: 45 * SECOND, holds: ['a'] })).map(({ from, to }) => [from, to]), [['pending', 'none']])
  assert.deepEqual((await step(rule, { at: 60 * SECOND, holds: ['a', 'b'] })).map(({ from, to }) => [from, to]), [['pending', 'firing'], ['none', 'pending']])
})

test('`keep_firing_for` bridges a gap, and a second gap counts anew', async () => {
  const rule = ruleOf('keep_firing_for: 1m')
  await step(rule, { at: 0, holds: ['a'] })
  for (const [at, holds] of [[30, []], [45, ['a']], [60, []], [119, []]] as const) assert.deepEqual(await step(rule, { at: at * SECOND, holds }), [], String(at))
  assert.deepEqual((await step(rule, { at: 120 * SECOND, holds: [] })).map(({ from, to }) => [from, to]), [['firing', 'inactive']])
})

test('missing telemetry keeps an alert as it was, for a day', async () => {
  const rule = ruleOf('for: 1m')
  await step(rule, { at: 0, holds: ['a', 'b'] })
  await step(rule, { at: 60 * SECOND, holds: ['a'], missing: ['b'] })
  assert.deepEqual(states(rule), { a: 'firing', b: 'pending' })
  for (let at = 75; at <= 600; at += 15) assert.deepEqual(await step(rule, { at: at * SECOND, holds: [], missing: ['a', 'b'] }), [])
  // What was unknown does not count for `for`: b had held for a minute less than it needs.
  assert.deepEqual(await step(rule, { at: 615 * SECOND, holds: ['a', 'b'] }), [])
  assert.deepEqual((await step(rule, { at: 690 * SECOND, holds: ['a', 'b'] })).map(({ to }) => to), ['firing'])
  await step(rule, { at: 700 * SECOND, holds: [], missing: ['a'] })
  assert.equal([...rule.alerts.values()].find(({ labels }) => labels['name'] === 'a')?.noDataSince, 700 * SECOND)
  assert.deepEqual((await step(rule, { at: 700 * SECOND + NO_DATA_MS, holds: [], missing: ['a'] })).map(({ from, to, alert }) => [alert.labels['name'], from, to]).filter(([name]) => name === 'a'), [['a', 'firing', 'inactive']])
})

test('two elements with the same labels, and more than the limit, are refused; the state stays', async () => {
  const rule = ruleOf()
  await step(rule, { at: 0, holds: ['a'] })
  await assert.rejects(rule.plan([candidate('x'), candidate('x')], SECOND, never, 0), /same labels/)
  await assert.rejects(rule.plan([candidate('x'), candidate('y')], SECOND, never, 1), /allows 1/)
  assert.deepEqual(states(rule), { a: 'firing' })
})

test('whatever comes, what is told holds together', async () => {
  const names = ['a', 'b', 'c']
  const steps = fc.array(fc.record({ wait: fc.integer({ min: 1, max: 90 }), holds: fc.subarray(names), missing: fc.subarray(names) }), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(0, 30, 60), fc.constantFrom(0, 45), async (given, forSeconds, keepSeconds) => {
      const rule = ruleOf(`for: ${forSeconds}s, keep_firing_for: ${keepSeconds}s`)
      const last = new Map<string, string>()
      const heldSince = new Map<string, number>()
      let at = 0
      for (const { wait, holds, missing } of given) {
        at += wait * SECOND
        for (const name of names) {
          if (!holds.includes(name)) heldSince.delete(name)
          else if (!heldSince.has(name)) heldSince.set(name, at)
        }
        for (const { from, to, alert } of await step(rule, { at, holds, missing })) {
          const name = alert.labels['name'] ?? ''
          assert.equal(from, last.get(name) ?? 'none')
          // Nothing resolves that did not fire, nothing fires that does not hold.
          if (to === 'inactive') assert.equal(from, 'firing')
          if (to === 'firing') assert.ok(holds.includes(name))
          if (to === 'pending') assert.equal(alert.activeAt, at)
          last.set(name, to)
        }
        for (const alert of rule.alerts.values()) checkAlert(alert, at, forSeconds * SECOND, { holds, missing, heldSince })
      }
    }),
    { numRuns: 200 },
  )
})

function checkAlert(alert: ActiveAlert, at: number, forMs: number, { holds, missing, heldSince }: { holds: readonly string[]; missing: readonly string[]; heldSince: ReadonlyMap<string, number> }): void {
  const name = alert.labels['name'] ?? ''
  const held = at - (heldSince.get(name) ?? at)
  if (holds.includes(name)) {
    assert.notEqual(alert.state, 'inactive')
    if (held >= forMs) assert.equal(alert.state, 'firing')
  } else if (alert.state === 'pending') assert.ok(missing.includes(name))
}
