// The real amtool and a real Prometheus speak to Andon as to their Alertmanager.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { FakeOutbox, MemoryLog } from '../alerts/fixture.test.ts'
import { AlertManager } from '../alerts/manager.ts'
import { readAlertmanagerFile } from '../alerts/schema.ts'
import { FakeClock, systemClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import { registerAlertmanager } from './alertmanager.ts'
import { createFixture } from './fixture.test.ts'

const programs = join(import.meta.dirname, '../../../../node_modules/.cache/prometheus/usr/bin')
const missing = (name: string): string | false => (existsSync(join(programs, name)) ? false : `no ${name} here: it is fetched from Debian packages where there is apt-get`)
const run = promisify(execFile)

const CONFIG = `
route:
  receiver: ops
  group_by: [cluster]
  group_wait: 0s
  group_interval: 1s
  routes: [{matchers: ['team="db"'], receiver: db, continue: true}]
receivers: [{name: ops, webhook_configs: [{url: 'http://SECRET'}]}, {name: db}]
inhibit_rules: [{source_matchers: ['severity="critical"'], target_matchers: ['severity="warning"'], equal: [cluster]}]
`

async function serve(t: TestContext): Promise<{ url: string; manager: AlertManager; outbox: FakeOutbox }> {
  const outbox = new FakeOutbox()
  const manager = await AlertManager.open(readAlertmanagerFile(CONFIG, 'am.yml'), {
    log: new MemoryLog(new FakeClock()),
    clock: systemClock,
    logger: silentLog,
    own: new OwnMetrics(),
    incidents: { join: () => Promise.resolve(new Map()), told: () => Promise.resolve(), ticketBecause: () => undefined },
    outbox,
  })
  manager.start()
  const { app } = await createFixture({ allowedHosts: ['127.0.0.1'], more: (server) => registerAlertmanager(server, { alerts: manager, clock: systemClock, log: silentLog, version: '1.2.3', startedAt: Date.now() }) })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.after(async () => {
    await manager.stop()
    await app.close()
  })
  return { url, manager, outbox }
}

test('amtool: alerts, silences, status and routes', { skip: missing('amtool'), timeout: 60_000 }, async (t) => {
  const { url, manager } = await serve(t)
  const amtool = async (...args: readonly string[]): Promise<string> => (await run(join(programs, 'amtool'), [`--alertmanager.url=${url}`, ...args], { timeout: 20_000 })).stdout
  await amtool('alert', 'add', 'Down', 'cluster=x', 'severity=critical', '--annotation=summary=it is down')
  await amtool('alert', 'add', 'Slow', 'cluster=x', 'severity=warning')
  const listed: readonly { labels: { alertname: string }; status: { state: string } }[] = JSON.parse(await amtool('alert', 'query', '-o', 'json'))
  assert.deepEqual(listed.map(({ labels, status }) => [labels.alertname, status.state]), [['Down', 'active']])
  const all: readonly { labels: { alertname: string } }[] = JSON.parse(await amtool('alert', 'query', '-a', '-i', '-o', 'json'))
  assert.deepEqual(all.map(({ labels }) => labels.alertname).toSorted(), ['Down', 'Slow'])
  assert.match(await amtool('alert', 'query', 'severity=~"crit.*"'), /Down\s+.*it is down/)
  assert.match(await amtool('alert', 'query', '-i', '-o', 'extended'), /Slow/)

  const id = (await amtool('silence', 'add', 'alertname=Down', 'cluster=~x|y', '--comment=deploy', '--author=ann', '--duration=2h')).trim()
  assert.match(id, /^[\da-f-]{36}$/)
  assert.deepEqual((await manager.active()).find(({ held }) => held.alert.labels['alertname'] === 'Down')?.mute.silencedBy, [id])
  assert.match(await amtool('silence', 'query'), new RegExp(`${id}\\s+alertname="?Down"?.*ann\\s+deploy`))
  assert.equal((await amtool('silence', 'query', '-q', 'alertname=Down')).trim(), id)
  assert.equal((await amtool('silence', 'query', '-q', 'alertname=Other')).trim(), '')
  await amtool('silence', 'update', '--duration=3h', '--comment=longer', id)
  assert.deepEqual(manager.silences.list().map((silence) => [silence.id, silence.comment]), [[id, 'longer']])
  await amtool('silence', 'expire', id)
  assert.equal((await amtool('silence', 'query', '-q')).trim(), '')
  assert.equal((await amtool('silence', 'query', '-q', '--expired', '--within=1h')).trim(), id)
  await assert.rejects(amtool('silence', 'add', 'alertname=~.*', '--comment=all', '--author=ann'), /at least one matcher must not match the empty string|bad response status/)

  const config = await amtool('config', 'show')
  assert.match(config, /receiver: ops/)
  assert.doesNotMatch(config, /SECRET/)
  assert.match(await amtool('config', 'routes', 'test', 'team=db'), /db/)
  assert.match(await amtool('config', 'routes', 'show'), /team="db"/)
  await amtool('cluster', 'show')
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (const deadline = Date.now() + 45_000; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 100))) assert.ok(Date.now() < deadline, what)
}

test('a Prometheus has Andon as its Alertmanager: it fires, it is told, it ends', { skip: missing('prometheus'), timeout: 120_000 }, async (t) => {
  const { url, manager, outbox } = await serve(t)
  const folder = mkdtempSync(join(tmpdir(), 'andon-alertmanager-'))
  const own = `127.0.0.1:${await freePort()}`
  const rules = (expression: string): void => writeFileSync(join(folder, 'rules.yml'), `groups: [{name: g, interval: 1s, rules: [{alert: Always, expr: '${expression}', labels: {cluster: x}, annotations: {summary: 'value {{ $value }}'}}]}]\n`)
  rules('vector(1)')
  writeFileSync(join(folder, 'prometheus.yml'), `global: {evaluation_interval: 1s, external_labels: {site: here}}\nrule_files: [rules.yml]\nalerting: {alertmanagers: [{static_configs: [{targets: ['${new URL(url).host}']}]}]}\n`)
  const child = spawn(join(programs, 'prometheus'), [`--config.file=${join(folder, 'prometheus.yml')}`, `--storage.tsdb.path=${join(folder, 'data')}`, `--web.listen-address=${own}`, '--rules.alert.resend-delay=1s', '--log.level=error'], { stdio: ['ignore', 'ignore', 'inherit'] })
  t.after(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
    rmSync(folder, { recursive: true, force: true })
  })
  await until('the alert is told', () => outbox.delivered.length > 0)
  const [view] = await manager.active()
  const { labels, annotations, source, generatorUrl } = view?.held.alert ?? {}
  assert.deepEqual([labels, annotations, source], [{ alertname: 'Always', cluster: 'x', site: 'here' }, { summary: 'value 1' }, 'api'])
  assert.match(generatorUrl ?? '', /^http.*\/graph/)
  // It is renewed as often as Prometheus sends it, and told once.
  await until('it is renewed', async () => ((await manager.active())[0]?.held.updatedAt ?? 0) > (view?.held.updatedAt ?? 0))
  assert.deepEqual(outbox.delivered.map(({ reason }) => reason), ['first'])
  rules('vector(1) > 1')
  child.kill('SIGHUP')
  await until('its end is told', () => outbox.delivered.length > 1)
  assert.deepEqual(outbox.delivered.map(({ reason, status }) => [reason, status]), [['first', 'firing'], ['all-resolved', 'resolved']])
  assert.deepEqual(await manager.active(), [])
})
