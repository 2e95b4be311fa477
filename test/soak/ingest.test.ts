// The short form of `npm run soak -- ingest`: some seconds of spans and samples, after which all is stored and the heap is what it was.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flatnessOf, ingestReport, settledHeld } from './ingest-report.ts'
import { type Held, soakIngest } from './ingest.ts'

const MIB = 2 ** 20
/** What the heap may lie higher in a later third than in the middle one: garbage that was not collected in between. */
const ALLOWED = 64 * MIB

const least = (held: readonly Held[]): number => Math.min(...held.map(({ heapBytes }) => heapBytes))

test('ingest at half of the top rate: what was acknowledged is stored, and the heap does not grow', { timeout: 300_000 }, async () => {
  const result = await soakIngest({ minutes: 0.2, searchMs: 2000, share: 0.5, samples: 12 })
  const { held, acknowledged, stored, sent } = result
  assert.equal(stored.spans, acknowledged.spans)
  // And the series target_info of each resource.
  // Rules that Andon brings with it write some of their own.
  assert.ok(stored.samples >= acknowledged.samples && stored.samples <= acknowledged.samples * 1.02 + 3000, `${stored.samples} of ${acknowledged.samples} samples`)
  assert.ok(sent.spans > 0 && sent.samples > 0, JSON.stringify(sent))
  const third = Math.floor(held.length / 3)
  const grown = least(held.slice(-third)) - least(held.slice(third, -third))
  assert.ok(grown < ALLOWED, `${grown} bytes of heap more: ${held.map(({ heapBytes }) => Math.round(heapBytes / MIB)).join(' ')} MiB`)
  assert.match(ingestReport(result, 'a machine'), /\| heap \| .* \|/)
})

const heldAt = (minutes: number, mib: number): Held => ({ afterMs: minutes * 60_000, heapBytes: mib * MIB, externalBytes: MIB, residentBytes: 300 * MIB, cpuMs: minutes * 1000 })

test('memory that grows is told from memory that is flat', () => {
  const growing = Array.from({ length: 60 }, (_, minute) => heldAt(minute + 1, 50 + minute))
  const result = { held: growing, top: { spans: 2, samples: 2 }, sent: { spans: 1, samples: 1 }, acknowledged: { spans: 1, samples: 1 }, stored: { spans: 1, samples: 1 }, minutes: 60 }
  assert.equal(settledHeld(growing).length, 49)
  assert.match(ingestReport(result, 'a machine'), /\| heap \| 60 \(60 to 60\) \| grows \|\n\| resident \| 0 \(0 to 0\) \| flat \|/)
  assert.equal(flatnessOf({ low: -5, high: 50 }), 'not told apart')
})
