// Profiles over a real store: what is sent is stored once, merged and given back.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { AndonError, type ProfileFrame, type ProfileRecord } from '@andon/model'
import { decodePprof, encodePprof } from '@andon/wire'
import { ProfileIngest } from './ingest/profiles.ts'
import { flameOf, ProfileReader } from './query/profiles.ts'
import { FakeClock } from './runtime/clock.ts'
import { defaultLimits } from './runtime/limits.ts'
import { silentLog } from './runtime/log.ts'
import { OwnMetrics } from './runtime/own-metrics.ts'
import { openStore } from './store/index.ts'

// The real time: the database drops by its own clock what is older than the retention.
const NOW = Math.floor(Date.now() / 1000) * 1000
const main: ProfileFrame = { name: 'main', file: '/app/main.ts', line: 1 }
const slow: ProfileFrame = { name: "it's slow", file: '/app/a\tb.ts', line: 7 }
const fast: ProfileFrame = { name: 'fast', file: '/app/fast.ts', line: 9 }

const cpu: ProfileRecord = {
  valueTypes: [{ type: 'samples', unit: 'count' }, { type: 'wall', unit: 'nanoseconds' }, { type: 'cpu', unit: 'nanoseconds' }],
  start: BigInt(NOW - 60_000) * 1_000_000n,
  duration: 60_000_000_000n,
  period: 20_000_000,
  periodType: { type: 'wall', unit: 'nanoseconds' },
  samples: [
    { stack: [slow, main], values: [1, 20_000_000, 19_000_000], time: BigInt(NOW - 50_000) * 1_000_000n, labels: { route: '/slow', trace_id: 'ab'.repeat(15) + '00', span_id: '0'.repeat(15) + 'f' } },
    { stack: [fast, main], values: [1, 20_000_000, 3_000_000], time: BigInt(NOW - 40_000) * 1_000_000n, labels: {} },
  ],
}

const sender = { service: 'shop', env: '', version: '1', instance: 'i' }
const range = { start: NOW - 900_000, end: NOW }
const BATCH = `${'a'.repeat(32)}/1`

test('profiles: stored once however often a batch is sent, also over a restart; found by route, trace and span; merged', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-profiles-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  const clock = new FakeClock(NOW)
  const open = async (): Promise<{ ingest: ProfileIngest; reader: ProfileReader; close: () => Promise<void> }> => {
    const store = await openStore({ dataDir, log: silentLog, clock })
    return { ingest: new ProfileIngest(store.profiles, { clock, limits: defaultLimits, own: new OwnMetrics(), retentionDays: 7 }), reader: new ProfileReader(store.profiles), close: () => store.close() }
  }
  const first = await open()
  assert.deepEqual(await first.ingest.accept(encodePprof(cpu).slice(), sender, BATCH), { samples: 2 })
  await first.ingest.accept(gzipSync(encodePprof(cpu)), sender, BATCH)
  await first.close()
  const { ingest, reader, close } = await open()
  t.after(close)
  await ingest.accept(encodePprof(cpu).slice(), sender, BATCH)
  const query = { service: 'shop', type: 'cpu', range } as const
  const { root, unit, profiles } = await reader.flame(query)
  assert.deepEqual([root.total, unit, profiles], [22_000_000, 'nanoseconds', 1])
  assert.deepEqual(root.children.map(({ name, total, self }) => [name, total, self]), [['main', 22_000_000, 0]])
  assert.deepEqual(root.children[0]?.children.map(({ name, self }) => [name, self]), [["it's slow", 19_000_000], ['fast', 3_000_000]])
  const totalOf = async (more: object): Promise<number> => (await reader.flame({ ...query, ...more })).root.total
  assert.equal(await totalOf({ route: '/slow' }), 19_000_000)
  assert.equal(await totalOf({ traceId: 'ab'.repeat(15) + '00' }), 19_000_000)
  assert.equal(await totalOf({ spanId: '0'.repeat(15) + 'f' }), 19_000_000)
  assert.equal(await totalOf({ spanId: '0'.repeat(15) + 'e' }), 0)
  assert.equal(await totalOf({ instance: 'other' }), 0)
  assert.equal(await totalOf({ type: 'wall' }), 40_000_000)
  assert.deepEqual((await reader.sets(range)).map(({ service, type, profiles: sent, samples }) => [service, type, sent, samples]), [['shop', 'cpu', 1, 2], ['shop', 'wall', 1, 2]])
  const given = decodePprof(gunzipSync(gzipSync(encodePprof(await reader.profile(query)))))
  assert.deepEqual(given.samples.map(({ stack, values }) => [stack.map(({ name }) => name).join('<'), values[0]]), [["it's slow<main", 19_000_000], ['fast<main', 3_000_000]])
  // Of heaps in use the mean is shown: two snapshots of the same heap are one heap.
  const heap: ProfileRecord = { ...cpu, valueTypes: [{ type: 'objects', unit: 'count' }, { type: 'space', unit: 'bytes' }], samples: [{ stack: [slow], values: [10, 1000], time: 0n, labels: {} }] }
  await ingest.accept(encodePprof(heap).slice(), sender, `${'a'.repeat(32)}/2`)
  await ingest.accept(encodePprof(heap).slice(), sender, `${'a'.repeat(32)}/3`)
  assert.equal(await totalOf({ type: 'heap_space' }), 1000)
})

test('what is no profile, of no known type, too large or of another time is refused with a code', async () => {
  const stored: unknown[] = []
  const sink = { write: (profiles: readonly unknown[]) => Promise.resolve(void stored.push(...profiles)) }
  const ingest = new ProfileIngest(sink, { clock: new FakeClock(NOW), limits: { ...defaultLimits, inflatedBytes: 1000 }, own: new OwnMetrics(), retentionDays: 7 })
  const refused = async (body: Uint8Array, code: string): Promise<void> => {
    await assert.rejects(ingest.accept(body, sender), (error) => error instanceof AndonError && error.code === code, code)
  }
  await refused(new Uint8Array([1, 2, 3]), 'bad_body')
  await refused(new Uint8Array([0x1f, 0x8b, 3]), 'bad_body')
  await refused(gzipSync(new Uint8Array(5000)), 'too_large')
  await refused(encodePprof({ ...cpu, valueTypes: [{ type: 'a', unit: 'b' }, { type: 'c', unit: 'd' }, { type: 'e', unit: 'f' }] }), 'bad_body')
  await refused(encodePprof({ ...cpu, start: BigInt(NOW + 3_600_000) * 1_000_000n }), 'bad_body')
  await refused(encodePprof({ ...cpu, start: 1n }), 'bad_body')
  assert.deepEqual(stored, [])
})

test('a function that calls itself stands under itself in a flame graph, and no weight is lost', () => {
  const root = flameOf([{ stack: [fast, fast, main], value: 5 }, { stack: [fast, main], value: 2 }], 1)
  assert.equal(root.total, 7)
  const [under] = root.children.flatMap(({ children }) => children)
  assert.deepEqual([under?.total, under?.self, under?.children[0]?.self], [7, 2, 5])
})
