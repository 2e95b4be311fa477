import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AndonError } from '@andon/model'
import { FakeClock } from '../runtime/clock.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import type { WriteOptions } from '../store/spans.ts'
import { Batcher } from './batcher.ts'

const PROCESS = 'ab'.repeat(16)
const number = (sequence: number, process = PROCESS): string => `${process}/${sequence}`

interface Insert {
  readonly contents: readonly string[]
  readonly options: WriteOptions
}

interface Setting {
  readonly clock: FakeClock
  readonly batcher: Batcher<string>
  readonly inserts: Insert[]
  readonly own: OwnMetrics
}

function setting(store: (insert: Insert) => Promise<void> = () => Promise.resolve(), queueBytes = 1000): Setting {
  const clock = new FakeClock()
  const inserts: Insert[] = []
  const own = new OwnMetrics()
  const batcher = new Batcher<string>({
    signal: 'test',
    clock,
    own,
    limits: { gatherMs: 25, gatherBytes: 100, queueBytes },
    store: async (contents, options) => {
      inserts.push({ contents, options })
      await store({ contents, options })
    },
  })
  return { clock, batcher, inserts, own }
}

const texts = ({ inserts }: Setting): string[] => inserts.map(({ contents }) => contents.join('+'))

/** Lets what was promised settle. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

test('requests without a number are gathered for 25 ms, or until there is 1 part of the limit too much', async () => {
  const one = setting()
  const first = one.batcher.accept('a', 10)
  await one.clock.advance(10)
  const second = one.batcher.accept('b', 10)
  await one.clock.advance(14)
  assert.deepEqual(texts(one), [])
  await one.clock.advance(1)
  await Promise.all([first, second])
  assert.deepEqual(texts(one), ['a+b'])
  const many = ['c', 'd', 'e'].map((content) => one.batcher.accept(content, 60))
  await settled()
  assert.deepEqual(texts(one), ['a+b'], 'the first of them waits')
  await one.clock.advance(25)
  await Promise.all(many)
  assert.deepEqual(texts(one), ['a+b', 'c', 'd', 'e'], 'two of them are more than is gathered')
})

test('what has gathered while an insert was under way does not wait again', async () => {
  const releases: (() => void)[] = []
  const one = setting(({ contents }) => (contents[0] === 'slow' ? new Promise((resolve) => void releases.push(resolve)) : Promise.resolve()))
  const slow = one.batcher.accept('slow', 100)
  await settled()
  const others = ['a', 'b'].map((content) => one.batcher.accept(content, 10))
  await one.clock.advance(30)
  releases.shift()?.()
  await Promise.all([slow, ...others])
  assert.deepEqual(texts(one), ['slow', 'a+b'])
  await one.batcher.drained()
  assert.equal(one.batcher.bytes, 0)
})

test('a numbered batch is an insert of its own under its number, at once', async () => {
  const one = setting()
  await one.batcher.accept('a', 10, number(1))
  await one.batcher.accept('b', 10, number(2))
  assert.deepEqual(one.inserts.map(({ contents, options }) => [contents, options.batch]), [[['a'], number(1)], [['b'], number(2)]])
})

test('a number that comes again is answered without another insert: while it is stored, and when it is', async () => {
  const releases: (() => void)[] = []
  const one = setting(() => new Promise((resolve) => void releases.push(resolve)))
  const twice = [one.batcher.accept('a', 10, number(1)), one.batcher.accept('a', 10, number(1))]
  await settled()
  releases.shift()?.()
  await Promise.all(twice)
  await one.batcher.accept('a', 10, number(1))
  assert.deepEqual(texts(one), ['a'])
})

test('a number that was not stored is tried again', async () => {
  let fails = true
  const one = setting(() => (fails ? Promise.reject(new Error('disk')) : Promise.resolve()))
  const both = [one.batcher.accept('a', 10, number(1)), one.batcher.accept('a', 10, number(1))]
  for (const each of await Promise.allSettled(both)) assert.equal(each.status, 'rejected')
  fails = false
  await one.batcher.accept('a', 10, number(1))
  assert.deepEqual(texts(one), ['a', 'a'])
})

test('of gathered requests each is inserted again alone when one fails, without the tables that hold it already', async () => {
  const one = setting(({ contents, options }) => {
    if (options.done?.has('first') !== true) options.done?.add('first')
    return contents.includes('bad') ? Promise.reject(new Error('no')) : Promise.resolve()
  })
  const results = Promise.allSettled(['a', 'bad', 'b'].map((content) => one.batcher.accept(content, 10)))
  await one.clock.advance(25)
  const [a, bad, b] = await results
  assert.deepEqual([a?.status, bad?.status, b?.status], ['fulfilled', 'rejected', 'fulfilled'])
  assert.ok(bad?.status === 'rejected' && bad.reason instanceof AndonError && bad.reason.code === 'unavailable')
  assert.deepEqual(texts(one), ['a+bad+b', 'a', 'bad', 'b'])
  for (const { options } of one.inserts.slice(1)) assert.ok(options.done?.has('first'))
})

test('when the store is away as a whole, each request is told so after one attempt; what never can be stored is told, too', async () => {
  let problem = new AndonError('unavailable', 'closing')
  const one = setting(() => Promise.reject(problem))
  const results = ['a', 'b'].map((content) => one.batcher.accept(content, 10))
  const all = Promise.allSettled(results)
  await one.clock.advance(25)
  for (const each of await all) assert.ok(each.status === 'rejected' && each.reason === problem)
  assert.deepEqual(texts(one), ['a+b'])
  problem = new AndonError('bad_body', 'cannot be read')
  await assert.rejects(one.batcher.accept('c', 10, number(1)), { code: 'bad_body' })
  problem = new AndonError('query_failed', 'the previous points could not be read')
  await assert.rejects(one.batcher.accept('d', 10, number(2)), { code: 'unavailable' })
})

test('a full queue refuses and counts; what is alone is taken whatever its size', async () => {
  const releases: (() => void)[] = []
  const one = setting(() => new Promise((resolve) => void releases.push(resolve)), 100)
  const first = one.batcher.accept('first', 500, number(1))
  await settled()
  const second = one.batcher.accept('second', 50, number(2))
  await assert.rejects(one.batcher.accept('third', 10, number(3)), { code: 'overloaded', status: 429 })
  assert.match(JSON.stringify(one.own.render()), /"andon_ingest_overloaded_total","labels":\{"signal":"test"\},"value":1/)
  releases.shift()?.()
  await first
  await settled()
  releases.shift()?.()
  await second
  const again = one.batcher.accept('third', 10, number(3))
  await settled()
  releases.shift()?.()
  await again
  assert.deepEqual(texts(one), ['first', 'second', 'third'], 'one that was refused is not taken for stored')
})

/** Sends so many batches of a process one after another, in no time. */
async function busy(one: Setting, count: number): Promise<void> {
  for (let sequence = 1; sequence <= count; sequence += 1) await one.batcher.accept(`b${sequence}`, 1, number(sequence))
}

