import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc, { type Arbitrary } from 'fast-check'
import { FakeClock } from '../runtime/clock.ts'
import { createLog } from '../runtime/log.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import type { DiskSpace, Partition } from './disk.ts'
import { CHECK_MS, DiskGuard } from './disk-guard.ts'
import { chooseDrops, defaultDisk, type DiskOptions, type DropQuestion, marksOf } from './disk-marks.ts'
import type { TableKind } from './retention.ts'
import type { StateRow, StoredState } from './state.ts'

const GIB = 1024 ** 3
const DAY = 86_400_000
const NOW = Date.UTC(2026, 5, 10, 12)
const TODAY = Date.UTC(2026, 5, 10)

const TABLES: readonly (readonly [table: string, kind: TableKind])[] = [
  ['spans', 'detail'],
  ['profile_samples', 'detail'],
  ['samples', 'raw'],
  ['samples_5m', 'rollup'],
  ['samples_1h', 'hourly'],
  ['series', 'lookup'],
  ['state_log', 'state'],
]
const turnOf = (kind: TableKind): number => ['detail', 'raw'].includes(kind) ? 0 : kind === 'rollup' ? 1 : 2
const sum = (partitions: readonly Partition[]): number => partitions.reduce((all, { bytes }) => all + bytes, 0)
const isToday = ({ newest }: Partition): boolean => newest >= TODAY
const partition = (table: string, daysAgo: number, bytes: number): Partition => {
  const [, kind = 'detail'] = TABLES.find(([name]) => name === table) ?? []
  return { table, kind, id: `d${daysAgo}`, rows: 1, bytes, newest: TODAY - daysAgo * DAY + 3_600_000 }
}

test('marks are a share of a small disk, and a fixed room on a large one', () => {
  assert.deepEqual(marksOf(20 * GIB, defaultDisk), { high: 2 * GIB, low: 2.4 * GIB, reserve: 0.25 * GIB, resume: 0.375 * GIB })
  assert.deepEqual(marksOf(4000 * GIB, defaultDisk), { high: 10 * GIB, low: 12 * GIB, reserve: 0.25 * GIB, resume: 0.375 * GIB })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 50 }), fc.integer({ min: 50, max: 99 }), fc.integer({ min: 1, max: 2 ** 50 }), fc.integer({ min: 1, max: 2 ** 50 }), (total, usedPercent, headroomBytes, reserveBytes) => {
      const { high, low, reserve, resume } = marksOf(total, { usedPercent, headroomBytes, reserveBytes })
      assert.ok(0 < reserve && reserve < resume && resume < high && high < low && low < total, JSON.stringify({ high, low, reserve, resume, total }))
    }),
  )
})

const partitions: Arbitrary<Partition[]> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...TABLES.map(([table]) => table)), fc.integer({ min: 0, max: 8 }), fc.integer({ min: 1, max: 40 })), { maxLength: 40, selector: ([table, daysAgo]) => `${table} ${daysAgo}` })
  .map((chosen) => chosen.map(([table, daysAgo, bytes]) => partition(table, daysAgo, bytes)))
const question: Arbitrary<DropQuestion> = fc.record({
  space: fc.record({ freeBytes: fc.integer({ min: 0, max: 200 }), leavingBytes: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 100 })) }),
  marks: fc.constant({ high: 100, low: 120, reserve: 20, resume: 30 }),
  partitions,
  now: fc.constant(NOW),
  isTight: fc.boolean(),
})

