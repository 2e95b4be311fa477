import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastify, { type FastifyInstance } from 'fastify'
import type { ServiceCoverage } from '../query/coverage.ts'
import { FakeClock } from '../runtime/clock.ts'
import { registerCoverage } from './coverage.ts'

/** Each read takes until it is answered by hand. */
function bench(): { app: FastifyInstance; clock: FakeClock; reads: (string | undefined)[]; answer: (coverage: ServiceCoverage[] | Error) => void } {
  const clock = new FakeClock()
  const app = fastify()
  const reads: (string | undefined)[] = []
  const waiting: { resolve: (coverage: ServiceCoverage[]) => void; reject: (error: Error) => void }[] = []
  registerCoverage(app, { clock, coverage: { read: (_range, service) => new Promise((resolve, reject) => {
    reads.push(service)
    waiting.push({ resolve, reject })
  }) } })
  const answer = (coverage: ServiceCoverage[] | Error): void => {
    const next = waiting.shift()
    if (coverage instanceof Error) next?.reject(coverage)
    else next?.resolve(coverage)
  }
  return { app, clock, reads, answer }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function asked({ reads }: { readonly reads: readonly unknown[] }, count: number): Promise<void> {
  while (reads.length < count) await turn()
}

test('what took a second to read is read again after nine more, for each question; those who wait share one read', async () => {
  const it = bench()
  const ask = (service: string): Promise<{ statusCode: number; body: string }> => it.app.inject(`/api/coverage?service=${service}`)
  const both = [ask('a'), ask('a')]
  await asked(it, 1)
  await it.clock.advance(1000)
  it.answer([])
  const [first, second] = await Promise.all(both)
  assert.deepEqual([first?.statusCode, first?.body], [200, second?.body])
  await it.clock.advance(8999)
  assert.equal((await ask('a')).body, first?.body)
  assert.deepEqual(it.reads, ['a'])
  const other = ask('b')
  await asked(it, 2)
  it.answer([])
  await other
  await it.clock.advance(1)
  const again = ask('a')
  await asked(it, 3)
  it.answer([])
  assert.notEqual((await again).body, first?.body)
  assert.deepEqual(it.reads, ['a', 'b', 'a'])
})

test('a failure is not held; a wrong range is refused before anything is read', async () => {
  const it = bench()
  const failing = it.app.inject('/api/coverage')
  await asked(it, 1)
  await it.clock.advance(1000)
  it.answer(new Error('no disk'))
  assert.equal((await failing).statusCode, 500)
  const again = it.app.inject('/api/coverage')
  await asked(it, 2)
  it.answer([])
  assert.equal((await again).statusCode, 200)
  assert.notEqual((await it.app.inject('/api/coverage?from=yesterday')).statusCode, 200)
  assert.equal(it.reads.length, 2)
})
