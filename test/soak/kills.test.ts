// The short form of `npm run soak -- kills`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killServer, killsReport } from './kills.ts'

test('killed under ingest, again and again: what was acknowledged is there exactly once, in raw tables and rollups', { timeout: 300_000 }, async () => {
  const result = await killServer({ rounds: 4 })
  assert.deepEqual(result.faults, [])
  assert.equal(result.rounds.length, 4)
  assert.ok(result.acknowledged.numberedSpans > 0 && result.acknowledged.plainMetrics > 0, JSON.stringify(result.acknowledged))
  assert.match(killsReport(result, 'a machine'), /exactly once after each kill/)
})
