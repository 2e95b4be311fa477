// A server that is killed again and again while two services send their halves of calls; each batch is sent until it is answered.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { test } from 'node:test'
import type { SpanRecord } from '@andon/model'
import { encodeSpans } from '@andon/wire'
import { call, spanOf } from './ingest/call-spans.test.ts'

const ROUNDS = 3
const CALLS_MAX = 400

interface Running {
  readonly child: ChildProcess
  readonly url: string
}

async function start(dataDir: string): Promise<Running> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.js'), '--port', '0', '--data-dir', dataDir, '--log-level', 'error'], { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'] } })
  assert.ok(child.stdout)
  for await (const line of createInterface(child.stdout)) {
    const url = /listening on (\S+)/.exec(line)?.[1]
    if (url !== undefined) return { child, url }
  }
  throw new Error('the server ended without listening')
}

test('kill -9 loses no call and no execution of a statement, and none counts twice', { timeout: 180_000 }, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-topology-crash-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))
  let server = await start(dataDir)
  t.after(() => server.child.kill('SIGKILL'))
  const now = BigInt(Date.now() - 5000) * 1_000_000n
  const at = { start: now, end: now + 1_000_000n }
  const state = { made: 0, isOver: false }
  const senders = { shop: randomBytes(16).toString('hex'), cart: randomBytes(16).toString('hex') }
  /** Sends a numbered batch until it is answered, wherever the server is by then. */
  const send = async (sender: keyof typeof senders, sequence: number, spans: SpanRecord[]): Promise<void> => {
    for (;;) {
      const headers = { 'content-type': 'application/x-protobuf', 'andon-batch': `${senders[sender]}/${sequence}` }
      const status = await fetch(`${server.url}/v1/traces`, { method: 'POST', body: Buffer.from(encodeSpans(spans)), headers }).then(
        (response) => response.status,
        () => 0,
      )
      if (status === 200) return
      await wait(5)
    }
  }
  const worker = async (): Promise<void> => {
    while (!state.isOver && state.made < CALLS_MAX) {
      state.made += 1
      const n = state.made
      const [client, served] = call(n, 'shop', 'cart', { client: at, server: at })
      const query = spanOf('cart', { trace: n + 1, span: 1_000_000 + n, parent: 2 * n + 2 }, { ...at, kind: 'client', attributes: { 'db.system.name': 'postgresql', 'db.namespace': 'carts', 'db.query.text': `SELECT ${n}` } })
      await Promise.all([send('shop', n, [client]), send('cart', n, [query, served])])
    }
  }
  const workers = [worker(), worker(), worker()]
  for (let round = 0; round < ROUNDS; round += 1) {
    const enough = state.made + 8
    for (let waited = 0; state.made < enough && waited < 20_000; waited += 5) await wait(5)
    // At some moment of an insert.
    await wait(Math.random() * 20)
    const gone = once(server.child, 'exit')
    server.child.kill('SIGKILL')
    await gone
    server = await start(dataDir)
  }
  state.isOver = true
  await Promise.all(workers)
  const { made } = state
  assert.ok(made >= ROUNDS * 8, `${made} calls`)
  const json = async <T>(path: string): Promise<T> => (await (await fetch(`${server.url}${path}`)).json()) as T
  const { edges } = await json<{ edges: { client: string; server: string; kind: string; calls: number }[] }>('/api/service-map')
  const sorted = edges.map(({ client, server: to, kind, calls }) => `${client} ${to} ${kind} ${Math.round(calls * 1e6) / 1e6}`).toSorted()
  assert.deepEqual(sorted, [`cart postgresql/carts database ${made}`, `shop cart service ${made}`])
  const { statements } = await json<{ statements: { calls: number; perTraceMax: number }[] }>('/api/statements')
  assert.deepEqual(statements.map(({ calls, perTraceMax }) => [calls, perTraceMax]), [[made, 1]])
})