test('what is dropped (property): nothing with enough room; never lookups and state; sums after what they sum up; the oldest first; no more than is needed', () => {
  fc.assert(
    fc.property(question, (asked) => {
      const { space, marks, isTight } = asked
      const free = space.freeBytes + space.leavingBytes
      const chosen = chooseDrops(asked)
      if (free >= (isTight ? marks.low : marks.high)) return assert.deepEqual(chosen, [])
      assert.equal(new Set(chosen).size, chosen.length)
      for (const each of chosen) assert.ok(asked.partitions.includes(each) && each.kind !== 'lookup' && each.kind !== 'state')
      const old = chosen.filter((each) => !isToday(each))
      // The last resort comes last.
      assert.deepEqual(chosen.slice(0, old.length), old)
      for (const [index, each] of old.entries()) {
        const next = old[index + 1]
        if (next !== undefined) assert.ok(turnOf(each.kind) < turnOf(next.kind) || (turnOf(each.kind) === turnOf(next.kind) && each.newest <= next.newest))
      }
      if (old.length > 0) assert.ok(free + sum(old.slice(0, -1)) < marks.low, 'the last one was needed')
      const rawLeft = asked.partitions.filter((each) => turnOf(each.kind) === 0 && each.kind !== 'lookup' && each.kind !== 'state' && !isToday(each) && !chosen.includes(each))
      if (rawLeft.some(({ kind }) => kind === 'detail' || kind === 'raw')) assert.ok(free + sum(old) >= marks.low, 'enough is free while old ones are left')
      if (old.some(({ kind }) => turnOf(kind) > 0)) assert.ok(free + sum(old) >= marks.high, 'sums are dropped only where that helps')
      const resort = chosen.slice(old.length)
      if (resort.length > 0) {
        assert.ok(resort.every(({ kind }) => kind === 'detail'))
        assert.ok(free + sum(old) < marks.reserve && free + sum(chosen) >= marks.resume, 'today only where telemetry would be refused without it')
      }
    }),
    { numRuns: 3000 },
  )
})

const names = (chosen: readonly Partition[]): string[] => chosen.map(({ table, id }) => `${table} ${id}`)

test('days go one after the other, over all tables; rollups only then, and today only at last', () => {
  const marks = { high: 100, low: 120, reserve: 20, resume: 30 }
  const held = [partition('samples', 0, 50), partition('spans', 0, 50), partition('spans', 1, 30), partition('samples', 1, 30), partition('spans', 2, 30), partition('samples_5m', 8, 40), partition('samples_1h', 8, 40), partition('series', 8, 900)]
  const dropped = (freeBytes: number): string[] => names(chooseDrops({ space: { freeBytes, leavingBytes: 0 }, marks, partitions: held, now: NOW, isTight: true }))
  assert.deepEqual(dropped(120), [])
  assert.deepEqual(dropped(95), ['spans d2'])
  assert.deepEqual(dropped(80), ['spans d2', 'samples d1'])
  assert.deepEqual(dropped(10), ['spans d2', 'samples d1', 'spans d1'])
  assert.deepEqual(dropped(5), ['spans d2', 'samples d1', 'spans d1', 'samples_5m d8'])
  assert.deepEqual(names(chooseDrops({ space: { freeBytes: 0, leavingBytes: 0 }, marks, partitions: [partition('samples', 0, 500), partition('spans', 0, 50), partition('profile_samples', 0, 5)], now: NOW, isTight: true })), ['profile_samples d0', 'spans d0'])
})

/** A disk on which others hold something too. */
class FakeDisk {
  readonly totalBytes = 100 * GIB
  others = 0
  held: Partition[] = []
  kept = 0
  readonly expirations: number[] = []
  spaceError: Error | undefined
  dropError: Error | undefined

  get freeBytes(): number {
    return this.totalBytes - this.others - sum(this.held)
  }

  space(): Promise<DiskSpace> {
    if (this.spaceError !== undefined) return Promise.reject(this.spaceError)
    return Promise.resolve({ totalBytes: this.totalBytes, freeBytes: this.freeBytes })
  }

  leaving(): Promise<number> {
    return Promise.resolve(0)
  }

  partitions(): Promise<Partition[]> {
    return Promise.resolve([...this.held])
  }

  drop({ table, id }: Pick<Partition, 'table' | 'id'>): Promise<void> {
    if (this.dropError !== undefined) return Promise.reject(this.dropError)
    this.held = this.held.filter((each) => each.table !== table || each.id !== id)
    return Promise.resolve()
  }

  dropExpired(now: number): Promise<Partition[]> {
    this.expirations.push(now)
    return Promise.resolve([])
  }

  keepFree(bytes: number): void {
    this.kept = bytes
  }
}

/** What is appended comes back, the newest first. */
class FakeState {
  readonly rows: StateRow[] = []

  append(rows: readonly StateRow[]): Promise<number[]> {
    return Promise.resolve(rows.map((row) => this.rows.push({ ...row, doc: JSON.parse(JSON.stringify(row.doc)) as unknown })))
  }

