// Every panel of deploy/grafana shows something: its queries are run against Andon with what the agent sends of the kanban at work.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { App, createLog, readOptions } from '@andon/server'
import { eventually } from './eventually.ts'
import { startKanban } from './program.ts'
import { root } from './repository/root.ts'

interface Target {
  readonly datasource: { readonly type: string; readonly uid: string }
  readonly expr?: string
  readonly instant?: boolean
  readonly exemplar?: boolean
  readonly query?: string
  readonly queryType?: string
}
interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly Target[]
}
interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition: string; readonly datasource: { readonly uid: string } }[] }
}

const folder = join(root, 'deploy/grafana/dashboards')
const dashboards = readdirSync(folder).map((file): { file: string; dashboard: Dashboard } => ({ file, dashboard: JSON.parse(readFileSync(join(folder, file), 'utf8')) }))

/** As Grafana fills in its variables: every service and instance, a panel of an hour. */
function filled(expression: string): string {
  return expression.replaceAll('$__rate_interval', '1m').replaceAll('$service', '.*').replaceAll('$instance', '.*')
}

const form = (parameters: Readonly<Record<string, string | number>>): string => new URLSearchParams(Object.entries(parameters).map(([key, value]): [string, string] => [key, String(value)])).toString()

async function json<T>(url: string, init: RequestInit = {}): Promise<T> {
  const response = await fetch(url, init)
  const body = await response.text()
  assert.equal(response.status, 200, `${url}: ${body}`)
  return JSON.parse(body) as T
}

interface Result {
  readonly data: { readonly result: readonly { readonly value?: readonly [number, string]; readonly values?: readonly (readonly [number, string])[] }[] }
}

interface Exemplars {
  readonly data: readonly { readonly exemplars: readonly { readonly labels: Readonly<Record<string, string>> }[] }[]
}

async function post<T>(url: string, path: string, parameters: Readonly<Record<string, string | number>>): Promise<T> {
  return await json<T>(url + path, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: form(parameters) })
}

/** What Grafana asks of the data source that Tempo's `serviceMap` names, for a map of an hour. */
const SERVICE_MAP = 'sum by (client, server) (rate(traces_service_graph_request_total{}[1h]))'

/** Whether a query answers at least one number. */
async function shows(url: string, { datasource, expr, query, instant, queryType }: Target): Promise<boolean> {
  const end = Date.now() / 1000
  if (queryType === 'serviceMap') return await shows(url, { datasource: { type: 'prometheus', uid: '' }, expr: SERVICE_MAP, instant: true })
  if (datasource.type === 'tempo') {
    const found = await json<{ traces: readonly unknown[] }>(`${url}/tempo/api/search?${form({ q: filled(query ?? ''), limit: 20, spss: 3, start: Math.floor(end - 3600), end: Math.ceil(end) })}`)
    return found.traces.length > 0
  }
  const asked = { query: filled(expr ?? '') }
  const { data } = instant === true ? await post<Result>(url, '/api/v1/query', { ...asked, time: end }) : await post<Result>(url, '/api/v1/query_range', { ...asked, start: end - 3600, end, step: 15 })
  return data.result.some(({ value, values = [] }) => [...values, ...(value === undefined ? [] : [value])].some(([, number]) => Number.isFinite(Number(number))))
}

/** The team of the kanban at work for as long as the test runs. */
function startTraffic(t: TestContext, kanban: string): void {
  const child = spawn(process.execPath, [join(root, 'apps/kanban/dist/traffic.js'), '--url', kanban, '--rate', '30', '--duration', '150'], { stdio: 'ignore' })
  const closed = once(child, 'close')
  t.after(async () => {
    child.kill('SIGKILL')
    await closed
  })
}

