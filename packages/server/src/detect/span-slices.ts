// Slices of services that send spans and no metrics of requests: of the same signals, counted from the spans.
import { type BucketCounts, bucketQuantile, bucketUpperBound, type Milliseconds, SPAN_SCALE, type TimeRange } from '@andon/model'
import type { SpanDurations, SpanSlice } from '../store/span-slices.ts'
import { COUNTS, SLICE_MS } from './parameters.ts'
import { type SeriesId, type SeriesSlices, signalOf, type SignalName } from './signals.ts'

/** What slices of spans are read from. */
export interface SpanSliceSource {
  alone(range: TimeRange, service?: string): Promise<readonly string[]>
  read(services: readonly string[], range: TimeRange, sliceMs: Milliseconds): Promise<readonly SpanSlice[]>
  durations(services: readonly string[], range: TimeRange): Promise<readonly SpanDurations[]>
  first(range: TimeRange): Promise<Milliseconds | undefined>
}

/** How many took longer than a limit, by geometric interpolation within its bucket. */
export function slowerThan(buckets: BucketCounts, limit: number): number {
  let slower = 0
  for (const [index, count] of buckets) {
    const [from, to] = [bucketUpperBound(index - 1, SPAN_SCALE), bucketUpperBound(index, SPAN_SCALE)]
    slower += count * Math.min(1, Math.max(0, Math.log2(to / limit) / Math.log2(to / from)))
  }
  return slower
}

/** A quantile of durations, in seconds; NaN where there are none. */
export function durationQuantile(buckets: BucketCounts, q: number): number {
  return bucketQuantile(0, buckets, SPAN_SCALE, q)
}

/** What weighted ones are worth of independent ones: (Σw)² / Σw². */
const worthOf = ({ calls, squares }: SpanSlice): number => (squares > 0 ? (calls * calls) / squares : 0)

/** Where nothing was asked nothing was bad. */
const isShare = (signal: SignalName): boolean => signalOf(signal).points !== undefined

/** What one slice says of a signal: its value, or how many were bad, and of how many. */
type Told = readonly [signal: SignalName, value: number, count: number]

function toldOf(slice: SpanSlice, slowLimit: number | undefined): readonly Told[] {
  const { side, calls, failed, buckets } = slice
  const worth = worthOf(slice)
  if (side !== 'server') return [[side === 'http' ? 'http-edge' : 'database-edge', durationQuantile(buckets, 0.95), worth]]
  const each = calls > 0 ? worth / calls : 0
  return [
    ['errors', failed * each, worth],
    ['p50', durationQuantile(buckets, 0.5), worth],
    ['p95', durationQuantile(buckets, 0.95), worth],
    ['throughput', calls / (SLICE_MS / 1000), Number.NaN],
    ...(slowLimit === undefined ? [] : [['slow', slowerThan(buckets, slowLimit) * each, worth] as const]),
  ]
}

/**
 * Series of slices.
 *
 * @param slices - of whole slices of the range
 * @param slowLimit - what takes long for a service, in seconds; undefined where it is not known
 */
export function seriesOfSpans(slices: readonly SpanSlice[], { start, end }: TimeRange, slowLimit: (service: Pick<SeriesId, 'service' | 'environment'>) => number | undefined): SeriesSlices[] {
  const count = Math.round((end - start) / SLICE_MS)
  const series = new Map<string, SeriesSlices>()
  for (const slice of slices) {
    const { service, env: environment, peer: key, time } = slice
    const index = Math.round((time - start) / SLICE_MS)
    for (const [signal, value, of] of toldOf(slice, slowLimit({ service, environment }))) {
      const name = [service, environment, signal, key].join('\u001f')
      const held = series.get(name) ?? { id: { service, environment, signal, key }, values: new Float64Array(count).fill(isShare(signal) ? 0 : Number.NaN), counts: new Float64Array(count).fill(Number.NaN) }
      series.set(name, held)
      held.values[index] = value
      held.counts[index] = of
    }
  }
  return [...series.values()]
}

/** What takes long for services, in seconds, by what they took before. */
export function slowLimitsOf(durations: readonly SpanDurations[]): { readonly id: Pick<SeriesId, 'service' | 'environment'>; readonly value: number }[] {
  return durations.map(({ service, env, buckets }) => ({ id: { service, environment: env }, value: durationQuantile(buckets, COUNTS.slowQuantile) }))
}
