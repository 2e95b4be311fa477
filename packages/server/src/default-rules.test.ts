import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Engine } from './query/engine.ts'
import { MemorySource } from './query/memory/memory-source.ts'
import { readRules } from './rules/schema.ts'
import { DEFAULT_RULES, DEFAULT_RULES_FILE } from './slo/default-rules.ts'

const RUNBOOKS: ReadonlySet<string> = new Set(['slow-query', 'memory-leak', 'blocked-event-loop', 'quadratic-path', 'pool-exhaustion', 'error-burst', 'telemetry-missing'])

test('the default rules are read as a file of rules is; each has a severity, a runbook that is shipped, and patience', () => {
  const [group, ...more] = readRules(DEFAULT_RULES, DEFAULT_RULES_FILE)
  assert.deepEqual(more, [])
  for (const rule of group?.rules ?? []) {
    assert.ok(rule.kind === 'alert' && ['critical', 'warning'].includes(rule.labels['severity'] ?? '') && RUNBOOKS.has(rule.annotations['runbook'] ?? '') && rule.forMs >= 120_000, rule.name)
  }
  assert.equal(group?.rules.length, 7)
})

const H = 'service_name="shop",deployment_environment_name="p",instance="a"'

/** What an hour of ten-second exports looks like when something is wrong. */
const TROUBLE: Readonly<Record<string, readonly (readonly [metric: string, values: string])[]>> = {
  ResponsesSlow: [[`http_server_request_duration_seconds_sum{${H}}`, '0+7x360'], [`http_server_request_duration_seconds_count{${H}}`, '0+10x360']],
  EventLoopBlocked: [[`nodejs_eventloop_delay_p99_seconds{${H}}`, '0.3+0x360']],
  HeapNearlyFull: [[`v8js_memory_heap_used_bytes{${H},v8js_heap_space_name="old"}`, '950+0x360'], [`v8js_memory_heap_limit_bytes{${H}}`, '1000+0x360']],
  MemoryLeaks: [[`andon_heap_floor_bytes{${H}}`, '100+1x360'], [`v8js_memory_heap_limit_bytes{${H}}`, '1000+0x360']],
  ProcessorsSaturated: [[`nodejs_eventloop_utilization_ratio{${H}}`, '0.99+0x360']],
  PoolExhausted: [[`db_client_connection_pending_requests{${H},db_client_connection_pool_name="pg"}`, '3+0x360']],
  StatementsSlow: [[`db_client_operation_duration_seconds{${H}}`, '{{schema:0 sum:0 count:0 buckets:[0]}}+{{schema:0 sum:4 count:2 buckets:[0 0 2]}}x360']],
}

test('each default rule sees the trouble that it is for, and none of the others', async () => {
  const [group] = readRules(DEFAULT_RULES, DEFAULT_RULES_FILE)
  const rules = (group?.rules ?? []).filter(({ kind }) => kind === 'alert')
  assert.deepEqual(rules.map(({ name }) => name).toSorted(), Object.keys(TROUBLE).toSorted())
  for (const [trouble, series] of Object.entries(TROUBLE)) {
    const source = new MemorySource()
    source.load({ kind: 'load', step: 10_000, nhcb: false, series: series.map(([metric, values]) => ({ metric, values })) })
    const engine = new Engine(source, { querySamples: 1e6, querySteps: 11_000, queryMs: 30_000 })
    const seen: string[] = []
    for (const { name, expression } of rules) {
      const result = await engine.instant(expression, 3_600_000)
      assert.ok(result.type === 'vector', name)
      if (result.samples.length === 0) continue
      seen.push(name)
      assert.equal(result.samples[0]?.labels['service_name'], 'shop', name)
    }
    assert.deepEqual(seen, [trouble])
  }
})
