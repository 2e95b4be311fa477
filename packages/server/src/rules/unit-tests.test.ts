import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runRuleTests } from './unit-tests.ts'

const folder = mkdtempSync(join(tmpdir(), 'andon-rule-tests-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

// The example of Prometheus' documentation.
write(
  'alerts.yml',
  `groups:
- name: example
  rules:
  - alert: InstanceDown
    expr: up == 0
    for: 5m
    labels:
        severity: page
    annotations:
        summary: "Instance {{ $labels.instance }} down"
        description: "{{ $labels.instance }} of job {{ $labels.job }} has been down for more than 5 minutes."
  - alert: AnotherInstanceDown
    expr: up == 0
    for: 10m
    labels:
        severity: page
    annotations:
        summary: "Instance {{ $labels.instance }} down"
- name: second
  rules:
  - record: job:up:sum
    expr: sum by (job) (up)
  - record: job:up:double
    expr: job:up:sum * 2
`,
)
const EXAMPLE = `rule_files: [alerts.yml]
evaluation_interval: 1m
tests:
    - interval: 1m
      input_series:
          - series: 'up{job="prometheus", instance="localhost:9090"}'
            values: '0 0 0 0 0 0 0 0 0 0 0 0 0 0 0'
          - series: 'up{job="node_exporter", instance="localhost:9100"}'
            values: '1+0x6 0 0 0 0 0 0 0 0'
          - series: 'go_goroutines{job="prometheus", instance="localhost:9090"}'
            values: '10+10x2 30+20x5'
          - series: 'go_goroutines{job="node_exporter", instance="localhost:9100"}'
            values: '10+10x7 10+30x4'
      alert_rule_test:
          - eval_time: 10m
            alertname: InstanceDown
            exp_alerts:
                - exp_labels: { severity: page, instance: localhost:9090, job: prometheus }
                  exp_annotations:
                      summary: "Instance localhost:9090 down"
                      description: "localhost:9090 of job prometheus has been down for more than 5 minutes."
          - { eval_time: 4m, alertname: InstanceDown }
      promql_expr_test:
          - expr: go_goroutines > 5
            eval_time: 4m
            exp_samples:
                - { labels: 'go_goroutines{job="prometheus",instance="localhost:9090"}', value: 50 }
                - { labels: 'go_goroutines{job="node_exporter",instance="localhost:9100"}', value: 50 }
          - { expr: 'job:up:double', eval_time: 3m, exp_samples: [{ labels: 'job:up:double{job="prometheus"}', value: 0 }, { labels: 'job:up:double{job="node_exporter"}', value: 2 }] }
          - { expr: '1 + 1', eval_time: 0, exp_samples: [{ value: 2 }] }
`

test('the example of promtool holds', async () => {
  assert.deepEqual(await runRuleTests(write('example.yml', EXAMPLE)), { tests: 5, failures: [] })
})

test('series of a test without an interval are as far apart as rules are evaluated', async () => {
  const text = `
evaluation_interval: 30s
tests:
  - input_series: [{ series: up, values: '0 1 2 3' }]
    promql_expr_test: [{ expr: up, eval_time: 90s, exp_samples: [{ labels: up, value: 3 }] }]
`
  assert.deepEqual(await runRuleTests(write('interval.yml', text)), { tests: 1, failures: [] })
})

/** A test whose series begin at a time. */
const beginning = (more: string, start: string): string => `
${more}
tests:
  - start_timestamp: ${start}
    input_series: [{ series: a, values: '0.1x9' }]
    promql_expr_test:
      - { expr: a + 0.2, eval_time: 1m, exp_samples: [{ labels: '{}', value: 0.3 }] }
      - { expr: time(), eval_time: 1m, exp_samples: [{ value: 1735689660 }] }
`

test('series may begin at a time that is given, and numbers be compared but for their last bit', async () => {
  for (const start of ['1735689600', '2025-01-01T00:00:00Z']) assert.deepEqual(await runRuleTests(write('start.yml', beginning('fuzzy_compare: true', start))), { tests: 2, failures: [] }, start)
  assert.equal((await runRuleTests(write('start.yml', beginning('', '0')))).failures.length, 2)
  await assert.rejects(runRuleTests(write('start.yml', beginning('', 'soon'))), /start_timestamp must be/)
  // More than the last bit.
  assert.match((await runRuleTests(write('start.yml', beginning('fuzzy_compare: true', '1735689600').replace('value: 0.3 ', 'value: 0.3000000001 ')))).failures[0] ?? '', /expected {} 0.3000000001; found {} 0.30000000000000004/)
})

test('each expectation that does not hold is told with what was found', async () => {
  const wrong = EXAMPLE.replace('eval_time: 10m', 'eval_time: 4m').replace('value: 50 }', 'value: 51 }').replace('value: 2 }] }', 'value: 3 }] }')
  const { failures } = await runRuleTests(write('wrong.yml', wrong))
  assert.equal(failures.length, 3)
  assert.match(failures[0] ?? '', /^test 1: alertname InstanceDown, time 240s: expected labels .*; found none$/)
  assert.match(failures[1] ?? '', /expr go_goroutines > 5, time 240s: expected .* 51.*; found .* 50/)
})

test('a file that is wrong is refused', async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['tests: [{ alert_test: [] }]', /a test has no "alert_test"/],
    ['rule_files: [none.yml]', /none\.yml cannot be read/],
    ['tests: [{ input_series: [{ series: a, values: x }] }]', /input_series: not a number/],
    ['evaluation_interval: 0s', /longer than 0|must be a duration/],
    ['tests: [{ promql_expr_test: [{ expr: a, eval_time: 10y }] }]', /more than 100000 evaluations/],
    [': [', /wrong/],
  ]
  for (const [index, [text, reason]] of cases.entries()) await assert.rejects(runRuleTests(write(`wrong-${index}.yml`, text)), reason, text)
})
