import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readStall, STALL_KINDS, STALL_STACK_MAX, type StallRecord, stallAttributes } from './stall.ts'

const seconds = fc.double({ min: 0, max: 1e6, noNaN: true })

test('a stall survives its event; without a stack there is neither share nor samples (property)', () => {
  const stall = fc.record({ seconds, cpuSeconds: seconds, kind: fc.constantFrom(...STALL_KINDS), stack: fc.string({ minLength: 1, maxLength: 300 }), share: fc.double({ min: 0, max: 1, noNaN: true }), samples: fc.nat(1e9), route: fc.string({ maxLength: 300 }) }, { noNullPrototype: true })
  fc.assert(
    fc.property(stall, fc.boolean(), (given, hasStack) => {
      const sent: StallRecord = hasStack ? given : { ...given, stack: '', share: 0, samples: 0 }
      assert.deepEqual(readStall(stallAttributes(sent)), sent)
    }),
  )
})

test('what anyone may send as such an event is bounded', () => {
  assert.equal(readStall({}), undefined)
  for (const length of [Number.NaN, -1, Infinity, 'long']) assert.equal(readStall({ 'andon.stall.duration': length }), undefined)
  const read = readStall({ 'andon.stall.duration': 1n, 'andon.stall.kind': 'odd', 'code.stacktrace': 'x'.repeat(STALL_STACK_MAX + 1), 'andon.stall.stack_share': 7, 'andon.stall.samples': 1e300, 'http.route': 'y'.repeat(301), 'andon.stall.cpu_time': -4 })
  assert.deepEqual({ ...read, stack: read?.stack.length, route: read?.route.length }, { seconds: 1, cpuSeconds: 0, kind: 'waiting', stack: STALL_STACK_MAX, share: 1, samples: 1e9, route: 300 })
})
