// The path of a rule, executed: metrics in, an alert, an incident and one message out; also over a kill -9. The server is a child, the receiver is here.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { readOptions } from '@andon/server'
import { encodeMetrics } from '@andon/wire'
import { eventually } from './eventually.ts'
import { dataFolder, type Program, startProgram } from './program.ts'

interface Message {
  readonly version: string
  readonly status: string
  readonly receiver: string
  readonly alerts: readonly { readonly status: string; readonly labels: Readonly<Record<string, string>> }[]
}

async function receiver(t: TestContext): Promise<{ readonly url: string; readonly port: number; readonly messages: Message[] }> {
  const messages: Message[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => (body += part))
    request.on('end', () => {
      messages.push(JSON.parse(body) as Message)
      response.end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { url: `http://127.0.0.1:${port}/hook`, port, messages }
}

async function json<T>(url: string, body?: object): Promise<T> {
  const response = await fetch(url, body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  assert.equal(response.status, 200, `${url}: ${await response.clone().text()}`)
  return (await response.json()) as T
}

async function send(url: string, value: number): Promise<void> {
  const body = encodeMetrics([
    {
      name: 'queue.depth',
      description: '',
      unit: '',
      resource: { attributes: { 'service.name': 'shop' }, droppedAttributes: 0, schemaUrl: '' },
      scope: { name: 'test', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' },
      data: { type: 'gauge', points: [{ attributes: {}, start: 0n, time: BigInt(Date.now()) * 1_000_000n, flags: 0, exemplars: [], value }] },
    },
  ])
  const response = await fetch(`${url}/v1/metrics`, { method: 'POST', body: Buffer.from(body), headers: { 'content-type': 'application/x-protobuf' } })
  assert.equal(response.status, 200, await response.text())
}

interface Detail {
  readonly incident: { readonly state: string; readonly severity: string }
  readonly figures: { readonly mttdMs: number | null; readonly mttrMs: number | null }
  readonly timeline: readonly { readonly kind: string; readonly detail: Readonly<Record<string, unknown>> }[]
}

const RULES = `groups:
  - name: shop
    interval: 1s
    rules:
      - { alert: QueueDeep, expr: "queue_depth > 10", labels: { severity: critical } }
      - { alert: QueueQuiet, expr: "queue_depth > 10", labels: { severity: warning, quiet: "yes" } }
`

test('a rule fires, is told once, outlives kill -9, and is told to be over', { timeout: 120_000 }, async (t) => {
  const folder = dataFolder(t, 'andon-path-rule-')
  const { url: hook, port, messages } = await receiver(t)
  writeFileSync(join(folder, 'rules.yaml'), RULES)
  writeFileSync(
    join(folder, 'andon.yaml'),
    `rules: { files: [${join(folder, 'rules.yaml')}] }
alerting:
  route: { receiver: team, group_by: [alertname], group_wait: 0s, group_interval: 1s }
notify:
  allow_hosts: ["127.0.0.1:${port}"]
  receivers: [{ name: team, channels: [{ webhook: { url: "${hook}" } }] }]
`,
  )
  const start = (): Promise<Program> => startProgram(t, ['packages/server/dist/main.js', '--config', join(folder, 'andon.yaml'), '--port', '0', '--data-dir', join(folder, 'data')])
  const first = await start()
  let { url } = first
  const named = (status: string): Message[] => messages.filter((message) => message.status === status && message.alerts.some(({ labels }) => labels['alertname'] === 'QueueDeep'))

  await json(`${url}/api/silences`, { matchers: 'quiet="yes"', duration: '1h', comment: 'a test' })
  await send(url, 25)
  const [message] = await eventually('the message', () => Promise.resolve(named('firing').length > 0 ? named('firing') : undefined))
  assert.deepEqual([message?.version, message?.receiver, message?.alerts.length], ['4', 'team', 1])

  // The rules of a group are evaluated one after the other.
  const native = await eventually('both alerts', async () => {
    const found = await json<{ alerts: { labels: Record<string, string>; silencedBy: string[] }[] }>(`${url}/api/alerts`)
    return found.alerts.length < 2 ? undefined : found
  })
  assert.deepEqual(native.alerts.map(({ labels, silencedBy }) => [labels['alertname'], silencedBy.length]).toSorted((a, b) => String(a[0]).localeCompare(String(b[0]))), [['QueueDeep', 0], ['QueueQuiet', 1]])
  const prometheus = await json<{ data: { alerts: { labels: Record<string, string>; state: string }[] } }>(`${url}/api/v1/alerts`)
  assert.ok(prometheus.data.alerts.some(({ labels, state }) => labels['alertname'] === 'QueueDeep' && state === 'firing'))
  const peers = await json<{ labels: Record<string, string> }[]>(`${url}/api/v2/alerts`)
  assert.ok(peers.some(({ labels }) => labels['alertname'] === 'QueueDeep'))

  const { incidents } = await json<{ incidents: { id: string }[] }>(`${url}/api/incidents`)
  assert.equal(incidents.length, 1)
  const detail = (): Promise<Detail> => json<Detail>(`${url}/api/incidents/${incidents[0]?.id}`)
  const has = async (kind: string, state?: string): Promise<Detail | undefined> => {
    const found = await detail()
    return found.timeline.some((entry) => entry.kind === kind && (state === undefined || entry.detail['state'] === state)) ? found : undefined
  }
  assert.equal((await eventually('what was delivered', () => has('notification', 'delivered'))).incident.severity, 'critical')
  await json(`${url}/api/deploys`, { service: 'shop', version: '2.0.0' })
  await eventually('the deploy', () => has('deploy'))
  const { results } = await json<{ results: { alert: string }[] }>(`${url}/api/rules/backtest`, { rules: RULES, only: 'QueueDeep', days: 1 })
  assert.deepEqual(results.map(({ alert }) => alert), ['QueueDeep'])

  await first.kill()
  const before = messages.length
  ;({ url } = await start())
  await send(url, 30)
  await eventually('the alert after the restart', async () => {
    const { groups } = (await json<{ data: { groups: { rules: { name: string; state?: string; health: string }[] }[] } }>(`${url}/api/v1/rules`)).data
    return groups.some(({ rules }) => rules.some(({ name, state, health }) => name === 'QueueDeep' && state === 'firing' && health === 'ok')) ? true : undefined
  })
  assert.equal(messages.length, before, 'something was told twice')

  await send(url, 1)
  await eventually('the end', () => Promise.resolve(named('resolved').length > 0 ? true : undefined))
  const over = await eventually('the incident resolved', async () => {
    const found = await detail()
    return found.incident.state === 'resolved' ? found : undefined
  })
  assert.ok(over.figures.mttdMs !== null && over.figures.mttrMs !== null && over.figures.mttrMs > 0)
  assert.deepEqual([named('firing').length, named('resolved').length, messages.length], [1, 1, 2])
})

test('an unknown key of a section is refused with file and line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'andon-path-config-'))
  try {
    for (const section of ['alerting', 'notify', 'incidents', 'detect', 'objectives']) {
      const file = join(folder, `${section}.yaml`)
      writeFileSync(file, `log_level: info\n${section}:\n  bogus: 1\n`)
      assert.throws(() => readOptions({ file }), new RegExp(`${section}\\.yaml:[23]: .*bogus`), section)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
