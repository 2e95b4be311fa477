import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GroupEvaluator, type RuleWorld } from './group.ts'
import { readRules } from './schema.ts'

const NOW = Date.UTC(2026, 5, 1)

/** Evaluates alerting rules once, and tells in which order what was asked and written. */
async function orderOf(expressions: readonly string[]): Promise<string[]> {
  const text = `groups: [{ name: g, rules: [${expressions.map((expr, index) => `{ alert: A${index}, expr: ${JSON.stringify(expr)} }`).join(', ')}] }]`
  const [group] = readRules(text, 'rules.yaml')
  assert.ok(group !== undefined)
  const order: string[] = []
  const world: RuleWorld = {
    now: () => NOW,
    query: async (expression) => {
      order.push(`ask ${expression}`)
      return await Promise.resolve([{ labels: {}, value: 1 }])
    },
    write: async (points) => {
      order.push(`write ${points[0]?.labels['alertname'] ?? ''}`)
      await Promise.resolve()
    },
    keep: () => Promise.resolve(),
    told: () => Promise.resolve(),
    externalUrl: '',
    externalLabels: {},
  }
  await new GroupEvaluator(group, world, { intervalMs: 15_000, queryOffsetMs: 0 }).evaluate(NOW)
  return order
}

test('rules that need nothing of each other ask together', async () => {
  assert.deepEqual(await orderOf(['up', 'down']), ['ask up', 'ask down', 'write A0', 'write A1'])
})

for (const expression of ['ALERTS', 'absent(ALERTS)', '{alertname="A0"}', '{__name__=~".+"}']) {
  test(`a rule that may see what rules before it have just written asks after them: ${expression}`, async () => {
    assert.deepEqual(await orderOf(['up', expression]), ['ask up', 'write A0', `ask ${expression}`, 'write A1'])
  })
}
