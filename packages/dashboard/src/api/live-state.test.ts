import assert from 'node:assert/strict'
import { test } from 'node:test'
import { INITIAL_LIVE_STATE, type LiveEffect, type LiveEvent, liveMode, type LiveState, MOST_PATHS, retryDelay, stepLive } from './live-state.ts'

function run(...events: readonly LiveEvent[]): { state: LiveState; effects: LiveEffect[] } {
  let state = INITIAL_LIVE_STATE
  const effects: LiveEffect[] = []
  for (const event of events) {
    const [next, todo] = stepLive(state, event)
    state = next
    effects.push(...todo)
  }
  return { state, effects }
}

const want = (path: string): LiveEvent => ({ kind: 'want', path })
const unwant = (path: string): LiveEvent => ({ kind: 'unwant', path })
const hello: LiveEvent = { kind: 'hello', streamId: 's1' }

test('the first wish opens the stream, and hello announces every wish once', () => {
  const { state, effects } = run(want('/a'), want('/b'), want('/a'), hello)
  assert.deepEqual(effects, [{ kind: 'open' }, { kind: 'announce', streamId: 's1', subscribe: ['/a', '/b'], unsubscribe: [] }])
  assert.equal(state.phase, 'open')
})

test('a change waits for the announcement on its way, then is told as one difference', () => {
  const { effects } = run(want('/a'), hello, want('/b'), unwant('/a'), want('/c'), { kind: 'announced' })
  assert.deepEqual(effects.slice(2), [{ kind: 'announce', streamId: 's1', subscribe: ['/b', '/c'], unsubscribe: ['/a'] }])
})

test('the last wish gone closes the stream', () => {
  const { state, effects } = run(want('/a'), hello, unwant('/a'))
  assert.deepEqual(effects.at(-1), { kind: 'close' })
  assert.equal(state, INITIAL_LIVE_STATE)
})

test('after a failure everything is announced again on the new stream', () => {
  const { state, effects } = run(want('/a'), hello, { kind: 'announced' }, { kind: 'failed' }, { kind: 'retry' }, { kind: 'hello', streamId: 's2' })
  assert.deepEqual(effects.slice(2), [
    { kind: 'close' },
    { kind: 'wait', delay: 500 },
    { kind: 'open' },
    { kind: 'announce', streamId: 's2', subscribe: ['/a'], unsubscribe: [] },
  ])
  assert.equal(state.attempt, 0)
})

test('failures wait longer each time, up to half a minute; a second report of one failure changes nothing', () => {
  const { state, effects } = run(want('/a'), { kind: 'failed' }, { kind: 'failed' }, { kind: 'retry' }, { kind: 'failed' })
  assert.deepEqual(
    effects.filter((effect) => effect.kind === 'wait').map((effect) => effect.delay),
    [500, 1000],
  )
  assert.equal(state.attempt, 2)
  assert.equal(retryDelay(50), 30_000)
})

test('a late hello of a closed stream closes it', () => {
  const { state, effects } = run(want('/a'), unwant('/a'), hello)
  assert.deepEqual(effects, [{ kind: 'open' }, { kind: 'close' }, { kind: 'close' }])
  assert.equal(state.phase, 'idle')
})

test('no more paths are announced than the server takes', () => {
  const wishes = Array.from({ length: MOST_PATHS + 5 }, (_, index) => want(`/${index}`))
  const { effects } = run(...wishes, hello)
  const announced = effects.at(-1)
  assert.ok(announced?.kind === 'announce')
  assert.equal(announced.subscribe.length, MOST_PATHS)
})

test('the indicator names the worst that is true', () => {
  const calm = { moving: true, pausedByUser: false, phase: 'open', streaming: true, reachable: true, age: 1000 } as const
  assert.equal(liveMode(calm), 'live')
  assert.equal(liveMode({ ...calm, reachable: false, moving: false }), 'offline')
  assert.equal(liveMode({ ...calm, moving: false }), 'fixed')
  assert.equal(liveMode({ ...calm, pausedByUser: true }), 'paused')
  assert.equal(liveMode({ ...calm, age: 31_000 }), 'stale')
  assert.equal(liveMode({ ...calm, streaming: false }), 'polling')
  assert.equal(liveMode({ ...calm, phase: 'waiting' }), 'connecting')
  assert.equal(liveMode({ ...calm, phase: 'idle', age: 99_000 }), 'still')
})
