// Samples read from bytes are stored as those of decoded metrics are.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Attributes, labelsKey, type MetricRecord, type NumberPoint } from '@andon/model'
import { encodeMetrics, encodeMetricsJson } from '@andon/wire'
import fc from 'fast-check'
import { defaultLimits } from '../runtime/limits.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import { sampleTsv } from '../store/metric-write.ts'
import type { MetricRows } from '../store/metric-rows.ts'
import { MetricIngest } from './metrics.ts'
import { millisecondsOf } from './sample-reader.ts'

const NOW = 1_790_000_000_000

interface Taken {
  readonly samples: readonly string[]
  readonly series: readonly string[]
  readonly metadata: readonly string[]
}

/** What an ingester of its own makes of some requests, one after another; `fail` refuses so many inserts first. */
async function takenOf(requests: readonly { readonly body: Uint8Array; readonly content: 'protobuf' | 'json' }[], fail = 0): Promise<Taken> {
  const samples: string[] = []
  const series: string[] = []
  const metadata: string[] = []
  let refusals = fail
  const sink = {
    write: (rows: MetricRows): Promise<void> => {
      if (refusals > 0) {
        refusals -= 1
        return Promise.reject(new Error('full'))
      }
      samples.push(...sampleTsv(rows.samples, rows.sampleRows).bytes().toString('latin1').split('\n').filter((line) => line !== ''))
      series.push(...rows.series.map(({ id, type, labels }) => `${id} ${type} ${labelsKey(labels)}`))
      metadata.push(...rows.metadata.map((each) => JSON.stringify(each)))
      return Promise.resolve()
    },
    previousSamples: () => Promise.resolve(new Map()),
    previousHistograms: () => Promise.resolve(new Map()),
  }
  const clock = { now: () => NOW, sleep: () => Promise.resolve(), after: () => () => undefined, every: () => () => undefined }
  const ingest = new MetricIngest(sink, { clock, limits: defaultLimits, own: new OwnMetrics(), retentionDays: 15 })
  for (const { body, content } of requests) await ingest.accept(body, content).catch(() => undefined)
  return { samples: samples.toSorted(), series: series.toSorted(), metadata: metadata.toSorted() }
}

const value = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -0, 0.1, 1e21, 5e-324))
const attributes: fc.Arbitrary<Attributes> = fc.dictionary(fc.constantFrom('a', 'b.c', 'http.route'), fc.oneof(fc.string(), fc.constantFrom(1n, true, 0.5)), { maxKeys: 3 })
const offset = fc.constantFrom(-20 * 86_400_000, -60_000, -45_000, -30_000, -15_000, 0, 3_600_000)
const point: fc.Arbitrary<NumberPoint> = fc.record({
  attributes,
  start: fc.constantFrom(0n, BigInt(NOW - 100_000) * 1_000_000n),
  time: offset.map((ms) => BigInt(NOW + ms) * 1_000_000n + 999_999n),
  flags: fc.constantFrom(0, 0, 0, 1),
  exemplars: fc.oneof({ weight: 9, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.constant([{ time: 1n, value: 1, traceId: '', spanId: '', attributes: {} }]) }),
  value,
})
const resource = fc.constantFrom(
  ...['shop', 'pay'].map((name) => ({ attributes: { 'service.name': name, 'service.instance.id': 'one', 'host.name': `${name}-host` }, droppedAttributes: 0, schemaUrl: '' })),
  { attributes: { 'service.name': 'bare' }, droppedAttributes: 0, schemaUrl: 'u' },
)
const scope = { name: 's', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }
const data: fc.Arbitrary<MetricRecord['data']> = fc.oneof(
  fc.record({ type: fc.constant('gauge' as const), points: fc.array(point, { maxLength: 4 }) }),
  fc.record({ type: fc.constant('sum' as const), monotonic: fc.boolean(), temporality: fc.constantFrom('delta' as const, 'cumulative' as const), points: fc.array(point, { maxLength: 4 }) }),
)
const metric: fc.Arbitrary<MetricRecord> = fc
  .record({ name: fc.constantFrom('one.two', 'three'), unit: fc.constantFrom('', 's', 'By'), data, resource, scope: fc.constant(scope) })
  // A series of two types is of the type that came first, and columns are placed before what was decoded.
  .map((each) => ({ ...each, name: `${each.name}.${each.data.type}.${each.data.type === 'sum' && each.data.monotonic ? 'up' : 'any'}`, description: each.name === 'three' ? 'Three.' : '' }))

test('samples read from bytes become the same rows as those that were decoded, in any order of requests', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(metric, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 }), async (requests) => {
      const fromBytes = await takenOf(requests.map((metrics) => ({ body: encodeMetrics(metrics), content: 'protobuf' as const })))
      const decoded = await takenOf(requests.map((metrics) => ({ body: Buffer.from(encodeMetricsJson(metrics)), content: 'json' as const })))
      // Only the times of the series target_info may be fewer: it is written once for each resource and request.
      assert.deepEqual(fromBytes, decoded)
    }),
    { numRuns: 150 },
  )
})

const counter = (ts: number, count: number): MetricRecord => ({
  name: 'hits',
  description: '',
  unit: '',
  resource: { attributes: { 'service.name': 'shop' }, droppedAttributes: 0, schemaUrl: '' },
  scope,
  data: { type: 'sum', monotonic: true, temporality: 'cumulative', points: [{ attributes: {}, start: 1n, time: BigInt(ts) * 1_000_000n, flags: 0, exemplars: [], value: count }] },
})
const request = (ts: number, count: number): { readonly body: Uint8Array; readonly content: 'protobuf' } => ({ body: encodeMetrics([counter(ts, count)]), content: 'protobuf' })
const increases = ({ samples }: Taken): number[] => samples.map((line) => Number(line.split('\t').at(-1)))

test('an insert that failed has not happened: the next increase counts from the sample that was stored', async () => {
  assert.deepEqual(increases(await takenOf([request(NOW - 30_000, 5), request(NOW - 20_000, 9)])), [0, 4])
  assert.deepEqual(increases(await takenOf([request(NOW - 30_000, 5), request(NOW - 20_000, 9)], 1)), [0])
})

test('nanoseconds become milliseconds, rounded down', () => {
  const wide = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), fc.bigInt({ min: 1n, max: 2n ** 43n }).map((ms) => ms * 1_000_000n - 1n), fc.bigInt({ min: 0n, max: 2n ** 43n }).map((ms) => ms * 1_000_000n))
  fc.assert(fc.property(wide, (ns) => assert.equal(millisecondsOf(Number(ns >> 32n), Number(ns & 0xffff_ffffn)), Number(ns / 1_000_000n))), { numRuns: 2000 })
})
