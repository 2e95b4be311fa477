import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AndonError } from '@andon/model'
import { FakeClock } from '../runtime/clock.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import { Batcher, type Room } from './batcher.ts'

interface Rig {
  readonly batcher: Batcher<string>
  readonly clock: FakeClock
  readonly own: OwnMetrics
  /** The contents of each insert. */
  readonly inserts: string[][]
  /** What each insert fails with, as long as it is set. */
  failure: Error | undefined
  refusal: AndonError | undefined
  /** What the room was told that there was none for. */
  readonly wanted: number[]
}

function rig(): Rig {
  const [clock, own] = [new FakeClock(), new OwnMetrics()]
  const room: Room = { refusal: () => made.refusal, noteFull: (bytes) => void made.wanted.push(bytes) }
  const store = (contents: readonly string[]): Promise<void> => {
    made.inserts.push([...contents])
    return made.failure === undefined ? Promise.resolve() : Promise.reject(made.failure)
  }
  const made: Rig = { batcher: new Batcher({ signal: 'spans', clock, own, room, limits: { queueBytes: 100, gatherMs: 25, gatherBytes: 50 }, store }), clock, own, inserts: [], failure: undefined, refusal: undefined, wanted: [] }
  return made
}

const refused = (own: OwnMetrics): number => own.render().find(({ name }) => name === 'andon_ingest_disk_full_total')?.samples.reduce((sum, { value }) => sum + value, 0) ?? Number.NaN
const full = (): AndonError => new AndonError('disk_full', 'no room')

test('while the disk has no room nothing is taken', async () => {
  const made = rig()
  made.refusal = full()
  await assert.rejects(made.batcher.accept('a', 10), made.refusal)
  assert.deepEqual([made.inserts, made.batcher.bytes, refused(made.own)], [[], 0, 1])
  made.refusal = undefined
  await made.batcher.accept('a', 10, 'p/1')
  assert.deepEqual(made.inserts, [['a']])
})

test('an insert that found no room fails whole, and the disk is looked at: one by one its requests could be stored in part', async () => {
  const made = rig()
  made.failure = full()
  const both = Promise.allSettled([made.batcher.accept('a', 10), made.batcher.accept('b', 10)])
  await made.clock.advance(25)
  assert.deepEqual((await both).map((each) => each.status === 'rejected' && each.reason === made.failure), [true, true])
  assert.deepEqual([made.inserts, made.wanted, refused(made.own), made.batcher.bytes], [[['a', 'b']], [20], 2, 0])
})

test('of a gathered insert that failed for another reason each request is tried alone', async () => {
  const made = rig()
  made.failure = new Error('broken')
  const both = Promise.allSettled([made.batcher.accept('a', 10), made.batcher.accept('b', 10)])
  await made.clock.advance(25)
  for (const each of await both) assert.equal(each.status === 'rejected' && each.reason instanceof AndonError && each.reason.code, 'unavailable')
  assert.deepEqual([made.inserts, made.wanted], [[['a', 'b'], ['a'], ['b']], []])
})
