// The tests of store, ingest, queries and the whole server a second time, by the address of a ClickHouse server.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { cannotRun, startClickHouse } from './store/clickhouse-process.test.ts'
import { VARIABLE } from './store/fixture.test.ts'

const FILES = [
  'store/both-kinds', 'store/spans', 'store/crash', 'store/state-in-force', 'ingest/metrics', 'ingest/rollup-paths', 'ingest/rollup-expiry', 'query/push-down', 'query/vectors/store-vectors',
  'profiles', 'stalls', 'zipkin', 'remote-write', 'control', 'topology', 'app',
]
/** Of those, files whose tests may all be skipped because what they read is no part of the repository. */
const MAY_BE_SKIPPED = 1

test('the tests of the server pass on a ClickHouse server by its address', { skip: cannotRun(), timeout: 600_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'andon-by-url-'))
  const [server] = await startClickHouse(folder)
  assert.ok(server)
  // In this order: what still runs writes into its folder.
  t.after(async () => {
    await server.kill()
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  })
  const files = FILES.map((name) => join(import.meta.dirname, `${name}.test.js`))
  // Otherwise the runner takes itself for a part of this one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const runner = spawn(process.execPath, ['--test', '--test-reporter=tap', '--test-concurrency=2', ...files], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...env, [VARIABLE]: JSON.stringify(server.options()) },
  })
  t.after(() => runner.kill('SIGKILL'))
  const output: string[] = []
  runner.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString('utf8')))
  const [code] = (await once(runner, 'close')) as [number | null]
  const report = output.join('')
  const count = (what: string): number => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(report)?.[1] ?? Number.NaN)
  t.diagnostic(`by address: ${count('pass')} passed, ${count('fail')} failed, ${count('skipped')} skipped`)
  assert.equal(code, 0, report.slice(-20_000))
  assert.equal(count('fail'), 0)
  assert.ok(count('pass') > 40, report.slice(0, 2000))
  // Each file had a database of its own there: none ran on the embedded engine by mistake.
  const asked = await fetch(`${server.url}/?query=${encodeURIComponent("SELECT count() FROM system.databases WHERE startsWith(name, 't_andon_')")}`)
  assert.ok(Number(await asked.text()) >= FILES.length - MAY_BE_SKIPPED)
})
