import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { type Expr, parse, typeOf } from '@andon/promql'
import { prometheusName, type NamedType } from '@andon/wire'
import { Engine } from '../query/engine.ts'
import { memberOf } from './alert-facts.ts'
import { firing } from './fixture.test.ts'
import { filledIn, readRunbook, runbooksFor, runChecks } from './runbook.ts'
import { findRunbooks, RunbookShelf } from './runbook-shelf.ts'

const SHIPPED = ['blocked-event-loop', 'error-burst', 'memory-leak', 'pool-exhaustion', 'quadratic-path', 'slow-query', 'telemetry-missing']
const reference = resolve(import.meta.dirname, '../../../../docs/reference')

/** Names of metrics that an expression reads. */
function metricsOf(expr: Expr): string[] {
  if (expr.kind === 'selector') return expr.matchers.flatMap(({ name, operator, value }) => (name === '__name__' && operator === '=' ? [value] : []))
  const inner = Object.values(expr).flatMap((value: unknown) => (Array.isArray(value) ? value : [value]))
  return inner.flatMap((value: unknown) => (typeof value === 'object' && value !== null && 'kind' in value ? metricsOf(value as Expr) : []))
}

/** Every metric that Andon or its agent has, as Prometheus names it. */
function known(): Set<string> {
  const rows = readFileSync(join(reference, 'metrics.md'), 'utf8').split('\n').filter((line) => line.startsWith('| `'))
  const names = new Set(['up', 'traces_service_graph_request_total', 'traces_service_graph_request_failed_total'])
  const add = (name: string, type: string, unit: string): void => {
    const named = prometheusName(name, unit, (type === 'updowncounter' ? 'updown' : type) as NamedType)
    for (const suffix of type === 'histogram' ? ['', '_count', '_sum'] : ['']) names.add(named + suffix)
  }
  for (const row of rows) {
    const [name = '', type = '', unit = ''] = row.split('|').slice(1, 4).map((cell) => cell.trim().replaceAll('`', ''))
    if (name.startsWith('andon_')) names.add(name)
    else add(name, type, unit)
  }
  // Of what a service calls and is asked, in OpenTelemetry's names.
  for (const name of ['http.server.request.duration', 'http.client.request.duration', 'db.client.operation.duration', 'db.client.connection.wait_time']) add(name, 'histogram', 's')
  for (const [name, unit] of [['db.client.connection.count', '{connection}'], ['db.client.connection.max', '{connection}'], ['db.client.connection.pending_requests', '{request}']]) add(name ?? '', 'updowncounter', unit ?? '')
  return names
}

test('every check of every shipped runbook is a query of our metrics, also with a service filled in', () => {
  const shelf = RunbookShelf.open(undefined)
  assert.deepEqual(shelf.all().map(({ name }) => name), SHIPPED)
  const names = known()
  assert.ok(names.has('andon_heap_floor_bytes') && names.has('process_cpu_utilization_ratio') && names.size > 80)
  for (const { name, checks, actions, text, alerts, title } of shelf.all()) {
    assert.ok(checks.length >= 5 && actions.length >= 4 && alerts.length > 2 && text.length > 1000 && title !== '', name)
    for (const { query } of checks) {
      for (const service of ['', 'shop', 'a.b"c\\d (e)']) assert.match(typeOf(parse(filledIn(query, service))), /vector|scalar/, query)
      const read = metricsOf(parse(query))
      assert.ok(read.length > 0, query)
      for (const metric of read) assert.ok(names.has(metric), `${name} asks for ${metric}, which nobody sends`)
    }
  }
})

test('every check can be evaluated, and is empty where nothing is stored', async () => {
  const engine = new Engine({ select: () => Promise.resolve([]) }, { querySamples: 1000, querySteps: 1000, queryMs: 5000 })
  for (const runbook of RunbookShelf.open(undefined).all()) {
    const results = await runChecks(runbook, 'shop', Date.UTC(2026, 0, 1), async (query, time) => {
      const result = await engine.instant(query, time)
      return result.type === 'vector' ? result.samples : assert.fail(query)
    })
    assert.deepEqual(results.flatMap(({ error, samples }) => [error, ...samples]).filter((one) => one !== ''), [], runbook.name)
  }
})

test('a service is filled in as what matches that very name', () => {
  const query = 'up{service_name=~"$service"}'
  assert.equal(filledIn(query, ''), 'up{service_name=~".+"}')
  assert.equal(filledIn(query, 'a.b"c'), String.raw`up{service_name=~"a\\.b\"c"}`)
  assert.equal(filledIn(query, '$service$&'), String.raw`up{service_name=~"\\$service\\$&"}`)
})

