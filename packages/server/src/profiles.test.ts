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
import { FLAME_NODES_MAX, type FlameNode, flameOf, ProfileReader } from './query/profiles.ts'
import { FakeClock } from './runtime/clock.ts'
import { defaultLimits } from './runtime/limits.ts'
import { silentLog } from './runtime/log.ts'
import { OwnMetrics } from './runtime/own-metrics.ts'
import { openTestStore } from './store/fixture.test.ts'

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
    const store = await openTestStore({ dataDir, log: silentLog, clock })
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
  assert.deepEqual((await reader.sets({ range })).map(({ service, type, profiles: sent, samples }) => [service, type, sent, samples]), [['shop', 'cpu', 1, 2], ['shop', 'wall', 1, 2]])
  const given = decodePprof(gunzipSync(gzipSync(encodePprof(await reader.profile(query)))))
  assert.deepEqual(given.samples.map(({ stack, values }) => [stack.map(({ name }) => name).join('<'), values[0]]), [["it's slow<main", 19_000_000], ['fast<main', 3_000_000]])
  // Of heaps in use the mean is shown: two snapshots of the same heap are one heap.
  const heap: ProfileRecord = { ...cpu, valueTypes: [{ type: 'objects', unit: 'count' }, { type: 'space', unit: 'bytes' }], samples: [{ stack: [slow], values: [10, 1000], time: 0n, labels: {} }] }
  await ingest.accept(encodePprof(heap).slice(), sender, `${'a'.repeat(32)}/2`)
  await ingest.accept(encodePprof(heap).slice(), sender, `${'a'.repeat(32)}/3`)
  assert.equal(await totalOf({ type: 'heap_space' }), 1000)
})

test('5-minute sums and samples give the same answer; what has expired is told', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-profiles-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  const clock = new FakeClock(NOW)
  const store = await openTestStore({ dataDir, log: silentLog, clock })
  t.after(() => store.close())
  const ingest = new ProfileIngest(store.profiles, { clock, limits: defaultLimits, own: new OwnMetrics(), retentionDays: 7 })
  const reader = new ProfileReader(store.profiles)
  // Values are powers of two, so that a sum says which samples are in it.
  const bucket = Math.floor((NOW - 7_200_000) / 300_000) * 300_000
  const times = [bucket - 1, bucket, bucket + 299_999, bucket + 300_000, bucket + 1_800_000, bucket + 3_599_999, bucket + 3_600_000, bucket + 3_900_000, bucket + 4_000_000]
  const samples = times.map((time, index) => ({ stack: index % 2 === 0 ? [slow, main] : [fast, main], values: [1, 0, 2 ** index], time: BigInt(time) * 1_000_000n, labels: index % 3 === 0 ? { route: '/slow' } : {} }))
  await ingest.accept(encodePprof({ ...cpu, samples }).slice(), sender, BATCH)
  const asked = async (start: number, end: number, more: object = {}): Promise<{ total: number; rollup: unknown; infos: readonly string[] }> => {
    const { root, rollup, infos } = await reader.flame({ service: 'shop', type: 'cpu', range: { start, end }, ...more })
    return { total: root.total, rollup, infos }
  }
  const offsets = [0, 1, 150_000, 299_999, 300_000, 300_001]
  for (const from of offsets) {
    for (const to of offsets) {
      const [start, end] = [bucket - 300_000 + from, bucket + 3_900_000 + to]
      const expected = times.reduce((sum, time, index) => sum + (time >= start && time < end ? 2 ** index : 0), 0)
      const sums = await asked(start, end)
      assert.notEqual(sums.rollup, null)
      assert.deepEqual([sums.total, sums.infos], [expected, []], `${from} ${to}`)
      // With an instance nothing but samples can answer.
      assert.deepEqual(await asked(start, end, { instance: 'i' }), { total: expected, rollup: null, infos: [] })
      const ofRoute = times.reduce((sum, time, index) => sum + (index % 3 === 0 && time >= start && time < end ? 2 ** index : 0), 0)
      assert.equal((await asked(start, end, { route: '/slow' })).total, ofRoute)
    }
  }
  // Less than an hour is read from samples alone.
  assert.deepEqual(await asked(bucket, bucket + 3_300_000), { total: 2 + 4 + 8 + 16, rollup: null, infos: [] })
  // A week later, by the server's clock, samples are not relied upon any more.
  await clock.advance(8 * 86_400_000)
  const old = await asked(bucket + 10, bucket + 310_000)
  assert.deepEqual([old.total, old.rollup], [2 + 4 + 8, { start: bucket, end: bucket + 600_000 }])
  assert.match(old.infos.join(), /whole buckets/)
  assert.match((await asked(bucket, bucket + 300_000, { instance: 'i' })).infos.join(), /has expired/)
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
  const { root } = flameOf([{ stack: [fast, fast, main], value: 5 }, { stack: [fast, main], value: 2 }], 1)
  assert.equal(root.total, 7)
  const [under] = root.children.flatMap(({ children }) => children)
  assert.deepEqual([under?.total, under?.self, under?.children[0]?.self], [7, 2, 5])
})

