// Samples of remote write read from bytes are stored as those that were decoded are.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labelsKey } from '@andon/model'
import fc from 'fast-check'
import { defaultLimits } from '../runtime/limits.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import { sampleTsv } from '../store/metric-write.ts'
import type { MetricRows } from '../store/metric-rows.ts'
import { MetricIngest } from './metrics.ts'
import { RemoteWriteIngest } from './remote-write.ts'

const NOW = 1_790_000_000_000

const varint = (value: bigint): number[] => (value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varint(value >> 7n)])
const field = (number: number, content: readonly number[]): number[] => [number * 8 + 2, ...varint(BigInt(content.length)), ...content]
const text = (number: number, value: string): number[] => field(number, [...Buffer.from(value)])

interface Series {
  readonly labels: readonly (readonly [string, string])[]
  readonly samples: readonly (readonly [value: number, ts: number])[]
  /** Whether its labels stand apart, as nobody writes them. */
  readonly isTorn: boolean
}

function sample([value, ts]: readonly [number, number]): number[] {
  const double = Buffer.alloc(8)
  double.writeDoubleLE(value)
  // The marker of the end of a series stands for a value that cannot be a sample.
  const bytes = value === 1e300 ? [2, 0, 0, 0, 0, 0, 0xf0, 0x7f] : [...double]
  return field(2, [9, ...bytes, 16, ...varint(BigInt.asUintN(64, BigInt(ts)))])
}

function seriesBytes({ labels, samples, isTorn }: Series): number[] {
  const names = labels.map(([name, value]) => field(1, [...text(1, name), ...text(2, value)]))
  const points = samples.map(sample)
  return field(1, (isTorn ? [...names.slice(0, 1), ...points, ...names.slice(1)] : [...names, ...points]).flat())
}

/** Metadata of a family that no series belongs to: with them a request is decoded. */
const METADATA = field(3, [8, 1, ...text(2, 'unrelated')])

async function takenOf(requests: readonly (readonly Series[])[], isDecoded: boolean): Promise<readonly string[]> {
  const taken: string[] = []
  const sink = {
    write: (rows: MetricRows): Promise<void> => {
      taken.push(...sampleTsv(rows.samples, rows.sampleRows).bytes().toString('latin1').split('\n'), ...rows.series.map(({ id, type, labels }) => `${id} ${type} ${labelsKey(labels)}`))
      return Promise.resolve()
    },
    previousSamples: () => Promise.resolve(new Map()),
    previousHistograms: () => Promise.resolve(new Map()),
  }
  const clock = { now: () => NOW, sleep: () => Promise.resolve(), after: () => () => undefined, every: () => () => undefined }
  const own = new OwnMetrics()
  const ingest = new RemoteWriteIngest(new MetricIngest(sink, { clock, limits: defaultLimits, own, retentionDays: 15 }), { limits: defaultLimits, own })
  for (const series of requests) {
    const { rejected, samples } = await ingest.accept(Uint8Array.from([...series.flatMap(seriesBytes), ...(isDecoded ? METADATA : [])]), 1)
    taken.push(`${rejected} refused, ${samples} written`)
  }
  return taken.filter((line) => line !== '').toSorted()
}

const label = fc.tuple(fc.constantFrom('job', 'instance', 'path', ''), fc.constantFrom('a', 'b', '', 'é'))
const series: fc.Arbitrary<Series> = fc.record({
  labels: fc.tuple(fc.constantFrom('hits_total', 'size', 'up', ''), fc.uniqueArray(label, { selector: ([name]) => name, maxLength: 3 })).map(([name, others]) => [['__name__', name] as const, ...others]),
  samples: fc.uniqueArray(fc.tuple(fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(1, 2, 1e300)), fc.constantFrom(-20 * 86_400_000, -30_000, -15_000, 0, 3_600_000).map((offset) => NOW + offset)), { selector: ([, ts]) => ts, maxLength: 3 }),
  isTorn: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
})

test('samples read from bytes become the same rows as those that were decoded', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uniqueArray(series, { selector: ({ labels }) => labelsKey(Object.fromEntries(labels)), minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }), async (requests) => {
      assert.deepEqual(await takenOf(requests, false), await takenOf(requests, true))
    }),
    { numRuns: 200 },
  )
})
