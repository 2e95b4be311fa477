import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EdgeRecord } from '@andon/model'
import { NeighbourReader } from './neighbours.ts'

function record(client: string, server: string, more: Partial<EdgeRecord> = {}): EdgeRecord {
  return { client, server, peer: `${server}:80`, kind: 'service', env: '', minute: 0, calls: 1, errors: 0, unseenErrors: 0, seconds: 0.01, buckets: new Map(), serverCalls: 0, serverSeconds: 0, serverBuckets: new Map(), ...more }
}

test('neighbours and callees of a service: by name and behind an address, without itself and those that only take messages; read once a minute', async () => {
  let now = 7_200_000
  let isDown = false
  const ranges: unknown[] = []
  const reader = new NeighbourReader(
    {
      read: ({ range }) => {
        ranges.push(range)
        return isDown
          ? Promise.reject(new Error('no store'))
          : Promise.resolve([record('web', 'shop'), record('web', 'web'), record('web', '', { peer: 'bank:80' }), record('shop', 'postgresql', { kind: 'database' }), record('shop', 'orders', { kind: 'queue' }), record('orders', 'mailer', { kind: 'consumer' })])
      },
      named: () => Promise.resolve([{ client: 'web', peer: 'bank:80', env: '', server: 'bank', calls: 1 }]),
    },
    { now: () => now },
  )
  const calledBy = async (service: string): Promise<string[]> => [...(await reader.calledBy(service))].toSorted()
  assert.deepEqual([await calledBy('web'), await calledBy('shop'), await calledBy('orders'), await calledBy('nobody')], [['bank', 'shop'], ['orders', 'postgresql'], [], []])
  assert.deepEqual([...(await reader.of('orders'))].toSorted(), ['mailer', 'shop'])
  assert.deepEqual(ranges, [{ start: now - 3_600_000, end: now }])
  now += 60_000
  isDown = true
  await assert.rejects(reader.calledBy('web'), /no store/)
  isDown = false
  assert.deepEqual(await calledBy('web'), ['bank', 'shop'])
  assert.equal(ranges.length, 3)
})
