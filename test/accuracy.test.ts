// A known number of requests is found again exactly: as stored increases, as the histogram's count and as spans, over a
// kill and a restart of the server in between.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createLog, openStore, systemClock } from '@andon/server'
import { eventually } from './eventually.ts'
import { dataFolder, type Program, startKanban, startProgram } from './program.ts'

const EACH = 30

function startServer(t: TestContext, dataDir: string, port: string): Promise<Program> {
  return startProgram(t, ['packages/cli/dist/main.js', 'serve', '--port', port, '--data-dir', dataDir])
}

let asked = 0

/** Requests whose number stands in their query, so that a missing one can be named. */
async function ask(url: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) assert.equal((await fetch(`${url}/healthz?n=${(asked += 1)}`)).status, 200)
}

async function queried(url: string, query: string): Promise<number> {
  const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`)
  const body = (await response.json()) as { data?: { result?: { value: [number, string] }[] } }
  return Number(body.data?.result?.[0]?.value[1] ?? 0)
}

async function tracesOf(url: string, name: string): Promise<readonly string[]> {
  const response = await fetch(`${url}/api/spans/search?from=now-15m&to=now&service=kanban&operation=${encodeURIComponent(name)}&limit=1000`)
  const body = (await response.json()) as { traces?: { traceId: string }[] }
  return (body.traces ?? []).map(({ traceId }) => traceId)
}

/** The numbers of the requests whose spans are stored, in order. */
async function numbersOf(url: string, name: string): Promise<number[]> {
  const numbers: number[] = []
  for (const traceId of await tracesOf(url, name)) {
    const { spans } = (await (await fetch(`${url}/api/spans/trace/${traceId}`)).json()) as { spans: { name: string; attributes: Record<string, unknown> }[] }
    for (const span of spans) if (span.name === name) numbers.push(Number(/n=(\d+)/.exec(JSON.stringify(span.attributes))?.[1]))
  }
  return numbers.toSorted((a, b) => a - b)
}

test('every request is counted once, over a kill and a restart of the server', { timeout: 180_000 }, async (t) => {
  const folder = dataFolder(t, 'andon-accuracy-')
  const data = join(folder, 'server')
  let server = await startServer(t, data, '0')
  const port = new URL(server.url).port
  const kanban = await startKanban(t, join(folder, 'kanban'), server.url)


  await ask(kanban.url, EACH)
  await eventually('the first requests', async () => ((await tracesOf(server.url, 'GET /healthz')).length > 0 ? true : undefined))
  // In the middle of what is being sent.
  await ask(kanban.url, EACH)
  await server.kill()
  await ask(kanban.url, EACH)
  server = await startServer(t, data, port)
  await ask(kanban.url, EACH)
  await server.stop()
  server = await startServer(t, data, port)
  await ask(kanban.url, EACH)
  // Its last spans and increments are sent before it ends.
  assert.equal(await kanban.stop(), 0)

  const total = EACH * 5
  await t.test('as spans', async () => assert.deepEqual(await numbersOf(server.url, 'GET /healthz'), Array.from({ length: total }, (_, index) => index + 1)))
  await t.test("as the histogram's count", async () => {
    const query = 'sum(http_server_request_duration_seconds_count{service_name="kanban",http_route="/healthz",http_request_method="GET"})'
    assert.equal(await queried(server.url, query), total)
  })
  assert.equal(await server.stop(), 0)
  await t.test('as the sum of the stored increases', async () => {
    const store = await openStore({ dataDir: data, log: createLog('error', Date.now), clock: systemClock })
    t.after(() => store.close())
    const matchers = Object.entries({ __name__: 'http_server_request_duration_seconds', service_name: 'kanban', http_route: '/healthz' }).map(([name, value]) => ({ name, operator: '=', value }) as const)
    const now = Date.now()
    assert.deepEqual(await store.metrics.rolledUpIncrease(matchers, { start: now - 2 * 3_600_000, end: now }), { minutes: total, hours: total })
  })
})
