// The path of a span, executed: a request to the kanban is read back from Andon as a trace, as a metric through
// PromQL, and on the page. The server runs in this process; the kanban and its PostgreSQL are children.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { App, createLog, readOptions } from '@andon/server'
import { findChromium, launch } from './chromium.ts'
import { eventually } from './eventually.ts'
import { startKanban } from './program.ts'

interface Found {
  readonly traces: readonly { readonly traceId: string }[]
}

interface Trace {
  readonly spans: readonly { readonly id: string; readonly parent: string | null; readonly service: string; readonly name: string; readonly kind: string; readonly attributes: Readonly<Record<string, unknown>> }[]
}

interface Answer {
  readonly data: { readonly result: readonly { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }[] }
}

async function json<T>(url: string): Promise<T> {
  const response = await fetch(url)
  assert.equal(response.status, 200, `${url}: ${await response.clone().text()}`)
  return (await response.json()) as T
}

async function ask(url: string, query: string): Promise<Answer['data']['result']> {
  return (await json<Answer>(`${url}/api/v1/query?query=${encodeURIComponent(query)}`)).data.result
}

async function startAndon(t: TestContext, dataDir: string): Promise<App> {
  const flags = { 'listen.port': '0', data_dir: dataDir }
  const app = new App(readOptions({ flags }), { log: createLog('error', () => Date.now()) })
  await app.start()
  t.after(() => app.stop())
  return app
}

test('a request to the kanban is read back as a trace, as a metric and on the page', { timeout: 180_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'andon-path-'))
  const andon = await startAndon(t, join(folder, 'server'))
  // After the server has stopped, and the kanban with it: hooks run in the order in which they were set.
  const kanban = await startKanban(t, join(folder, 'kanban'), andon.url)
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))

  const parent = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }
  const answer = await fetch(`${kanban.url}/healthz`, { headers: { traceparent: `00-${parent.traceId}-${parent.spanId}-01` } })
  assert.equal(answer.status, 200)

  await t.test('as a trace, under the trace and parent that the caller sent', async () => {
    const trace = await eventually('the trace', async () => {
      const response = await fetch(`${andon.url}/api/spans/trace/${parent.traceId}`)
      if (!response.ok) return undefined
      return (await response.json()) as Trace
    })
    const server = trace.spans.find((span) => span.kind === 'server')
    assert.ok(server, JSON.stringify(trace.spans))
    assert.deepEqual([server.service, server.parent, server.attributes['http.route']], ['kanban', parent.spanId, '/healthz'])
    assert.equal(Number(server.attributes['http.response.status_code']), 200)
  })

  await t.test('with its statements, found by searching', async () => {
    const traceOfLogin = await eventually('a trace with a statement', async () => {
      await fetch(`${kanban.url}/api/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: 'nobody', password: 'wrong password' }) })
      const { traces } = await json<Found>(`${andon.url}/api/spans/search?from=now-15m&to=now&service=kanban&limit=50`)
      for (const { traceId } of traces) {
        const trace = await json<Trace>(`${andon.url}/api/spans/trace/${traceId}`)
        const server = trace.spans.find((span) => span.kind === 'server')
        if (server !== undefined && trace.spans.some((span) => span.attributes['db.system.name'] === 'postgresql' && span.kind === 'client')) return trace
      }
      return undefined
    })
    const ids = new Set(traceOfLogin.spans.map(({ id }) => id))
    for (const span of traceOfLogin.spans.filter(({ kind }) => kind === 'client')) assert.ok(span.parent !== null && ids.has(span.parent), `${span.name} hangs under no span of its trace`)
  })

  await t.test('as a metric through PromQL, by its Prometheus and by its OpenTelemetry name', async () => {
    const matchers = 'service_name="kanban", http_route="/healthz"'
    const [series] = await eventually('the metric', async () => {
      const result = await ask(andon.url, `sum by (http_route, http_response_status_code) (rate(http_server_request_duration_seconds_count{${matchers}}[5m]))`)
      return result.length > 0 ? result : undefined
    })
    assert.ok(series !== undefined)
    assert.deepEqual(series.metric, { http_route: '/healthz', http_response_status_code: '200' })
    assert.ok(Number(series.value[1]) > 0)
    const p95 = await ask(andon.url, `histogram_quantile(0.95, sum by (le) (rate(http_server_request_duration_seconds_bucket{${matchers}}[5m])))`)
    assert.ok(Number(p95[0]?.value[1]) > 0 && Number(p95[0]?.value[1]) < 10, JSON.stringify(p95))
    assert.ok((await ask(andon.url, `{"http.server.request.duration", ${matchers}}`)).length > 0)
  })

  const noBrowser = findChromium() === null ? 'no Chromium here; set CHROMIUM_PATH' : false
  await t.test('on the page', { skip: noBrowser }, async () => {
    const browser = await launch()
    try {
      const page = await browser.newPage()
      await page.goto(andon.url)
      await page.getByRole('link', { name: 'kanban' }).first().waitFor({ timeout: 30_000 })
      await page.goto(`${andon.url}/trace/${parent.traceId}`)
      await page.getByText('GET /healthz').first().waitFor({ timeout: 30_000 })
    } finally {
      await browser.close()
    }
  })
})
