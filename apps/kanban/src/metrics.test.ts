import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReadCache } from './cache.ts'
import { taskCountTier } from './metrics.ts'

test('boards are small, medium, large or xlarge by their cards', () => {
  assert.deepEqual([0, 9, 10, 49, 50, 199, 200].map(taskCountTier), ['small', 'small', 'medium', 'medium', 'large', 'large', 'xlarge'])
})

test('the cache tells hits from misses, forgets what is old, and forgets a board that changed', async () => {
  const told: [string, boolean][] = []
  let now = 0
  let reads = 0
  const cache = new ReadCache<number>({ recordCacheHit: (type, hit) => told.push([type, hit]) }, 1000, () => now)
  const read = (board: string): Promise<number> => cache.get('board', board, '', () => Promise.resolve((reads += 1)))
  assert.deepEqual([await read('a'), await read('a'), await read('b')], [1, 1, 2])
  cache.forget('a')
  assert.equal(await read('a'), 3)
  now = 1001
  assert.equal(await read('b'), 4)
  assert.deepEqual(told.map(([, hit]) => hit), [false, true, false, false, false])
})
