// What is used to score detectors: quantiles of slices, the server's detection as a detector, the peers, shares.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seeded } from '@andon/model'
import { quantile } from '@andon/model'
import { contestants } from './contestants.ts'
import { robustZ, staticThreeSigma } from './detectors.ts'
import { hasEffect } from './effect.ts'
import { added, bucketOf, countAbove, quantileOf, sliceOf } from './histogram.ts'
import { watchDetector, type WatchLike } from './pipeline.ts'
import { score } from './score.ts'
import { shareOf } from './share.ts'
import { STEP_MS, type Stretch } from './stretch.ts'

/** A stretch of 300 slices, 250 of them history, without a fault. */
const stretchOf = (tracks: Stretch['tracks']): Stretch => ({ name: 's', service: 'kanban', part: 'proof', load: 5, stepMs: STEP_MS, start: STEP_MS, slices: 300, history: 250, tracks, truth: [] })

/** A slice that holds values. */
function sliceWith(values: readonly number[]): ReturnType<typeof sliceOf> {
  const buckets = new Map<number, number>()
  for (const value of values) buckets.set(bucketOf(value), (buckets.get(bucketOf(value)) ?? 0) + 1)
  return sliceOf(values.length, values.reduce((sum, value) => sum + value, 0), buckets)
}

test('quantiles of slices lie within a bucket of the exact ones', () => {
  const random = seeded(3)
  const values = Array.from({ length: 5000 }, () => 0.001 * Math.exp(4 * random())).toSorted((a, b) => a - b)
  const all = added([sliceWith(values.slice(0, 1000)), null, sliceWith(values.slice(1000))])
  assert.equal(all?.[0], 5000)
  for (const q of [0.05, 0.5, 0.95]) assert.ok(Math.abs(Math.log2(quantileOf(all, q) / quantile(values, q))) < 1 / 8, `${q}`)
  const exact = values.filter((value) => value > 0.01).length
  assert.ok(Math.abs(countAbove(all, 0.01) - exact) < 5000 / 16, `${countAbove(all, 0.01)}, ${exact}`)
  assert.ok(Number.isNaN(quantileOf(null, 0.5)))
})

