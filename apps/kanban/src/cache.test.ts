import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { test } from 'node:test'
import { ReadCache } from './cache.ts'

const metrics = { recordCacheHit: (): void => undefined }

test('what was read is held until its time is over or its board changes', async () => {
  let now = 0
  let reads = 0
  const cache = new ReadCache<number>(metrics, 100, () => now)
  const get = (board: string): Promise<number> => cache.get('task', board, 'k', async () => ++reads)
  assert.deepEqual([await get('a'), await get('a'), await get('b')], [1, 1, 2])
  cache.forget('a')
  assert.deepEqual([await get('a'), await get('b')], [3, 2])
  now = 100
  assert.deepEqual([await get('a'), await get('b')], [4, 5])
})

test('a change during a read is not covered by what the read began with', async () => {
  const cache = new ReadCache<string>(metrics)
  const gate = new EventEmitter()
  const early = cache.get('task', 'a', 'k', async () => {
    await once(gate, 'open')
    return 'before the change'
  })
  cache.forget('a')
  gate.emit('open')
  assert.equal(await early, 'before the change')
  assert.equal(await cache.get('task', 'a', 'k', async () => 'after the change'), 'after the change')
})
