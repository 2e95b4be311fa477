// Agents that send faster than 20 numbered batches a second, so that these are gathered, and a server that is killed among them: each agent
// repeats what was not answered, as ours does. Nothing that was answered is lost, and at most the last insert counts twice.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import type { MetricRecord } from '@andon/model'
import { encodeMetrics } from '@andon/wire'
import { systemClock } from './runtime/clock.ts'
import { silentLog } from './runtime/log.ts'
import { openStore } from './store/index.ts'

const AGENTS = 8
const KILLS = 2
const zero = BigInt(Date.now() - 600_000) * 1_000_000n
const scope = { name: '', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }

async function startServer(dataDir: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.js'), '--port', '0', '--data-dir', dataDir, '--log-level', 'error'], { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'] } })
  assert.ok(child.stdout)
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /listening on (\S+)/.exec(line)?.[1]
    if (url !== undefined) return { child, url }
  }
  throw new Error('the server ended without listening')
}

/** Counts one for each batch, and repeats a batch under its number until it is answered. */
class Agent {
  readonly #process = randomBytes(16).toString('hex')
  readonly #index: number
  #sequence = 1
  answered = 0

  constructor(index: number) {
    this.#index = index
  }

  #body(): Uint8Array {
    const time = zero + BigInt(this.#sequence) * 1_000_000n
    const point = { attributes: { agent: String(this.#index) }, start: time - 1_000_000n, time, flags: 0, exemplars: [] }
    const of = { description: '', unit: '', resource: { attributes: { 'service.name': 'shop' }, droppedAttributes: 0, schemaUrl: '' }, scope }
    const metrics: MetricRecord[] = [
      { ...of, name: 'hits', data: { type: 'sum', monotonic: true, temporality: 'delta', points: [{ ...point, value: 1 }] } },
      { ...of, name: 'wait', data: { type: 'histogram', temporality: 'delta', points: [{ ...point, count: 1, sum: 1, min: 1, max: 1, bounds: [1], counts: [1, 0] }] } },
    ]
    return encodeMetrics(metrics)
  }

  /** Whether the batch was answered. */
  async #post(url: string): Promise<boolean> {
    const headers = { 'content-type': 'application/x-protobuf', 'andon-batch': `${this.#process}/${this.#sequence}` }
    return await fetch(`${url}/v1/metrics`, { method: 'POST', headers, body: Buffer.from(this.#body()) }).then(
      async (response) => (await response.arrayBuffer(), response.status === 200),
      () => false,
    )
  }

  /** Sends until it may not, or the server is gone. */
  async run(url: string, goesOn: () => boolean): Promise<void> {
    while (goesOn() && (await this.#post(url))) {
      this.#sequence += 1
      this.answered += 1
    }
  }
}

test('numbered batches that are gathered: after kills nothing answered is lost, and at most one repetition of each agent counts twice', { timeout: 120_000 }, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-numbered-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 }))
  const agents = Array.from({ length: AGENTS }, (_, index) => new Agent(index))
  const answered = (): number => agents.reduce((sum, agent) => sum + agent.answered, 0)
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const { child, url } = await startServer(dataDir)
    t.after(() => child.kill('SIGKILL'))
    const gone = once(child, 'exit')
    const until = answered() + 80
    await Promise.all(agents.map((agent) => agent.run(url, () => answered() < until || !child.kill('SIGKILL'))))
    child.kill('SIGKILL')
    await gone
    assert.ok(answered() >= until)
  }
  const { child, url } = await startServer(dataDir)
  t.after(() => child.kill('SIGKILL'))
  const last = answered() + 20
  await Promise.all(agents.map((agent) => agent.run(url, () => answered() < last)))
  child.kill('SIGTERM')
  await once(child, 'exit')
  const store = await openStore({ dataDir, log: silentLog, clock: systemClock })
  t.after(() => store.close())
  const range = { start: Date.now() - 7_200_000, end: Date.now() + 1000 }
  const total = answered()
  for (const name of ['hits_total', 'wait']) {
    const counted = await store.metrics.rolledUpIncrease([{ name: '__name__', operator: '=', value: name }], range)
    // Between two agents' last answers one batch of each may have been stored and not answered, at each kill: in all tables, or in those
    // that came before the kill.
    for (const [table, hits] of Object.entries(counted)) assert.ok(hits >= total && hits <= total + KILLS * AGENTS, `${name}, ${table}: ${hits} of ${total}`)
  }
})