  history(kind: string, key: string, limit: number): Promise<StoredState[]> {
    const found = this.rows.filter((row) => row.kind === kind && row.key === key).map((row, index) => ({ ...row, revision: index + 1, written: 0 }))
    return Promise.resolve(found.toReversed().slice(0, limit))
  }
}

interface Rig {
  readonly disk: FakeDisk
  readonly state: FakeState
  readonly clock: FakeClock
  readonly own: OwnMetrics
  /** Level and message of each line. */
  readonly lines: string[]
  readonly open: (options?: Partial<DiskOptions>) => Promise<DiskGuard>
}

function rig(): Rig {
  const clock = new FakeClock(NOW)
  const [disk, state, own, lines] = [new FakeDisk(), new FakeState(), new OwnMetrics(), new Array<string>()]
  const log = createLog('info', () => clock.now(), (line) => {
    const { level, message } = JSON.parse(line) as { level: string; message: string }
    lines.push(`${level}: ${message}`)
  })
  return { disk, state, clock, own, lines, open: (options = {}) => DiskGuard.open({ disk, state, clock, log, own, options: { ...defaultDisk, ...options } }) }
}

const valueOf = (own: OwnMetrics, name: string): number => own.render().find((family) => family.name === name)?.samples.reduce((all, { value }) => all + value, 0) ?? Number.NaN

test('at the mark the oldest partitions go until the low mark is reached; not before it is passed again', async () => {
  const { disk, clock, own, lines, open, state } = rig()
  disk.held = [partition('spans', 3, 4 * GIB), partition('spans', 2, 4 * GIB), partition('spans', 1, 4 * GIB), partition('spans', 0, 4 * GIB)]
  disk.others = 70 * GIB
  const guard = await open()
  assert.deepEqual([guard.status().state, lines], ['ok', []])
  assert.equal(disk.kept, 128 * 1024 ** 2)
  // 9 GiB are free, below the mark of 10: one partition brings 13, above the low mark of 12.
  disk.others = 75 * GIB
  await clock.advance(CHECK_MS)
  assert.deepEqual(disk.held.map(({ id }) => id), ['d2', 'd1', 'd0'])
  assert.deepEqual(lines, ['warn: the disk is above its high-water mark', 'warn: a partition was dropped for want of room', 'info: the disk has room again'])
  assert.equal(guard.status().state, 'ok')
  // Between the marks nothing happens.
  disk.others = 77.5 * GIB
  await clock.advance(10 * CHECK_MS)
  assert.equal(disk.held.length, 3)
  disk.others = 78.5 * GIB
  await clock.advance(CHECK_MS)
  assert.deepEqual(disk.held.map(({ id }) => id), ['d1', 'd0'])
  assert.deepEqual([valueOf(own, 'andon_disk_dropped_partitions_total'), valueOf(own, 'andon_disk_dropped_bytes_total')], [2, 8 * GIB])
  assert.deepEqual(guard.status().dropped.map(({ table, id, bytes }) => [table, id, bytes]), [['spans', 'd2', 4 * GIB], ['spans', 'd3', 4 * GIB]])
  await guard.stop()
  const again = await DiskGuard.open({ disk, state, clock, log: createLog('error', () => 0, () => undefined), own: new OwnMetrics(), options: defaultDisk })
  assert.deepEqual(again.status().dropped, guard.status().dropped, 'known after a restart')
  disk.others = 91.9 * GIB
  await clock.advance(CHECK_MS)
  assert.equal(disk.held.length, 1, 'only the one that was not stopped looks')
  await again.stop()
})