test('dashboards are well formed: ids once, panels beside each other, known data sources', () => {
  assert.ok(dashboards.length >= 3)
  assert.equal(new Set(dashboards.map(({ dashboard }) => dashboard.uid)).size, dashboards.length)
  const sources = readFileSync(join(root, 'deploy/grafana/provisioning/datasources/andon.yaml'), 'utf8')
  for (const { file, dashboard } of dashboards) {
    const { panels, templating } = dashboard
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length, file)
    for (const { title, gridPos, targets = [] } of panels) {
      const over = panels.filter((other) => other.gridPos !== gridPos && other.gridPos.x < gridPos.x + gridPos.w && gridPos.x < other.gridPos.x + other.gridPos.w && other.gridPos.y < gridPos.y + gridPos.h && gridPos.y < other.gridPos.y + other.gridPos.h)
      assert.deepEqual(over.map((other) => other.title), [], `${file}: ${title} lies over others`)
      assert.ok(gridPos.x + gridPos.w <= 24, `${file}: ${title}`)
      for (const { datasource } of targets) assert.ok(sources.includes(`uid: ${datasource.uid}\n`), `${file}: ${title}: ${datasource.uid}`)
    }
    for (const { name } of templating.list) assert.ok(['service', 'instance'].includes(name), `say in this test what Grafana fills in for $${name}`)
  }
})

test('no panel is empty', { timeout: 240_000 }, async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'andon-dashboards-'))
  const andon = new App(readOptions({ flags: { 'listen.port': '0', data_dir: join(data, 'server') } }), { log: createLog('error', () => Date.now()) })
  await andon.start()
  t.after(() => andon.stop())
  const kanban = await startKanban(t, join(data, 'kanban'), andon.url)
  startTraffic(t, kanban.url)
  t.after(() => rmSync(data, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))

  let empty = dashboards.flatMap(({ file, dashboard }) => dashboard.panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ name: `${file}: ${title}: ${target.expr ?? target.query ?? ''}`, target }))))
  assert.ok(empty.length > 40)
  const remaining = async (asked: typeof empty): Promise<typeof empty> => {
    const left: typeof empty = []
    for (const each of asked) if (!(await shows(andon.url, each.target))) left.push(each)
    return left
  }
  // What is still empty when the time is over is named.
  await eventually('data of every panel', async () => ((empty = await remaining(empty)).length === 0 ? true : undefined), 120_000).catch(() => undefined)
  assert.deepEqual(empty.map(({ name }) => name), [])

  await t.test('and every variable has values', async () => {
    for (const { file, dashboard } of dashboards) {
      for (const { name, definition } of dashboard.templating.list) {
        const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(definition) ?? []
        assert.ok(selector !== undefined && label !== undefined, `${file}: ${name}`)
        const values = await json<{ data: readonly string[] }>(`${andon.url}/api/v1/label/${label}/values?${form({ 'match[]': filled(selector), start: Date.now() / 1000 - 3600, end: Date.now() / 1000 })}`)
        assert.ok(values.data.length > 0, `${file}: ${name}`)
      }
    }
  })

  await t.test('and panels with exemplars have some, which lead to traces', async () => {
    const targets = dashboards.flatMap(({ dashboard }) => dashboard.panels.flatMap(({ targets: each = [] }) => each)).filter(({ exemplar }) => exemplar === true)
    assert.ok(targets.length >= 5)
    for (const { expr = '' } of targets) {
      const traceId = await eventually(`exemplars of ${expr}`, async () => {
        const end = Date.now() / 1000
        const { data: found } = await post<Exemplars>(andon.url, '/api/v1/query_exemplars', { query: filled(expr), start: end - 3600, end })
        return found.flatMap(({ exemplars }) => exemplars)[0]?.labels['trace_id']
      })
      const trace = await eventually('the trace', async () => {
        const response = await fetch(`${andon.url}/tempo/api/v2/traces/${traceId}`, { headers: { accept: 'application/protobuf' } })
        return response.ok ? Buffer.from(await response.arrayBuffer()) : undefined
      })
      assert.ok(trace.length > 100)
    }
  })
})
