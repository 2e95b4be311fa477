// The data sources of deploy/grafana work with a token: for each, what Grafana's "save and test" sends.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { hashToken } from './api/guard.ts'
import { App } from './app.ts'
import { readOptions } from './config.ts'
import { silentLog } from './runtime/log.ts'

interface DataSource {
  readonly name: string
  readonly uid: string
  readonly type: string
  readonly url: string
  readonly jsonData: Readonly<Record<string, unknown>>
  readonly secureJsonData: Readonly<Record<string, string>>
}

const deploy = resolve(import.meta.dirname, '../../../deploy/grafana')
const text = (file: string): string => readFileSync(join(deploy, file), 'utf8')
/** As Grafana fills in variables of the environment. */
const filled = (value: string, env: Readonly<Record<string, string>>): string => value.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => env[name] ?? '')

/** What each type asks first. */
const HEALTH: Readonly<Record<string, readonly [path: string, init?: RequestInit]>> = {
  prometheus: ['/api/v1/query', { method: 'POST', body: new URLSearchParams({ query: '1+1', time: '4' }) }],
  tempo: ['/api/echo'],
  jaeger: ['/api/services'],
  zipkin: ['/api/v2/services'],
}

test('each data source answers with its token, and not without', { timeout: 60_000 }, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-provisioning-'))
  const token = 'a-long-random-text-of-a-viewer'
  const options = readOptions({ flags: { 'listen.port': '0', data_dir: dataDir } })
  const app = new App({ ...options, tokens: [{ name: 'grafana', role: 'viewer', sha256: hashToken(token) }] }, { log: silentLog })
  await app.start()
  t.after(async () => {
    await app.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const { datasources }: { readonly datasources: readonly DataSource[] } = parse(text('provisioning/datasources/andon.yaml'))
  assert.deepEqual(datasources.map(({ type }) => type), ['prometheus', 'tempo', 'jaeger', 'zipkin'])
  for (const { name, type, url, jsonData, secureJsonData } of datasources) {
    assert.equal(jsonData['httpHeaderName1'], 'Authorization', name)
    const address = filled(url, { ANDON_URL: app.url })
    const authorization = filled(secureJsonData['httpHeaderValue1'] ?? '', { ANDON_TOKEN: token })
    const [path = '', init = {}] = HEALTH[type] ?? []
    assert.equal((await fetch(address + path, { ...init, headers: { authorization } })).status, 200, name)
    assert.equal((await fetch(address + path, init)).status, 401, name)
  }
})

test('links between the data sources lead somewhere', () => {
  const { datasources }: { readonly datasources: readonly DataSource[] } = parse(text('provisioning/datasources/andon.yaml'))
  const uids = datasources.map(({ uid }) => uid)
  assert.equal(new Set(uids).size, uids.length)
  const named = [...text('provisioning/datasources/andon.yaml').matchAll(/datasourceUid: (\S+)/g)].map(([, uid]) => uid)
  assert.ok(named.length >= 3)
  assert.deepEqual(named.filter((uid) => uid === undefined || !uids.includes(uid)), [])
  const [prometheus] = datasources
  assert.deepEqual(prometheus?.jsonData['exemplarTraceIdDestinations'], [{ name: 'trace_id', datasourceUid: 'andon-tempo', urlDisplayLabel: 'Open the trace' }])
})

test('provisioning and compose name the same variables', () => {
  const used = new Set([...(text('provisioning/datasources/andon.yaml') + text('provisioning/dashboards/andon.yaml')).matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name ?? ''))
  const compose: { readonly services: { readonly grafana: { readonly environment: Readonly<Record<string, string>>; readonly volumes: readonly string[] } } } = parse(text('compose.yaml'))
  const { environment, volumes } = compose.services.grafana
  assert.deepEqual([...used].toSorted(), Object.keys(environment).filter((name) => name.startsWith('ANDON_')).toSorted())
  assert.ok(volumes.includes(`./dashboards:${environment['ANDON_DASHBOARDS'] ?? ''}:ro`))
})
