// The short form of `npm run soak -- agent`: 50,000 requests of all kinds, after which the heap is what it was.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { median } from '@andon/model'
import { reportOf, settled, verdictOf } from './report.ts'
import { slopeOf } from './slope.ts'
import { type Sample, soak } from './soak.ts'

/** Bytes a request that a later window may lie above an earlier one: the heap still settles by some 10. */
const ALLOWED = 48

/** What waits to be sent, at most, where both windows were caught at another moment of the second. */
const BATCH = 1024 * 1024

const open = ({ resources, files }: Sample): number => files + (resources['TCPSocketWrap'] ?? 0) + (resources['TCPServerWrap'] ?? 0) + (resources['Timeout'] ?? 0)

function at(window: readonly Sample[], of: (sample: Sample) => number): number {
  return median(window.map(of))
}

function least(window: readonly Sample[]): number {
  return Math.min(...window.map((sample) => sample.externalBytes))
}

test('the agent does not leak: of a later window of requests nothing is held that an earlier one did not hold', { timeout: 900_000 }, async () => {
  const { samples, counted, answered } = await soak({ requests: 50_000, every: 2500 })
  // Until there caches fill. Two windows are compared, so that no single sample decides.
  const later = samples.slice(-8)
  const [first, second] = [later.slice(0, 4), later.slice(4)]
  const allowed = ALLOWED * (at(second, (sample) => sample.requests) - at(first, (sample) => sample.requests))
  const told = samples.map(({ heapBytes, externalBytes }) => `${Math.round(heapBytes / 1024)}+${Math.round(externalBytes / 1024)}`).join(' ')
  const heap = at(second, (sample) => sample.heapBytes) - at(first, (sample) => sample.heapBytes)
  assert.ok(heap < allowed, `${heap} bytes of heap more, ${allowed} allowed: ${told} KiB`)
  const buffers = least(second) - least(first)
  assert.ok(buffers < allowed + BATCH, `${buffers} bytes of buffers more, ${allowed} and a batch allowed: ${told} KiB`)
  // Sockets of the pools, and files that are being read, come and go.
  assert.ok(at(second, open) <= at(first, open) + 20, `${at(first, open)} sockets, timers and files, then ${at(second, open)}`)
  assert.ok(counted >= answered, `${counted} of ${answered} requests were counted`)
})

const sampleAt = (requests: number, heapBytes: number): Sample => ({ requests, heapBytes, externalBytes: 0, residentBytes: 1, files: 1, resources: { Timeout: 1 }, afterMs: requests })

test('a slope is found with its interval, whatever single samples say', () => {
  const points = Array.from({ length: 40 }, (_, x) => [x, 3 * x + (x % 3) + (x === 20 ? 1e6 : 0)] as const)
  const { low, median: slope, high } = slopeOf(points)
  assert.ok(low <= 3 && high >= 3 && high - low < 0.2 && Math.abs(slope - 3) < 0.05, `${low} ${slope} ${high}`)
  assert.throws(() => slopeOf([[0, 0]]), RangeError)
})

test('the verdict is that of the interval', () => {
  assert.deepEqual([verdictOf({ median: 0, low: -0.1, high: 0.1, confidence: 0.95 }), verdictOf({ median: 1, low: 0.6, high: 1.5, confidence: 0.95 }), verdictOf({ median: 0.4, low: 0, high: 1, confidence: 0.95 })], ['no leak', 'a leak', 'not told apart'])
  const samples = Array.from({ length: 50 }, (_, index) => sampleAt((index + 1) * 1000, 5e6 + (index + 1) * 2000))
  assert.equal(settled(samples).length, 31)
  assert.match(reportOf({ samples, counted: 50_000, answered: 50_000, light: false }, 'a machine'), /\| heap and buffers \| 2 \(2 to 2\) \| 0\.0954 \| a leak \|/)
})
