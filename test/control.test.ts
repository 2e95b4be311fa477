// What an editor wants reaches a running program, and what it registers and breaks comes back. The server runs in this process.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { App, createLog, readOptions } from '@andon/server'
import { eventually } from './eventually.ts'
import { startProgram } from './program.ts'
import { root } from './repository/root.ts'

const PROGRAM = `
import http from 'node:http'
import fastify from 'fastify'
import { getMonitor, registerInventory } from '@andon/agent'
const app = fastify()
app.get('/called', () => ({ ok: true }))
app.get('/never/:id', () => ({ ok: true }))
app.get('/measure', () => {
  getMonitor().recordMetric('board.load', 700, { board: '7' })
  return { ok: true }
})
registerInventory({ kind: 'job', name: 'digest' })
const url = await app.listen({ port: 0, host: '127.0.0.1' })
http.get(process.env.ASKED + '/healthz', (answer) => answer.resume())
console.log('listening on ' + url)
`

interface Agents {
  readonly agents: readonly { readonly service: string; readonly instance: string; readonly revision: number; readonly capabilities: readonly string[] }[]
}
interface Coverage {
  readonly services: readonly { readonly reports: boolean; readonly operations: readonly { readonly kind: string; readonly name: string; readonly metrics: boolean; readonly traces: boolean }[] }[]
}

test('a program is told its thresholds, breaks one, and says which of its operations there are', { timeout: 120_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'andon-control-'))
  const andon = new App(readOptions({ flags: { 'listen.port': '0', data_dir: folder } }), { log: createLog('error', () => Date.now()) })
  await andon.start()
  t.after(() => andon.stop())
  const program = await startProgram(t, ['--import', join(root, 'packages/agent/dist/register.js'), '--input-type=module', '-e', PROGRAM], {
    OTEL_SERVICE_NAME: 'program',
    OTEL_EXPORTER_OTLP_ENDPOINT: andon.url,
    OTEL_METRIC_EXPORT_INTERVAL: '200',
    ASKED: andon.url,
  })
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))
  const read = async <T>(path: string): Promise<T> => (await (await fetch(`${andon.url}${path}`)).json()) as T
  const agent = async (revision: number): Promise<Agents['agents'][number] | undefined> => {
    const { agents } = await read<Agents>('/api/agents')
    return agents.find((one) => one.service === 'program' && one.revision === revision)
  }

  const known = await eventually('the agent', () => agent(0))
  assert.deepEqual(known.capabilities.filter((each) => each !== 'profile'), ['sampling', 'thresholds'])

  await fetch(`${program.url}/called`)
  const host = new URL(andon.url).host
  const operations = await eventually('the inventory with data', async () => {
    const [service] = (await read<Coverage>('/api/coverage?service=program')).services
    const found = new Map(service?.operations.map(({ kind, name, metrics, traces }) => [`${kind} ${name}`, [metrics, traces]]))
    return service?.reports === true && found.get('route GET /called')?.every(Boolean) === true && found.get(`dependency ${host}`)?.every(Boolean) === true ? found : undefined
  })
  assert.deepEqual(operations.get('route GET /never/:id'), [false, false])
  assert.deepEqual(operations.get('job digest'), [false, false])

  const wanted = { thresholds: [{ rule: 'slow-load', metric: 'board.load', operator: 'gt', value: 500, severity: 'critical', message: 'boards load slowly', tags: { board: '7' } }], expires: Date.now() + 600_000 }
  const set = await fetch(`${andon.url}/api/agents/${encodeURIComponent(known.instance)}/control`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(wanted) })
  const { revision } = (await set.json()) as { revision: number }
  await eventually('the revision to be applied', () => agent(revision))
  await fetch(`${program.url}/measure`)
  const breach = await eventually('the broken threshold', async () => (await read<{ breaches: { rule: string; value: number; threshold: number; severity: string; message: string; tags: object; traceId: string }[] }>(`/api/agents/${encodeURIComponent(known.instance)}/breaches`)).breaches[0])
  assert.deepEqual([breach.rule, breach.value, breach.threshold, breach.severity, breach.message, breach.tags], ['slow-load', 700, 500, 'critical', 'boards load slowly', { board: '7' }])
  // Of the request in which it was broken.
  assert.match(breach.traceId, /^[\da-f]{32}$/)

  await fetch(`${andon.url}/api/agents/${encodeURIComponent(known.instance)}/control`, { method: 'DELETE' })
  await eventually('the agent\'s own defaults', () => agent(0))
})