test('the detection of the server is driven slice by slice on data time, and pages count', async () => {
  const slices = 300
  const values = Float64Array.from({ length: slices }, (_, index) => (index >= 280 && index < 290 ? 5 : 0))
  const stretch: Stretch = {
    ...stretchOf([
      { key: 'errors', what: 'errors', unit: 'share', values: values.map((failed) => failed / 10), counts: new Float64Array(slices).fill(10), failed: values },
      { key: 'throughput', what: 'throughput', unit: 'requests per slice', values: new Float64Array(slices).fill(30) },
      { key: 'edge.postgresql.p50', what: 'edge', unit: 's', values: new Float64Array(slices).fill(0.001) },
      { key: 'edge.postgresql.p95', what: 'edge', unit: 's', values: new Float64Array(slices).fill(0.002) },
      { key: 'edge.127.0.0.1.p95', what: 'edge', unit: 's', values: new Float64Array(slices).fill(0.003) },
    ]),
    truth: [{ index: 0, fault: 'errors', strength: 0.5, start: 280 * STEP_MS, set: 280 * STEP_MS, end: 290 * STEP_MS }],
  }
  const taken: [start: number, count: number][] = []
  const seen = new Map<string, number>()
  class Watch implements WatchLike {
    #since: number | undefined

    take({ start, count, series }: Parameters<WatchLike['take']>[0]): ReturnType<WatchLike['take']> {
      taken.push([start, count])
      for (const { id, values: all } of series) seen.set(`${id.signal} ${id.key}`.trim(), all[0] ?? Number.NaN)
      const errors = series.find(({ id }) => id.signal === 'errors')
      const [before, is] = [this.#since !== undefined, (errors?.values.at(-1) ?? 0) > 0]
      if (is && !before) this.#since = start + count * STEP_MS
      if (!is) this.#since = undefined
      return Promise.resolve({ series: is === before || errors === undefined ? [] : [{ what: is ? 'began' : 'ended', series: errors }], ended: [] })
    }

    open(): ReturnType<WatchLike['open']> {
      const labels = { severity: 'critical' }
      return this.#since === undefined ? [] : [{ labels, annotations: {}, source: 'detector', startsAt: this.#since, endsAt: undefined, generatorUrl: '', value: undefined, expression: undefined, onsetAt: undefined }]
    }
  }
  const alarms = await watchDetector('watch', Watch).judge(stretch)
  assert.deepEqual(taken.slice(0, 4), [[0, 240], [240 * STEP_MS, 10], [250 * STEP_MS, 1], [251 * STEP_MS, 1]])
  assert.deepEqual([...seen].toSorted(([a], [b]) => a.localeCompare(b)), [['database-edge postgresql', 0.002], ['errors', 0], ['http-edge 127.0.0.1', 0.003], ['throughput', 2]])
  assert.deepEqual(alarms, [
    { track: 'errors', start: 281 * STEP_MS, end: 291 * STEP_MS, page: false },
    { track: 'service', start: 281 * STEP_MS, end: 291 * STEP_MS },
  ])
  const { found, falseIncidents, firing } = await score(watchDetector('watch', Watch), [stretch])
  assert.deepEqual([found[0]?.delayMs, falseIncidents, firing], [STEP_MS, 0, 0])
})

test('an alert that is not critical is a ticket and wakes nobody', async () => {
  const stretch = stretchOf([{ key: 'cpu', what: 'cpu', unit: 'share', values: new Float64Array(300) }])
  class Watch implements WatchLike {
    #now = 0

    take({ start, count }: Parameters<WatchLike['take']>[0]): ReturnType<WatchLike['take']> {
      this.#now = start + count * STEP_MS
      return Promise.resolve({ series: [], ended: [] })
    }

    open(): ReturnType<WatchLike['open']> {
      const isOpen = this.#now >= 281 * STEP_MS && this.#now < 285 * STEP_MS
      return isOpen ? [{ labels: { severity: 'warning' }, annotations: {}, source: 'detector', startsAt: 281 * STEP_MS, endsAt: undefined, generatorUrl: '', value: undefined, expression: undefined, onsetAt: undefined }] : []
    }
  }
  assert.deepEqual(await watchDetector('watch', Watch).judge(stretch), [{ track: 'ticket', start: 281 * STEP_MS, end: 285 * STEP_MS, page: false }])
})

const worseFrom = (first: number): unknown[] => ['latency.p95', 'throughput'].map((track) => ({ track, start: first * STEP_MS, end: 600 * STEP_MS }))

test('the peers alarm of what is worse, and of nothing that is better', async () => {
  const random = seeded(5)
  const stepped = (to: number): Float64Array => Float64Array.from({ length: 600 }, (_, index) => (index % 50 === 7 ? Number.NaN : (index >= 560 ? to : 1) + 0.1 * random()))
  const stretch: Stretch = {
    ...stretchOf([
      { key: 'latency.p95', what: 'latency', unit: 's', values: stepped(2) },
      { key: 'latency.p50', what: 'latency', unit: 's', values: stepped(0.1) },
      { key: 'throughput', what: 'throughput', unit: 'requests per slice', values: stepped(0.1) },
      { key: 'cpu', what: 'cpu', unit: 'share', values: stepped(1) },
    ]),
    slices: 600,
    history: 500,
  }
  assert.deepEqual(await robustZ.judge(stretch), worseFrom(561))
  // Three in a row.
  assert.deepEqual(await staticThreeSigma.judge(stretch), worseFrom(563))
})

test('an effect is measured, unless it is known', () => {
  const values = Float64Array.from({ length: 300 }, (_, index) => (index >= 280 && index < 290 ? 1.5 : 1) * (index % 7 === 0 ? 3 : 1))
  const stretch = stretchOf([{ key: 'loop.p99', what: 'loop', unit: 's', values }])
  const fault = { index: 0, fault: 'errors', strength: 0.5, start: 280 * STEP_MS, set: 280 * STEP_MS, end: 290 * STEP_MS }
  const flat = stretchOf([{ key: 'loop.p99', what: 'loop', unit: 's', values: values.map(() => 1) }])
  assert.deepEqual([hasEffect(stretch, fault), hasEffect(flat, fault), hasEffect(flat, { ...fault, hasEffect: true })], [true, false, true])
})

test('the pipeline is scored by what pages, by what is told and by what a series says', () => {
  assert.deepEqual(contestants().slice(1).map(({ name }) => name), ['Andon, pages and tickets', 'Andon, any series', 'static 3σ, 3 of 3', 'robust z, k = 6'])
})

test('intervals of shares are Wilson\'s', () => {
  const intervals = [shareOf(9, 10), shareOf(19, 20), shareOf(0, 0)].map(({ low, high }) => [low.toFixed(4), high.toFixed(4)])
  assert.deepEqual(intervals, [['0.5958', '0.9821'], ['0.7639', '0.9911'], ['0.0000', '1.0000']])
  assert.ok(Number.isNaN(shareOf(0, 0).share))
})
