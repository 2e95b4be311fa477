import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parse } from '@andon/promql'
import { readConfiguredRules } from './configured.ts'
import { readRules } from './schema.ts'
import { readSimpleRule } from './simple.ts'
import { runRuleTests } from './unit-tests.ts'

const folder = mkdtempSync(join(tmpdir(), 'andon-simple-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const rule = { id: 'deep', metric: 'queue.depth', operator: 'gt', threshold: 100, severity: 'warning', message: 'the queue is deep' } as const

test('the asked-for form becomes PromQL, by old names and new ones', () => {
  const cases: readonly (readonly [object, string, string?])[] = [
    [{}, '{"queue.depth"} > 100'],
    [{ tags: { 'http.route': '/a"b' } }, '{"queue.depth", http_route="/a\\"b"} > 100'],
    [{ recovery: 80 }, '{"queue.depth"} > 100', '{"queue.depth"} > 80'],
    [{ operator: 'lte', threshold: -1, recovery: 5 }, '{"queue.depth"} <= -1', '{"queue.depth"} <= 5'],
    [{ operator: 'eq', threshold: 0 }, '{"queue.depth"} == 0'],
    [{ metric: 'queue_depth', by: ['service.name'] }, 'max by (service_name) (queue_depth{}) > 100'],
    [{ metric: 'queue_depth', operator: 'lt', by: ['region'] }, 'min by (region) (queue_depth{}) < 100'],
    [{ metric: 'errors.total' }, 'increase({"errors.total"}[5m]) > 100'],
    [{ metric: 'errors.total', aggregation: 'rate', window: '1m', by: ['service_name'] }, 'sum by (service_name) (rate({"errors.total"}[1m])) > 100'],
    [{ metric: 'system.cpu.usage', threshold: 0.9 }, '{"system.cpu.utilization"} > 0.9'],
    [{ metric: 'http.server.request.duration', threshold: 0.5 }, 'histogram_quantile(0.95, rate({"http.server.request.duration"}[5m])) > 0.5'],
    [{ metric: 'http_server_request_duration_seconds', aggregation: 'p99', by: ['http_route'] }, '(histogram_quantile(0.99, sum by (http_route) (rate(http_server_request_duration_seconds{}[5m]))) or histogram_quantile(0.99, sum by (http_route, le) (rate(http_server_request_duration_seconds_bucket{}[5m])))) > 100'],
    [{ aggregation: 'avg', window: '10m' }, '(histogram_avg(rate({"queue.depth"}[10m])) or avg_over_time({"queue.depth"}[10m])) > 100'],
    [{ aggregation: 'min' }, 'min_over_time({"queue.depth"}[5m]) > 100'],
  ]
  for (const [more, expression, recovery] of cases) {
    const made = readSimpleRule({ ...rule, ...more })
    assert.deepEqual([made.expression, made.recovery], [expression, recovery])
    parse(made.expression)
  }
  const made = readSimpleRule({ ...rule, for: '2m', keep_firing_for: '1m', labels: { team: 'a' }, annotations: { runbook_url: 'http://r' } })
  assert.deepEqual([made.name, made.forMs, made.keepFiringForMs, made.labels], ['deep', 120_000, 60_000, { team: 'a', severity: 'warning' }])
  assert.deepEqual(made.annotations, { summary: 'the queue is deep', description: 'queue.depth > 100', runbook_url: 'http://r' })
})

test('what is wrong is named, in a file with its line', () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ operator: 'ne' }, /operator must be one of gt, gte, lt, lte, eq/],
    [{ threshold: '5' }, /threshold must be a number/],
    [{ recovery: 120 }, /recovery must lie on the good side of the threshold: at most 100/],
    [{ operator: 'lt', recovery: 90 }, /at least 100/],
    [{ operator: 'eq', recovery: 90 }, /eq has none/],
    [{ severity: 'page' }, /severity must be one of/],
    [{ id: '' }, /id must be a text/],
    [{ window: '1y' }, /window must be from/],
    [{ for: 'soon' }, /for must be a duration/],
    [{ message: '{{ if }}' }, /annotations\.summary/],
    [{ expr: 'x' }, /no "expr"/],
    [{ aggregation: 'mean' }, /aggregation must be one of/],
    [{ labels: { 'a-b': 'c' } }, /not a name for labels/],
  ]
  for (const [more, reason] of cases) assert.throws(() => readSimpleRule({ ...rule, ...more }), { code: 'bad_rules', message: reason }, JSON.stringify(more))
  assert.throws(() => readRules('groups: []\nsimple:\n  - { id: a, metric: b, operator: gt, threshold: 1 }\n  - { id: c, metric: b, operator: up, threshold: 1 }\n', 'f.yaml'), /f\.yaml:4: operator must be/)
  assert.throws(() => readRules('simple: [{ id: a, metric: b, operator: gt, threshold: 1 }, { id: a, metric: b, operator: gt, threshold: 1 }]', 'f.yaml'), /stands twice/)
  assert.throws(() => readConfiguredRules([rule, { ...rule, id: 'b', metric: 5 }]), { code: 'bad_config', message: /rules\.simple\[1\]: metric/ })
  assert.deepEqual(readConfiguredRules([rule])[0]?.rules.map(({ name }) => name), ['deep'])
})

const fires = (value: number): string => `[{ exp_labels: { queue: a, severity: critical }, exp_annotations: { summary: "a has ${value}", description: "depth > 100" } }]`

test('what fires is held against the recovery threshold, what does not against the threshold', async () => {
  writeFileSync(join(folder, 'rules.yaml'), 'simple:\n  - { id: Deep, metric: depth, operator: gt, threshold: 100, recovery: 50, severity: critical, message: "{{ $labels.queue }} has {{ $value }}" }\n')
  writeFileSync(
    join(folder, 'test.yaml'),
    `rule_files: [rules.yaml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series: [{ series: 'depth{queue="a"}', values: '90 110 80 60 50 80 101' }]
    alert_rule_test:
      - { eval_time: 0, alertname: Deep }
      - { eval_time: 1m, alertname: Deep, exp_alerts: ${fires(110)} }
      - { eval_time: 2m, alertname: Deep, exp_alerts: ${fires(80)} }
      - { eval_time: 3m, alertname: Deep, exp_alerts: ${fires(60)} }
      - { eval_time: 4m, alertname: Deep }
      - { eval_time: 5m, alertname: Deep }
      - { eval_time: 6m, alertname: Deep, exp_alerts: ${fires(101)} }
`,
  )
  assert.deepEqual(await runRuleTests(join(folder, 'test.yaml')), { tests: 7, failures: [] })
})
