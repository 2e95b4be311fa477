import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { AndonError } from '@andon/model'
import { readRuleFiles, readRules } from './schema.ts'

const rule = (text: string): string => `groups:\n  - name: a\n    rules:\n      - ${text}\n`

test('a file of rules is read as Prometheus reads it', () => {
  const [group, other] = readRules(
    `groups:
  - name: shop
    interval: 30s
    limit: 10
    query_offset: 10s
    labels: { team: web }
    rules:
      - record: job:requests:rate5m
        expr: sum by (job) (rate(requests_total[5m]))
        labels: { tier: 1 }
      - alert: Errors
        expr: |
          job:requests:rate5m
            > 1
        for: 1h30m
        keep_firing_for: 5m
        labels:
          severity: page
          team: "own {{ $labels.job }}"
        annotations:
          summary: "{{ $value | humanize }}"
  - name: empty
`,
    'rules.yaml',
  )
  assert.ok(group !== undefined)
  const { rules, ...about } = group
  assert.deepEqual(about, { name: 'shop', file: 'rules.yaml', intervalMs: 30_000, limit: 10, queryOffsetMs: 10_000 })
  const [recording, alert] = rules
  assert.deepEqual([recording?.kind, recording?.name, recording?.labels, recording?.line], ['record', 'job:requests:rate5m', { team: 'web', tier: '1' }, 8])
  assert.ok(alert?.kind === 'alert')
  assert.deepEqual([alert.forMs, alert.keepFiringForMs, alert.labels, alert.annotations], [5_400_000, 300_000, { team: 'own {{ $labels.job }}', severity: 'page' }, { summary: '{{ $value | humanize }}' }])
  assert.deepEqual([other?.name, other?.intervalMs, other?.limit, other?.rules], ['empty', undefined, 0, []])
  assert.deepEqual(readRules('', 'empty.yaml'), [])
})

test('what is wrong is told with its line', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['groups: [', /f\.yaml:\d/],
    ['- 1', /f\.yaml:1: the file must hold/],
    ['group: []', /f\.yaml:1: the file has no "group"/],
    ['groups: 1', /groups must be a list/],
    ['groups:\n  - interval: 1m', /f\.yaml:2: the name of a group/],
    ['groups:\n  - name: a\n  - name: a', /f\.yaml:3: the group "a" stands twice/],
    ['groups:\n  - name: a\n    interval: 10ms', /f\.yaml:3: interval must be 1s/],
    ['groups:\n  - name: a\n    limit: -1', /limit must be a whole number/],
    ['groups:\n  - name: a\n    labels: { "a-b": x }', /"a-b" is not a name for labels/],
    [rule('expr: up'), /f\.yaml:4: a rule has either record or alert/],
    [rule('{ alert: A, record: b, expr: up }'), /either record or alert/],
    [rule('alert: A'), /expr must be a text/],
    [rule('{ alert: A, expr: "sum(" }'), /f\.yaml:4: expr: /],
    [rule('{ alert: A, expr: "up[5m]" }'), /must be an instant vector or a scalar/],
    [rule('{ alert: A, expr: up, for: soon }'), /for must be a duration/],
    [rule('{ record: "a b", expr: up }'), /not the name of a metric/],
    [rule('{ record: a, expr: up, for: 1m }'), /a recording rule has no for/],
    [rule('{ alert: A, expr: up, annotations: { a: "{{ end }}" } }'), /a: unexpected/],
    [rule('{ alert: A, expr: up, annotations: { a: "{{ $value | humanise }}" } }'), /f\.yaml:4: a: .*function "humanise" not defined/],
    [rule('{ alert: A, expr: up, labels: { a: "{{ if $label.x }}{{ end }}" } }'), /undefined variable "\$label"/],
    [rule('{ alert: A, expr: up, labels: { a: "{{ with $x := 1 }}{{ $x }}{{ end }}{{ $x }}" } }'), /undefined variable "\$x"/],
    [rule('{ alert: A, expr: up, labels: { a: "{{ range $i, $each := query `up` }}{{ $i }}{{ $y = 1 }}{{ end }}" } }'), /undefined variable "\$y"/],
    [rule('{ alert: A, expr: up, labels: { a: "{{ define `t` }}{{ $labels.job }}{{ end }}" } }'), /undefined variable "\$labels"/],
    [rule('{ alert: A, expr: up, severity: page }'), /a rule has no "severity"/],
  ]
  for (const [text, reason] of wrong) {
    assert.throws(
      () => readRules(text, 'f.yaml'),
      (error) => error instanceof AndonError && error.code === 'bad_rules' && reason.test(error.message),
      text,
    )
  }
})

test('paths name files, or all of a folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'andon-rules-'))
  try {
    mkdirSync(join(folder, 'rules'))
    for (const name of ['b.yaml', 'a.yaml', 'c.yml']) writeFileSync(join(folder, 'rules', name), `groups: [{ name: ${name} }]`)
    const names = (...paths: string[]): string[] => readRuleFiles(paths.map((path) => join(folder, path))).map(({ name }) => name)
    assert.deepEqual(names('rules/*.yaml'), ['a.yaml', 'b.yaml'])
    assert.deepEqual(names('rules/c.yml', 'rules/*'), ['c.yml', 'a.yaml', 'b.yaml'])
    assert.throws(() => names('rules/none.yaml'), /cannot be read/)
    assert.throws(() => names('none/*.yaml'), /cannot be read/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