const leaf = (index: number): ProfileFrame => ({ name: `f${index}`, file: '/app/f.ts', line: index })

test('a flame graph is bounded: what is too light is one node under its caller, and no weight is lost', async () => {
  const stacks = Array.from({ length: 25_000 }, (_, index) => ({ stack: [leaf(index), { ...main, line: index % 50 }], value: 30_000 - index }))
  const whole = stacks.reduce((sum, { value }) => sum + value, 0)
  const reader = new ProfileReader({
    sets: () => Promise.resolve([]),
    merged: (_query, limit) => {
      const left = stacks.slice(limit)
      return Promise.resolve({ stacks: stacks.slice(0, limit), other: { stacks: left.length, value: left.reduce((sum, { value }) => sum + value, 0) }, profiles: 1, rollup: null, isExpired: false })
    },
  })
  const query = { service: 'shop', type: 'cpu', range } as const
  const { root, other } = await reader.flame(query)
  const count = (node: FlameNode): number => node.children.reduce((sum, child) => sum + count(child), 1)
  const othersOf = (node: FlameNode): number => (node.name === '(other)' ? node.total : node.children.reduce((sum, child) => sum + othersOf(child), 0))
  const isSummed = (node: FlameNode): boolean => node.total === node.self + node.children.reduce((sum, { total }) => sum + total, 0) && node.children.every(isSummed)
  assert.ok(count(root) <= FLAME_NODES_MAX + 52, `${count(root)} nodes`)
  assert.ok(count(root) > FLAME_NODES_MAX * 0.99, `${count(root)} nodes`)
  assert.deepEqual([root.total, isSummed(root), othersOf(root), other.stacks], [whole, true, other.value, 5000])
  assert.equal(other.nodes, 20_000 + 50 + 1 - (FLAME_NODES_MAX))
  // The heaviest are there by themselves.
  assert.ok(root.children.some(({ children }) => children.some(({ name, total }) => name === 'f0' && total === 30_000)))
  const pprof = await reader.profile(query)
  assert.equal(pprof.samples.reduce((sum, { values: [value = 0] }) => sum + value, 0), whole)
  // Stacks as deep as they can be do not make a tree without bound.
  const deep = Array.from({ length: 1000 }, (_, index) => ({ stack: Array.from({ length: 512 }, (_each, depth) => ({ name: `${index}`, file: '', line: depth })), value: 1000 - (index % 7) }))
  const bounded = flameOf(deep, 1)
  assert.ok(count(bounded.root) <= 2 * FLAME_NODES_MAX + 1)
  assert.equal(bounded.root.total, deep.reduce((sum, { value }) => sum + value, 0))
  assert.ok(isSummed(bounded.root))
})
