// The short form of `npm run soak -- notifications`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CHANNELS, notificationsReport, tortureNotifications } from './notifications.ts'

test('receivers that fail in all ways and processes that are killed: nothing is lost, no end is an orphan', { timeout: 300_000 }, async () => {
  const result = await tortureNotifications({ sequences: 24, atOnce: 12, seed: Math.floor(Math.random() * 2 ** 31) })
  assert.deepEqual(result.faults, [], `seed ${result.seed}`)
  assert.equal(result.sequences, 24)
  assert.ok(result.kills > 0 && result.together > 0, JSON.stringify(result))
  for (const channel of CHANNELS) assert.ok((result.taken[channel] ?? 0) > 0, `${channel}: ${JSON.stringify(result.taken)}`)
  assert.match(notificationsReport(result, 'a machine'), /0 lost, 0 orphan resolves/)
})
