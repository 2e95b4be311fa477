// What a service said of itself last is not shown as today's once it has ended. The server runs in this process.
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
import { createServer } from 'node:http'
import { getMonitor } from '@andon/agent'
getMonitor().recordMetric('shop.queue.length', 7)
createServer().listen(0, '127.0.0.1', function () { console.log('listening on http://127.0.0.1:' + this.address().port) })
`

test('gauges of an instance end with it, and stay in the history', { timeout: 120_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'andon-end-'))
  const andon = new App(readOptions({ flags: { 'listen.port': '0', data_dir: folder } }), { log: createLog('error', () => Date.now()) })
  await andon.start()
  t.after(() => andon.stop())
  const program = await startProgram(t, ['--import', join(root, 'packages/agent/dist/register.js'), '--input-type=module', '-e', PROGRAM], {
    OTEL_SERVICE_NAME: 'ending',
    OTEL_EXPORTER_OTLP_ENDPOINT: andon.url,
    OTEL_METRIC_EXPORT_INTERVAL: '200',
  })
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))
  const ask = async (query: string): Promise<readonly string[]> => {
    const answer = await fetch(`${andon.url}/api/v1/query?query=${encodeURIComponent(query)}`)
    const { data } = (await answer.json()) as { data: { result: readonly { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }[] } }
    return data.result.map(({ metric, value }) => `${metric['__name__'] ?? ''} ${value[1]}`)
  }
  assert.deepEqual(await eventually('the gauge', async () => {
    const found = await ask('shop_queue_length{service_name="ending"}')
    return found.length > 0 ? found : undefined
  }), ['shop_queue_length 7'])
  assert.equal(await program.stop(), null)
  // Gauges and up-down counters alike.
  assert.deepEqual(await ask('{service_name="ending", __name__=~"shop_.+|process_memory_.+|nodejs_eventloop_utilization.*|v8js_memory_heap_.+|andon_agent_memory_.+"}'), [])
  const [history = ''] = await ask('count_over_time(shop_queue_length{service_name="ending"}[5m])')
  assert.ok(Number(history.trim()) > 0, history)
})