test('beyond 20 numbered batches a second they are gathered, and known again by their numbers', async () => {
  const one = setting()
  const processes = ['1', '2', '3'].map((digit) => digit.repeat(32))
  for (const process of processes) await one.batcher.accept('before', 1, number(1, process))
  await busy(one, 17)
  const alone = one.inserts.length
  const gathered = processes.map((process, index) => one.batcher.accept(`p${index}`, 1, number(2, process)))
  const repeated = one.batcher.accept('p0', 1, number(2, processes[0]))
  await one.clock.advance(25)
  await Promise.all([...gathered, repeated])
  assert.deepEqual(texts(one).slice(alone), ['p0+p1+p2'])
  assert.equal(one.inserts.at(-1)?.options.batch, undefined)
  await one.batcher.accept('p1', 1, number(2, processes[1]))
  assert.equal(one.inserts.length, alone + 1, 'answered from memory')
  await one.clock.advance(1000)
  await one.batcher.accept('calm', 1, number(3, processes[0]))
  assert.equal(one.inserts.at(-1)?.options.batch, number(3, processes[0]), 'a second later each is alone again')
})

test('what an earlier life of the server may have stored is never gathered: it is told by its number in the tables', async () => {
  const one = setting()
  await busy(one, 20)
  // A process of which nothing was stored in this life may repeat what the one before has stored and not answered.
  await one.batcher.accept('unknown', 1, number(7, 'c'.repeat(32)))
  assert.equal(one.inserts.at(-1)?.options.batch, number(7, 'c'.repeat(32)))
  const next = one.batcher.accept('next', 1, number(8, 'c'.repeat(32)))
  const early = one.batcher.accept('early', 1, number(5, 'c'.repeat(32)))
  await one.clock.advance(25)
  await Promise.all([next, early])
  assert.equal(one.inserts.at(-1)?.options.batch, number(5, 'c'.repeat(32)))
})

test('a gathered insert that fails puts each numbered batch in alone, under its number', async () => {
  const one = setting(({ contents }) => (contents.length > 1 || contents[0] === 'bad' ? Promise.reject(new Error('no')) : Promise.resolve()))
  const other = 'd'.repeat(32)
  await one.batcher.accept('before', 1, number(1, other))
  await busy(one, 19)
  const results = Promise.allSettled([one.batcher.accept('good', 1, number(2, other)), one.batcher.accept('bad', 1, number(22))])
  await one.clock.advance(25)
  assert.deepEqual((await results).map(({ status }) => status), ['fulfilled', 'rejected'])
  assert.deepEqual(one.inserts.slice(-2).map(({ contents, options }) => [contents.join(), options.batch]), [['good', number(2, other)], ['bad', number(22)]])
})