test('where nothing can be dropped telemetry is refused, until there is room again', async () => {
  const { disk, clock, own, lines, open } = rig()
  disk.held = [partition('samples', 0, GIB), partition('samples_5m', 8, GIB), partition('state_log', 40, GIB)]
  disk.others = 96.9 * GIB
  const guard = await open()
  assert.deepEqual([guard.status().state, guard.refusal()?.code, disk.held.length], ['full', 'disk_full', 3])
  assert.match(guard.refusal()?.message ?? '', /^102 MiB of the server's disk are free, 256 MiB are kept/)
  assert.equal(valueOf(own, 'andon_disk_full'), 1)
  // Above the reserve, and not yet above what ends the refusal.
  disk.others = 96.7 * GIB
  await clock.advance(CHECK_MS)
  assert.equal(guard.refusal()?.status, 503)
  disk.others = 96.5 * GIB
  await clock.advance(CHECK_MS)
  assert.deepEqual([guard.status().state, guard.refusal()], ['tight', undefined])
  disk.others = 80 * GIB
  await clock.advance(CHECK_MS)
  assert.equal(guard.status().state, 'ok')
  assert.deepEqual(lines, ['error: the disk is full: telemetry is refused', 'warn: telemetry is taken again', 'info: the disk has room again'])
  await guard.stop()
})

test('an insert that failed for want of room makes it look at once', async () => {
  const { disk, open } = rig()
  const guard = await open()
  disk.others = 99.9 * GIB
  assert.equal(guard.refusal(), undefined)
  guard.noteFull(1)
  await guard.check()
  assert.equal(guard.refusal()?.code, 'disk_full')
  await guard.stop()
})

test('an insert that does not fit although the mark is not reached makes room for itself, and nothing is dropped for it again', async () => {
  const { disk, clock, open } = rig()
  disk.held = [partition('spans', 3, 4 * GIB), partition('spans', 2, 4 * GIB), partition('spans', 1, 4 * GIB)]
  disk.others = 75 * GIB
  const guard = await open()
  guard.noteFull(7 * GIB)
  await guard.check()
  assert.deepEqual([disk.freeBytes, disk.held.map(({ id }) => id), guard.status().state], [21 * GIB, ['d1'], 'ok'])
  await clock.advance(2 * CHECK_MS)
  assert.equal(disk.held.length, 1)
  await guard.stop()
})

test('who is refused makes it look again, at most once a second', async () => {
  const { disk, clock, open } = rig()
  disk.others = 99.9 * GIB
  const guard = await open()
  disk.others = 0
  await clock.advance(999)
  assert.equal(guard.refusal()?.code, 'disk_full')
  await clock.advance(1)
  assert.equal(guard.refusal()?.code, 'disk_full')
  await guard.check()
  assert.equal(guard.refusal(), undefined)
  await guard.stop()
})

test('told to refuse, it drops nothing', async () => {
  const { disk, clock, open } = rig()
  disk.held = [partition('spans', 3, 4 * GIB)]
  disk.others = 95.9 * GIB
  const guard = await open({ whenFull: 'refuse' })
  await clock.advance(CHECK_MS)
  assert.deepEqual([guard.status().state, guard.status().dropBelowBytes, disk.held.length], ['full', null, 1])
  await guard.stop()
})

test('a drop that fails is told and tried again; a disk that cannot be read is told once', async () => {
  const { disk, clock, lines, open } = rig()
  disk.held = [partition('spans', 3, 4 * GIB), partition('spans', 2, 4 * GIB)]
  disk.others = 84 * GIB
  disk.dropError = new Error('busy')
  const guard = await open()
  await clock.advance(CHECK_MS)
  assert.deepEqual(lines.slice(1), ['error: a partition could not be dropped', 'error: a partition could not be dropped'])
  disk.dropError = undefined
  await clock.advance(CHECK_MS)
  assert.deepEqual(disk.held.map(({ id }) => id), ['d2'])
  disk.spaceError = new Error('no answer')
  lines.length = 0
  await clock.advance(5 * CHECK_MS)
  assert.deepEqual(lines, ['error: the disk could not be looked at'])
  assert.equal(guard.status().state, 'ok')
  await guard.stop()
})

test('what has expired is dropped once an hour', async () => {
  const { disk, clock, open } = rig()
  const guard = await open()
  await clock.advance(3 * 3_600_000 + CHECK_MS)
  assert.equal(disk.expirations.length, 3)
  await guard.stop()
})

test('notes of drops that are not understood are left out', async () => {
  const { state, open } = rig()
  for (const doc of [null, 'x', { table: 1 }, { table: 'spans', id: '20260601', time: 'now', rows: 1, bytes: 1, newest: 1 }]) {
    await state.append([{ kind: 'partition-dropped', key: 'disk', state: 'dropped', service: '', severity: '', actor: '', doc }])
  }
  const guard = await open()
  assert.deepEqual(guard.status().dropped, [])
  await guard.stop()
})
