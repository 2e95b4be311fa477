import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRules } from './rules/schema.ts'
import { DEFAULT_RULES, DEFAULT_RULES_FILE } from './slo/default-rules.ts'

const RUNBOOKS: ReadonlySet<string> = new Set(['slow-query', 'memory-leak', 'blocked-event-loop', 'quadratic-path', 'pool-exhaustion', 'error-burst', 'telemetry-missing'])

test('the default rules are read as a file of rules is; each has a severity, a runbook that is shipped, and patience', () => {
  const [group, ...more] = readRules(DEFAULT_RULES, DEFAULT_RULES_FILE)
  assert.deepEqual(more, [])
  for (const rule of group?.rules ?? []) {
    assert.ok(rule.kind === 'alert' && ['critical', 'warning'].includes(rule.labels['severity'] ?? '') && RUNBOOKS.has(rule.annotations['runbook'] ?? '') && rule.forMs >= 120_000, rule.name)
  }
  assert.equal(group?.rules.length, 8)
})
