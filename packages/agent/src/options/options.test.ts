import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { diag, DiagLogLevel } from '@opentelemetry/api'
import { readOptions } from '../options.ts'
import { PROPAGATOR_NAMES } from '../propagation.ts'
import { describeOptions, SETTINGS } from './describe.ts'
import { environment } from './environment.ts'

const ignore = (): void => undefined

/** What is said on the diagnostic log while the test runs. */
function warnings(t: TestContext): string[] {
  const said: string[] = []
  diag.setLogger({ error: ignore, warn: (message) => void said.push(message), info: ignore, debug: ignore, verbose: ignore }, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  t.after(() => diag.disable())
  return said
}

test('the general endpoint gets the path of each signal, an own one is used as it is', () => {
  const { signals } = readOptions({}, { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://andon.example/in/', OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://other:9/m' })
  assert.deepEqual([signals.traces.url, signals.metrics.url, signals.logs.url], ['https://andon.example/in/v1/traces', 'http://other:9/m', 'https://andon.example/in/v1/logs'])
})

test('headers are percent-decoded and those of a signal join the general ones; limits of time go from the general to the particular', () => {
  const { signals } = readOptions(
    {},
    {
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20a%2Cb, x = 1,broken',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x=2',
      OTEL_EXPORTER_OTLP_TIMEOUT: '7000',
      OTEL_EXPORTER_OTLP_LOGS_TIMEOUT: '3000',
      OTEL_BSP_EXPORT_TIMEOUT: '4000',
      OTEL_METRIC_EXPORT_TIMEOUT: '0',
    },
  )
  assert.deepEqual(signals.traces.headers, { authorization: 'Bearer a,b', x: '2' })
  assert.deepEqual(signals.metrics.headers, { authorization: 'Bearer a,b', x: '1' })
  assert.deepEqual([signals.traces.timeoutMs, signals.metrics.timeoutMs, signals.logs.timeoutMs], [4000, 7000, 3000])
})

test('what start() is given wins over every variable', () => {
  const env = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://env:1/t', OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'a=b', OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '1', OTEL_SERVICE_NAME: 'env' }
  const { signals, serviceName } = readOptions({ endpoint: 'http://given:1', headers: {}, timeoutMs: 5, serviceName: 'given' }, env)
  assert.deepEqual([signals.traces, serviceName], [{ url: 'http://given:1/v1/traces', headers: {}, timeoutMs: 5 }, 'given'])
})

test('exporters none send nothing; empty variables are unset', () => {
  const { signals, propagators, metricIntervalMs } = readOptions({}, { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: ' ', OTEL_PROPAGATORS: '', OTEL_METRIC_EXPORT_INTERVAL: '' })
  assert.deepEqual([signals.traces.url, signals.metrics.url, propagators, metricIntervalMs], [undefined, 'http://127.0.0.1:4318/v1/metrics', ['tracecontext', 'baggage'], 10_000])
})

test('what cannot be done is named with what is done instead', (t) => {
  const said = warnings(t)
  const options = readOptions(
    {},
    {
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/json',
      OTEL_TRACES_EXPORTER: 'zipkin',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318',
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'nowhere',
      OTEL_BSP_SCHEDULE_DELAY: '-1',
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '3',
      ANDON_STALL_MS: 'soon',
      ANDON_BUDGET: '5 %',
      ANDON_PROFILE: 'yes',
    },
  )
  assert.deepEqual([options.signals.logs.url, options.spanIntervalMs, options.stallMs, options.sampling.ratio, options.budget, options.profile.enabled], ['http://127.0.0.1:4318/v1/logs', 5000, 250, 1, 0.05, true])
  for (const name of ['OTEL_EXPORTER_OTLP_PROTOCOL=grpc', 'OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=http/json', 'OTEL_TRACES_EXPORTER', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT', 'OTEL_BSP_SCHEDULE_DELAY', 'OTEL_TRACES_SAMPLER_ARG', 'ANDON_STALL_MS', 'ANDON_BUDGET', 'ANDON_PROFILE']) {
    assert.ok(said.some((line) => line.includes(name) && line.includes('is used') || line.includes(name) && line.includes('recorded')), `${name}: ${said.join('\n')}`)
  }
})

test('the budget is a share of one core; 0 and off are no limit', () => {
  for (const [given, budget] of [['', 0.05], ['0.02', 0.02], ['1', 1], ['0', 0], ['OFF', 0]] as const) {
    assert.equal(readOptions({}, { ANDON_BUDGET: given }).budget, budget)
  }
  assert.equal(describeOptions({ ANDON_BUDGET: '0' }).find(({ name }) => name === 'budget')?.value, 'off')
  assert.equal(readOptions({}, { ANDON_PROFILE: 'off' }).profile.enabled, false)
})

test('a file of variables lies under those of the process; what is wrong in it is named', (t) => {
  const said = warnings(t)
  const folder = mkdtempSync(join(tmpdir(), 'andon-options-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'agent.json')
  writeFileSync(path, JSON.stringify({ OTEL_SERVICE_NAME: 'file', OTEL_BSP_SCHEDULE_DELAY: 50, OTEL_SDK_DISABLED: true, NODE_OPTIONS: '-r x', OTEL_PROPAGATORS: ['b3'] }))
  const env = { ANDON_AGENT_CONFIG: path, OTEL_SERVICE_NAME: 'process' }
  const options = readOptions({}, environment(env))
  assert.deepEqual([options.serviceName, options.spanIntervalMs, options.disabled, options.propagators], ['process', 50, true, ['tracecontext', 'baggage']])
  assert.equal(said.length, 2)
  const sources = new Map(describeOptions(env).map(({ name, source }) => [name, source]))
  assert.deepEqual([sources.get('serviceName'), sources.get('spanIntervalMs'), sources.get('stallMs')], ['OTEL_SERVICE_NAME', `OTEL_BSP_SCHEDULE_DELAY in ${path}`, 'default'])
  writeFileSync(path, '[1')
  assert.equal(readOptions({}, environment({ ANDON_AGENT_CONFIG: path })).serviceName, undefined)
  assert.equal(readOptions({}, environment({ ANDON_AGENT_CONFIG: join(folder, 'absent') })).serviceName, undefined)
})

test('no description of the options holds a secret', () => {
  const env = { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=CANARY-1', OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'x-key=CANARY-2', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://user:CANARY-3@host:1' }
  const described = describeOptions(env)
  assert.ok(!JSON.stringify(described).includes('CANARY'))
  assert.ok(described.some(({ value }) => value.includes('authorization=***')))
})

const page = readFileSync(join(import.meta.dirname, '../../../../docs/reference/agent.md'), 'utf8')

test('docs/reference/agent.md lists every option with its variables and default, and every propagator', () => {
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').slice(1, 4).map((cell) => cell.trim().replaceAll('`', '')))
  assert.deepEqual(
    rows,
    SETTINGS.map(({ name, variables, fallback }) => [name, variables.join(', '), fallback]),
  )
  for (const name of PROPAGATOR_NAMES) assert.ok(page.includes(`\`${name}\``), name)
})

test('the defaults that are told are those in force', () => {
  for (const { name, value, source } of describeOptions({})) {
    const { fallback } = SETTINGS.find((setting) => setting.name === name) ?? assert.fail()
    assert.deepEqual([name, value, source], [name, fallback, 'default'])
  }
})
