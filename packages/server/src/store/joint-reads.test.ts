import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { test } from 'node:test'
import type { TimeRange } from '@andon/model'
import fc from 'fast-check'
import { JointReads } from './joint-reads.ts'

/** Points at whole minutes: an answer holds those that were asked for. */
const timesIn = ({ start, end }: TimeRange): number[] => {
  const times: number[] = []
  for (let time = Math.ceil(start / 60_000) * 60_000; time <= end; time += 60_000) times.push(time)
  return times
}

interface Read {
  readonly ids: readonly bigint[]
  readonly range: TimeRange
}

function joint(): { readonly reads: Read[]; readonly points: JointReads<readonly number[]>; hold: Promise<void> | undefined } {
  const reads: Read[] = []
  const made = {
    reads,
    hold: undefined as Promise<void> | undefined,
    points: new JointReads<readonly number[]>({
      weight: 1,
      read: async (ids, range) => {
        reads.push({ ids, range })
        await made.hold
        return new Map(ids.map((id) => [id, timesIn(range)]))
      },
    }),
  }
  return made
}

const HOUR = 3_600_000

test('what is asked for in one turn is one read, of all series and the whole of the ranges', async () => {
  const { reads, points } = joint()
  await Promise.all([points.read([1n, 2n], { start: HOUR, end: 2 * HOUR }), points.read([2n, 3n], { start: HOUR + 600_000, end: 2 * HOUR + 15_000 })])
  assert.deepEqual(reads, [{ ids: [1n, 2n, 3n], range: { start: HOUR, end: 2 * HOUR + 15_000 } }])
})

test('what is asked for while a read is under way waits, and is one read after it', async () => {
  const made = joint()
  const gate = new EventEmitter()
  made.hold = once(gate, 'open').then(() => undefined)
  const first = made.points.read([1n], { start: 0, end: HOUR })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(made.reads.length, 1)
  const later = [made.points.read([1n], { start: 0, end: HOUR }), made.points.read([2n], { start: 0, end: HOUR })]
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(made.reads.length, 1)
  gate.emit('open')
  await Promise.all([first, ...later])
  assert.deepEqual(made.reads.map(({ ids }) => ids), [[1n], [1n, 2n]])
})

test('ranges that lie far apart are not joined: the time between them would be read for nothing', async () => {
  const { reads, points } = joint()
  const many = Array.from({ length: 50 }, (_, index) => BigInt(index))
  await Promise.all([points.read(many, { start: 0, end: HOUR }), points.read(many, { start: 2000 * HOUR, end: 2001 * HOUR })])
  assert.equal(reads.length, 2)
})

test('a read that fails fails all that wait for it, and none after it', async () => {
  let left = 1
  const points = new JointReads<readonly number[]>({
    weight: 1,
    read: async (ids) => {
      left -= 1
      if (left >= 0) throw new Error('away')
      return await Promise.resolve(new Map(ids.map((id) => [id, []])))
    },
  })
  const range = { start: 0, end: 1 }
  assert.deepEqual((await Promise.allSettled([points.read([1n], range), points.read([2n], range)])).map(({ status }) => status), ['rejected', 'rejected'])
  assert.deepEqual([...(await points.read([1n], range)).keys()], [1n])
})

test('only small reads are joined', () => {
  const { points } = joint()
  assert.equal(points.isSmall(100, { start: 0, end: HOUR }), false)
  assert.equal(points.isSmall(50, { start: 0, end: HOUR }), true)
  assert.equal(points.isSmall(2001, { start: 0, end: 1 }), false)
})

test('each answer holds what was asked for, whatever it was joined with', async () => {
  const asked = fc.record({ ids: fc.uniqueArray(fc.bigInt(0n, 30n), { minLength: 1, maxLength: 8 }), start: fc.integer({ min: 0, max: 200 }), length: fc.integer({ min: 0, max: 50 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(asked, { maxLength: 20 }), async (all) => {
      const { reads, points } = joint()
      await Promise.all(
        all.map(async ({ ids, start, length }) => {
          const range = { start: start * HOUR, end: (start + length) * HOUR }
          const found = await points.read(ids, range)
          for (const id of ids) {
            const own = new Set(found.get(id))
            assert.ok(timesIn(range).every((time) => own.has(time)))
          }
        }),
      )
      assert.ok(reads.length <= all.length)
    }),
  )
})
