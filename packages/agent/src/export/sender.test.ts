import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer } from './client.ts'
import { Flushes } from './flushes.ts'
import { Sender, type SenderOptions } from './sender.ts'

const answer = (outcome: Answer['outcome']): Promise<Answer> => Promise.resolve({ outcome, retryAfterMs: undefined, reason: '' })

interface Made {
  readonly sender: Sender
  readonly queue: string[]
  readonly sent: string[]
}

function make(given: Partial<SenderOptions> = {}): Made {
  const queue: string[] = []
  const sent: string[] = []
  let sequence = 0
  const sender = new Sender({
    client: {
      post: async (_path, body) => {
        sent.push(Buffer.from(body).toString())
        return await answer('taken')
      },
      taken: () => 0,
    },
    path: '/',
    next: () => {
      const text = queue.shift()
      return text === undefined ? undefined : { body: Buffer.from(text), items: 1 }
    },
    now: () => 0,
    sleep: () => new Promise(setImmediate),
    sequence: () => (sequence += 1),
    failed: () => undefined,
    ...given,
  })
  return { sender, queue, sent }
}

test('what comes in the turn in which a run ends without anything left is sent', async () => {
  const { sender, queue, sent } = make()
  sender.start()
  assert.ok(!sender.busy)
  queue.push('first')
  sender.start()
  assert.ok(sender.busy)
  await sender.drain()
  queue.push('second')
  sender.start()
  await sender.drain()
  assert.deepEqual(sent, ['first', 'second'])
  assert.ok(!sender.busy)
})

test('a batch that cannot be made is a failure, not an error of the host, and the next one is sent', async () => {
  let calls = 0
  const { sender, sent } = make({
    next: () => {
      calls += 1
      if (calls === 1) throw new Error('cannot be encoded')
      return calls === 2 ? { body: Buffer.from('next'), items: 1 } : undefined
    },
  })
  sender.start()
  assert.deepEqual([sender.failures, sender.busy], [1, false])
  await sender.drain()
  assert.deepEqual(sent, ['next'])
})

test('a batch is known as unanswered under its number until it is taken or refused', async () => {
  const outcomes: Answer['outcome'][] = ['again', 'again', 'refused', 'taken']
  const numbers: string[] = []
  const seen: (string | undefined)[] = []
  const { sender, queue } = make({
    client: {
      post: async (_path, _body, number) => {
        numbers.push(number)
        seen.push(sender.unanswered?.batch)
        return await answer(outcomes.shift() ?? 'taken')
      },
      taken: () => 0,
    },
  })
  queue.push('a', 'b')
  await sender.drain()
  assert.equal(sender.unanswered, undefined)
  assert.deepEqual(seen, numbers)
  assert.deepEqual([new Set(numbers.slice(0, 3)).size, new Set(numbers).size], [1, 2])
  assert.deepEqual([sender.refused, sender.failures], [1, 3])
})

test('after its stop nothing is sent any more, also not what is under way', async () => {
  let attempts = 0
  const { sender, queue } = make({
    client: {
      post: async () => {
        attempts += 1
        return await answer('again')
      },
      taken: () => 0,
    },
    sleep: () => {
      sender.stop()
      return Promise.resolve()
    },
  })
  queue.push('a', 'b')
  await sender.drain()
  await sender.drain()
  assert.deepEqual([attempts, sender.busy, queue], [1, false, ['b']])
})

/** A server that fails as it is told, on a clock that only waiting moves. */
function failing(fails: (text: string, nowMs: number) => boolean, takesOthers: (nowMs: number) => boolean): Made & { readonly attempts: string[]; readonly elapsedMs: () => number } {
  let now = 0
  let others = 0
  const attempts: string[] = []
  const made = make({
    client: {
      post: async (_path, body, number) => {
        const text = Buffer.from(body).toString()
        attempts.push(`${text} ${number.split('/')[1] ?? ''}`)
        const isFailed = fails(text, now)
        if (!isFailed) made.sent.push(text)
        return await answer(isFailed ? 'failed' : 'taken')
      },
      taken: () => others,
    },
    now: () => now,
    sleep: async (ms) => {
      now += ms
      if (takesOthers(now)) others += 1
      await new Promise(setImmediate)
    },
  })
  return { ...made, attempts, elapsedMs: () => now }
}

const MINUTE = 60_000

test('a batch at which the server fails again and again, while it takes others, is given up after five minutes and counted; those behind it are sent', async () => {
  const { sender, queue, sent, attempts, elapsedMs } = failing((text) => text === 'poison', () => true)
  queue.push('first', 'poison', 'second', 'third')
  await sender.drain()
  assert.deepEqual(sent, ['first', 'second', 'third'])
  assert.deepEqual([sender.refused, sender.unanswered, sender.busy], [1, undefined, false])
  assert.equal(new Set(attempts.filter((each) => each.startsWith('poison'))).size, 1)
  assert.ok(sender.failures >= 5)
  assert.ok(elapsedMs() >= 5 * MINUTE && elapsedMs() < 6 * MINUTE, `${elapsedMs()} ms`)
})

test('an outage in which the server fails at everything loses nothing, nor does a short one of a single signal', async () => {
  for (const { lastsMs, takesOthers } of [
    { lastsMs: 40 * MINUTE, takesOthers: () => false },
    { lastsMs: 4 * MINUTE, takesOthers: () => true },
    // What was taken before the outage says nothing of the batch.
    { lastsMs: 40 * MINUTE, takesOthers: (now: number) => now < 2 * MINUTE },
  ]) {
    const { sender, queue, sent } = failing((_text, now) => now < lastsMs, takesOthers)
    queue.push('a', 'b', 'c')
    await sender.drain()
    assert.deepEqual([sent, sender.refused], [['a', 'b', 'c'], 0])
  }
})

test('where there are no others to be taken, a batch is given up after an hour', async () => {
  const { sender, queue, sent, elapsedMs } = failing((text) => text === 'poison', () => false)
  queue.push('poison', 'next')
  await sender.drain()
  assert.deepEqual([sent, sender.refused], [['next'], 1])
  assert.ok(elapsedMs() >= 60 * MINUTE && elapsedMs() < 61 * MINUTE, `${elapsedMs()} ms`)
})

test('flushes at a server that never answers: each ends at its deadline or at the first failure, and none is remembered', async () => {
  let drains = 0
  const flushes = new Flushes(() => {
    drains += 1
    return new Promise(() => undefined)
  })
  for (let round = 0; round < 50; round += 1) await flushes.wait(1, false)
  assert.deepEqual([drains, flushes.waiting], [1, 0])
  const given = flushes.wait(60_000, true)
  flushes.failed()
  await given
  assert.equal(flushes.waiting, 0)
})

test('a flush that comes while another is under way waits for a drain that began after it', async () => {
  const ends: (() => void)[] = []
  const flushes = new Flushes(() => new Promise<void>((resolve) => ends.push(resolve)))
  const settled: string[] = []
  const first = flushes.wait(60_000, false).then(() => settled.push('first'))
  const others = ['second', 'third'].map((name) => flushes.wait(60_000, false).then(() => settled.push(name)))
  ends.shift()?.()
  await first
  assert.deepEqual(settled, ['first'])
  assert.equal(ends.length, 1)
  ends.shift()?.()
  await Promise.all(others)
  assert.deepEqual([settled, ends.length], [['first', 'second', 'third'], 0])
})
