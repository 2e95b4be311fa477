// Telemetry of a day and a half that is hard to roll up, sent through the ingester.
import { type Labels, type MetricType, seeded } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import { defaultLimits } from '../runtime/limits.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import { CUSTOM_BOUNDS, type HistogramForm, type HistogramValue } from '../store/metric-rows.ts'
import type { Store } from '../store/index.ts'
import { MetricIngest } from './metrics.ts'
import type { SeriesPoint } from './points.ts'
import { writtenHistogram, writtenSample } from './written-points.ts'

export const MINUTE = 60_000
export const HOUR: number = 60 * MINUTE
export const begin: number = Date.UTC(2026, 5, 1)
export const HOURS = 30

/** Times about a minute apart, or exactly on the minutes; sometimes none for a while. */
function times(random: () => number, isExact: boolean, gaps: number): number[] {
  const found: number[] = []
  for (let minute = 0; minute < HOURS * 60; minute += 1) {
    if (random() < gaps) minute += Math.floor(random() * 40)
    found.push(begin + minute * MINUTE + (isExact ? 0 : 1 + Math.floor(random() * 20_000)))
  }
  return found
}

interface Sample {
  readonly ts: number
  readonly value: number
  readonly start?: number
  readonly stale?: boolean
  readonly delta?: boolean
}

function samplesOf(of: Labels, type: MetricType, samples: readonly Sample[]): SeriesPoint[] {
  return samples.map(({ delta = false, ...sample }) => ({ ...writtenSample(of, { type: type === 'unknown' ? 'gauge' : type, ...sample }), delta }))
}

/** A counter that rises unevenly and is reset now and then; of some it is known since when it counts. */
function counter(random: () => number, { isExact, tellsStart }: { isExact: boolean; tellsStart: boolean }): Sample[] {
  let value = Math.floor(random() * 1000)
  let start = begin - HOUR
  return times(random, isExact, 0.01).map((ts) => {
    if (random() < 0.01) {
      value = 0
      start = ts - 20_000
    }
    value += random() < 0.3 ? 0 : Math.floor(random() * 20)
    return { ts, value, start: tellsStart ? start : 0, stale: random() < 0.01 }
  })
}

/** Increments, most of which begin where the last one ended. */
function deltas(random: () => number): Sample[] {
  let last = begin
  return times(random, false, 0.01).slice(1).map((ts) => {
    const start = ts - last > 3 * MINUTE ? ts - MINUTE / 2 : last
    last = ts
    return { ts, start, value: random() < 0.3 ? 0 : Math.floor(random() * 20), delta: true }
  })
}

function gauge(random: () => number, isExact: boolean): Sample[] {
  let value = 20
  return times(random, isExact, 0.02).map((ts) => {
    value += random() * 10 - 5
    return { ts, value, stale: random() < 0.02 }
  })
}

function added(to: Map<number, number>, index: number, count: number): void {
  to.set(index, (to.get(index) ?? 0) + count)
}

/** Some observations more, most of them small. */
function observed(random: () => number, { schema, bounds }: Pick<HistogramValue, 'schema' | 'bounds'>, held: HistogramValue | undefined): HistogramValue {
  const positive = new Map(held?.positive)
  const count = random() < 0.3 ? 0 : Math.floor(random() * 12)
  let sum = 0
  for (let each = 0; each < count; each += 1) {
    const value = 0.01 * 2 ** (random() * 8)
    added(positive, schema === CUSTOM_BOUNDS ? bounds.filter((bound) => value > bound).length : Math.ceil(Math.log2(value) * 2 ** schema) - 1, 1)
    sum += value
  }
  return { schema, bounds, zeroThreshold: 0, zeroCount: 0, count: (held?.count ?? 0) + count, sum: (held?.sum ?? 0) + sum, positive, negative: new Map() }
}

const SCHEMAS = [5, 4, 2, 3]
const BOUNDS = [[0.05, 0.1, 0.5, 1], [0.1, 0.25, 1]]

function layoutOf(era: number, isCustom: boolean): Pick<HistogramValue, 'schema' | 'bounds'> {
  return isCustom ? { schema: CUSTOM_BOUNDS, bounds: BOUNDS[era % BOUNDS.length] ?? [] } : { schema: SCHEMAS[era % SCHEMAS.length] ?? 0, bounds: [] }
}

/** Histograms whose resolution, or whose bounds, change every few hours. */
function histograms(random: () => number, of: Labels, { form, isCustom }: { form: HistogramForm; isCustom: boolean }): SeriesPoint[] {
  let last = begin
  let era = -1
  let held: HistogramValue | undefined
  return times(random, false, 0.01).slice(1).map((ts) => {
    const now = Math.floor((ts - begin) / (7 * HOUR))
    // A counter may begin anew at any time, and does with a finer resolution or other bounds.
    const isReset = now !== era || (held !== undefined && held.count > 500 && random() < 0.05)
    held = observed(random, layoutOf(now, isCustom), form === 'cumulative' && !isReset ? held : undefined)
    const start = form === 'delta' ? (isReset || ts - last > 3 * MINUTE ? ts - 5000 : last) : 0
    era = now
    last = ts
    return writtenHistogram(of, { ts, start, stale: random() < 0.005, value: held, form })
  })
}

function labels(name: string, i: number): Labels {
  return { __name__: name, job: `j${i % 2}`, instance: String(i) }
}

/** All series by name; `job` has two values in each. */
function allPoints(random: () => number): SeriesPoint[] {
  const four = [0, 1, 2, 3]
  return [
    ...four.flatMap((i) => samplesOf(labels('requests_total', i), 'counter', counter(random, { isExact: false, tellsStart: i === 3 }))),
    ...four.flatMap((i) => samplesOf(labels('ticks_total', i), 'counter', counter(random, { isExact: true, tellsStart: i === 2 }))),
    ...four.flatMap((i) => samplesOf(labels('deltas_total', i), 'counter', deltas(random))),
    ...four.flatMap((i) => samplesOf(labels('temperature', i), 'gauge', gauge(random, false))),
    ...four.flatMap((i) => samplesOf(labels('level', i), i < 2 ? 'updown' : 'gauge', gauge(random, true))),
    ...four.flatMap((i) => histograms(random, labels('latency', i), { form: i < 2 ? 'delta' : 'cumulative', isCustom: false })),
    ...[0, 1].flatMap((i) => histograms(random, labels('wait', i), { form: 'delta', isCustom: true })),
    ...samplesOf(labels('queue', 0), 'updown', deltas(random)),
  ]
}

/** Sends all in the order of its times, some hours in each request; some points of counters twice. */
export async function sendAll(store: Store, clock: Clock): Promise<void> {
  const random = seeded(5)
  const ingest = new MetricIngest(store.metrics, { clock, limits: { ...defaultLimits, gatherMs: 0 }, own: new OwnMetrics(), retentionDays: 3650 })
  const points = allPoints(random).toSorted((a, b) => a.ts - b.ts)
  for (let part = 0; part < HOURS / 5; part += 1) {
    const sent = points.filter(({ ts }) => Math.floor((ts - begin) / (5 * HOUR)) === part)
    const again = sent.filter((point) => point.kind === 'sample' && point.type === 'counter' && !point.delta && !point.stale && random() < 0.01)
    await ingest.acceptPoints({ points: sent, described: [] }, 1000)
    await ingest.acceptPoints({ points: again, described: [] }, 1000)
  }
}