const SOURCE = `---
alert: [Stuck, 'Queue*Full']
severity: critical
owner: billing
checks:
  - { title: Waiting, query: 'sum(queue_length{service_name=~"$service"})' }
  - { title: Broken, query: 'up' }
actions: [Look, Start it]
---
# The queue is stuck

Text.
`

const alert = (rule: string, annotations: Record<string, string>, severity = 'critical'): ReturnType<typeof memberOf> => memberOf(firing({ rule, severity, at: 0, more: { annotations } }), severity, 0)

test('runbooks are found by annotations before names, of what fires first', () => {
  const stuck = readRunbook(SOURCE, 'stuck', 'own')
  const other = readRunbook(SOURCE.replace("[Stuck, 'Queue*Full']", '[]'), 'other', 'own')
  assert.deepEqual([stuck.title, stuck.text], ['The queue is stuck', '# The queue is stuck\n\nText.'])
  const match = (...alerts: ReturnType<typeof memberOf>[]): string[] => runbooksFor({ alerts }, [stuck, other]).map(({ name, url }) => `${name} ${url}`)
  assert.deepEqual(match(alert('QueueVeryFull', {})), ['stuck '])
  assert.deepEqual(match(alert('QueueFul', {})), [])
  assert.deepEqual(match(alert('Stuck', {}, 'warning')), [])
  assert.deepEqual(match(alert('Stuck', { runbook: 'other' })), ['other ', 'stuck '])
  assert.deepEqual(match(alert('X', { runbook_url: 'https://wiki/books/other.md#now' })), ['other https://wiki/books/other.md#now'])
  assert.deepEqual(match(alert('X', { runbook_url: 'https://wiki/else' }), alert('Y', { runbook_url: 'javascript:alert(1)' })), [' https://wiki/else'])
  const labelled = readRunbook(SOURCE.replace("alert: [Stuck, 'Queue*Full']", "labels: { service_name: 'sh*' }"), 'labelled', 'own')
  assert.deepEqual(runbooksFor({ alerts: [alert('X', {})] }, [labelled]).map(({ name }) => name), ['labelled'])
  assert.deepEqual(runbooksFor({ alerts: [{ ...alert('X', {}), labels: { service_name: 'bank' } }] }, [labelled]), [])
  assert.throws(() => readRunbook(SOURCE.replace('severity: critical', 'labels: [a]'), 'x', 'own'), { code: 'bad_config' })
  assert.deepEqual(match({ ...alert('Stuck', {}), status: 'resolved' }, alert('X', { runbook: 'other' })), ['other ', 'stuck '])
})

test('checks are asked for the service; one that fails says so and stops nobody', async () => {
  const asked: string[] = []
  const results = await runChecks(readRunbook(SOURCE, 'stuck', 'own'), 'shop', 5, (query) => {
    asked.push(query)
    if (query === 'up') return Promise.reject(new Error('too many samples'))
    return Promise.resolve(Array.from({ length: 25 }, (_, index) => ({ labels: { index: String(index) }, value: index })))
  })
  assert.deepEqual(asked, ['sum(queue_length{service_name=~"shop"})', 'up'])
  assert.deepEqual(results.map(({ samples, more, error }) => [samples.length, samples[0]?.value, more, error]), [[20, 24, 5, ''], [0, undefined, 0, 'too many samples']])
})

test("a folder of one's own adds to the shipped ones and stands in for those of the same name", (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'andon-runbooks-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'own'))
  writeFileSync(join(folder, 'own/stuck.md'), SOURCE)
  writeFileSync(join(folder, 'own/slow-query.md'), SOURCE)
  writeFileSync(join(folder, 'own/README.md'), 'not a runbook')
  const shelf = RunbookShelf.open(join(folder, 'own'), findRunbooks())
  assert.deepEqual([shelf.all().length, shelf.find('slow-query').from, shelf.find('stuck').owner, shelf.find('memory-leak').from], [SHIPPED.length + 1, 'own', 'billing', 'andon'])
  assert.throws(() => shelf.find('../etc/passwd'), { code: 'not_found' })
  for (const [text, message] of [['# no front matter', /front matter/], [SOURCE.replace("query: 'up'", "query: 'up +'"), /stuck\.md\.checks\[1\]/], [SOURCE.replace('owner:', 'ower:'), /stuck\.md\.ower is not known here/], ['---\na: [\n---\n', /no YAML/]] as const) {
    writeFileSync(join(folder, 'own/stuck.md'), text)
    assert.throws(() => shelf.reload(), (error: Error) => Reflect.get(error, 'code') === 'bad_config' && message.test(error.message), text)
  }
  assert.equal(shelf.find('stuck').owner, 'billing')
  assert.throws(() => RunbookShelf.open(join(folder, 'none')), { code: 'bad_config' })
})
