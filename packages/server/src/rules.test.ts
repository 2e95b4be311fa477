// Rules through the whole server: what a file says is evaluated, stored, asked by PromQL and told by the API, also after a restart.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { encodeMetrics } from '@andon/wire'
import type { MetricRecord } from '@andon/model'
import { App } from './app.ts'
import { readOptions } from './config.ts'
import { silentLog } from './runtime/log.ts'

const folder = mkdtempSync(join(tmpdir(), 'andon-rules-'))
const rules = join(folder, 'rules.yaml')
writeFileSync(
  rules,
  `groups:
  - name: shop
    interval: 1s
    rules:
      - record: shop:depth:max
        expr: max by (job) (queue_depth)
      - alert: QueueDeep
        expr: shop:depth:max > 10
        labels: { severity: page }
        annotations: { summary: "{{ $labels.job }} has {{ $value | humanize }} waiting" }
      - alert: Slow
        expr: vector(1)
        for: 1h
`,
)
let app: App | undefined

async function start(): Promise<string> {
  app = new App(readOptions({ flags: { 'listen.port': '0', data_dir: join(folder, 'data') }, env: { ANDON_RULES: rules, ANDON_EXTERNAL_URL: 'https://andon.example.com/' } }), { log: silentLog })
  await app.start()
  return app.url
}
after(async () => {
  await app?.stop()
  rmSync(folder, { recursive: true, force: true })
})

function depth(value: number): Uint8Array {
  const record: MetricRecord = {
    name: 'queue.depth',
    description: '',
    unit: '',
    resource: { attributes: { 'service.name': 'shop' }, droppedAttributes: 0, schemaUrl: '' },
    scope: { name: 'test', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' },
    data: { type: 'gauge', points: [{ attributes: {}, start: 0n, time: BigInt(Date.now()) * 1_000_000n, flags: 0, exemplars: [], value }] },
  }
  return encodeMetrics([record])
}

async function send(url: string, value: number): Promise<void> {
  const response = await fetch(`${url}/v1/metrics`, { method: 'POST', body: Buffer.from(depth(value)), headers: { 'content-type': 'application/x-protobuf' } })
  assert.equal(response.status, 200, await response.text())
}

interface Answer<T> {
  readonly data: T
}

async function ask<T>(url: string, path: string): Promise<T> {
  const response = await fetch(`${url}${path}`)
  assert.equal(response.status, 200, path)
  const { data }: Answer<T> = JSON.parse(await response.text())
  return data
}

async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    const value = await read()
    if (holds(value) || attempt === 100) return value
    await wait(100)
  }
}

interface Alert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly state: string
  readonly activeAt: string
  readonly value: string
}
interface Rules {
  readonly groups: readonly { readonly name: string; readonly interval: number; readonly rules: readonly { readonly name: string; readonly type: string; readonly health: string; readonly state?: string }[] }[]
}

const alerts = async (url: string): Promise<readonly Alert[]> => (await ask<{ alerts: readonly Alert[] }>(url, '/api/v1/alerts')).alerts
const named = (name: string, list: readonly Alert[]): Alert | undefined => list.find(({ labels }) => labels['alertname'] === name)

test('a file of rules is evaluated, stored and told; what is pending or fires outlives a restart', { timeout: 60_000 }, async () => {
  let url = await start()
  await send(url, 25)
  const found = await until(
    () => alerts(url),
    (list) => named('QueueDeep', list)?.state === 'firing' && named('Slow', list) !== undefined,
  )
  const deep = named('QueueDeep', found)
  assert.deepEqual([deep?.state, deep?.value, deep?.labels, deep?.annotations], ['firing', '25', { alertname: 'QueueDeep', job: 'shop', severity: 'page' }, { summary: 'shop has 25 waiting' }])
  const series = await ask<{ result: { metric: Record<string, string> }[] }>(url, `/api/v1/query?query=${encodeURIComponent('ALERTS{alertstate="firing"}')}`)
  assert.deepEqual(series.result.map(({ metric }) => metric), [{ __name__: 'ALERTS', alertname: 'QueueDeep', alertstate: 'firing', job: 'shop', severity: 'page' }])

  // An alert is told before its series are written, and its rule is well after that.
  const { groups } = await until(
    () => ask<Rules>(url, '/api/v1/rules'),
    (answer) => answer.groups.every((group) => group.rules.every(({ health }) => health !== 'unknown')),
  )
  assert.deepEqual(
    // Without those that Andon brings with it.
    groups.filter(({ name }) => name === 'shop').map(({ name, interval, rules: list }) => [name, interval, list.map(({ name: rule, type, health, state }) => [rule, type, health, state])]),
    [['shop', 1, [['shop:depth:max', 'recording', 'ok', undefined], ['QueueDeep', 'alerting', 'ok', 'firing'], ['Slow', 'alerting', 'ok', 'pending']]]],
  )
  const only = await ask<{ groups: { rules: { name: string }[] }[] }>(url, '/api/v1/rules?type=alert&rule_name[]=Slow')
  assert.deepEqual(only.groups.flatMap((group) => group.rules.map(({ name }) => name)), ['Slow'])
  assert.deepEqual((await ask<{ groups: unknown[] }>(url, `/api/v1/rules?match[]=${encodeURIComponent('{severity="none"}')}`)).groups, [])

  const before = [deep?.activeAt, named('Slow', found)?.activeAt]
  await app?.stop()
  url = await start()
  const [again, slow] = [named('QueueDeep', await alerts(url)), named('Slow', await alerts(url))]
  assert.deepEqual([again?.state, again?.activeAt, slow?.state], ['firing', before[0], 'pending'])
  await send(url, 5)
  const after5 = await until(
    () => alerts(url),
    (list) => named('QueueDeep', list) === undefined,
  )
  assert.equal(named('QueueDeep', after5), undefined)
})

test('a file that cannot be read as rules stops the start with its line', async () => {
  const wrong = join(folder, 'wrong.yaml')
  writeFileSync(wrong, 'groups:\n  - name: a\n    rules:\n      - { alert: A, expr: "sum(" }\n')
  const broken = new App(readOptions({ flags: { 'listen.port': '0', data_dir: join(folder, 'other') }, env: { ANDON_RULES: wrong } }), { log: silentLog })
  await assert.rejects(broken.start(), /wrong\.yaml:4: expr: /)
})
