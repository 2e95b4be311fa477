// A process that writes numbered batches is killed between one table and the next; a second one repeats what was not
// acknowledged, as the agent does. Raw rows and rollups then hold each batch once.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { test } from 'node:test'
import type { LabelMatcher } from '@andon/model'
import { systemClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { openTestStore, testServer } from './fixture.test.ts'

const ROUNDS = 8
const LAST = 4000

/** Writes batches from a number on, and says each that is stored. Every batch is one count of a counter and one of a histogram. */
const WRITER = `
import { seriesId } from '@andon/model'
import { systemClock } from ${JSON.stringify(new URL('../runtime/clock.js', import.meta.url).href)}
import { silentLog } from ${JSON.stringify(new URL('../runtime/log.js', import.meta.url).href)}
import { openStore } from ${JSON.stringify(new URL('./index.js', import.meta.url).href)}
const [dataDir, from, zero, server] = process.argv.slice(1)
const store = await openStore({ dataDir, log: silentLog, clock: systemClock, ...JSON.parse(server) })
const labels = (name) => ({ __name__: name, job: 'shop' })
const [hits, waits] = [labels('hits_total'), labels('wait_seconds')]
const series = [{ id: seriesId(hits), type: 'counter', labels: hits }, { id: seriesId(waits), type: 'histogram', labels: waits }]
const value = { schema: 0, zeroThreshold: 0, zeroCount: 0, count: 1, sum: 1, positive: new Map([[0, 1]]), negative: new Map(), bounds: [] }
for (let sequence = Number(from); sequence < ${LAST}; sequence += 1) {
  const time = { start: Number(zero) + sequence * 10, ts: Number(zero) + sequence * 10 + 10, stale: false }
  await store.metrics.write({
    series,
    metadata: [],
    samples: [{ id: series[0].id, ...time, value: 1, delta: true, increase: 1 }],
    histograms: [{ id: series[1].id, ...time, form: 'delta', value, min: 1, max: 1, increase: value }],
    exemplars: [],
  }, { batch: '${'ab'.repeat(16)}/' + sequence })
  process.stdout.write(sequence + '\\n')
}
`

const named = (value: string): LabelMatcher[] => [{ name: '__name__', operator: '=', value }]

test('killed between raw rows and rollups: repeated batches count once, acknowledged ones are there', { timeout: 120_000 }, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-crash-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 }))
  const zero = Date.now() - 600_000
  const server = JSON.stringify({ server: testServer(dataDir) })
  let next = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, dataDir, String(next), String(zero), server], { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    const until = next + 5 + round
    for await (const line of createInterface({ input: child.stdout })) {
      next = Number(line) + 1
      // Not at an acknowledgement but at some moment of the following writes.
      if (next === until) void wait(Math.random() * 25).then(() => child.kill('SIGKILL'))
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    assert.equal(child.signalCode, 'SIGKILL')
    assert.ok(next >= until)
  }
  // The last batch may be stored and not acknowledged; it is repeated like the others and only then all are known.
  const last = spawn(process.execPath, ['--input-type=module', '-e', WRITER.replace(String(LAST), String(next + 3)), dataDir, String(next), String(zero), server], { cwd: import.meta.dirname, stdio: ['ignore', 'ignore', 'inherit'] })
  await once(last, 'exit')
  const total = next + 3
  const store = await openTestStore({ dataDir, log: silentLog, clock: systemClock })
  t.after(() => store.close())
  const range = { start: zero - 2 * 3_600_000, end: Date.now() + 1000 }
  const [hits] = await store.metrics.select(named('hits_total'), range)
  const [waits] = await store.metrics.select(named('wait_seconds'), range)
  assert.deepEqual(
    {
      raw: [hits?.v.at(-1), waits?.histograms?.at(-1)?.count],
      counters: await store.metrics.rolledUpIncrease(named('hits_total'), range),
      histograms: await store.metrics.rolledUpIncrease(named('wait_seconds'), range),
    },
    { raw: [total, total], counters: { minutes: total, hours: total }, histograms: { minutes: total, hours: total } },
  )
})
