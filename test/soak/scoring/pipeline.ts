// The server's own detection as a detector that is scored: its `Watch`, which takes slices without a store and without timers.
import type { Alert, Milliseconds } from '@andon/model'
import { COUNTS, type SeriesSlices } from '@andon/server'
import type { Alarm, Detector } from './detectors.ts'
import { added, countAbove, quantileOf } from './histogram.ts'
import { STEP_MS, type Stretch, type Track } from './stretch.ts'

type SeriesId = SeriesSlices['id']

/** What is used of the server's `Watch`. */
export interface WatchLike {
  take(table: { readonly start: Milliseconds; readonly count: number; readonly series: readonly SeriesSlices[] }): Promise<{
    readonly series: readonly { readonly what: string; readonly series: { readonly id: Pick<SeriesId, 'signal' | 'key'> } }[]
    readonly ended: readonly Alert[]
  }>
  open(): readonly Alert[]
}

export type WatchClass = new (options: { readonly externalUrl: string; readonly maxSeries: number; readonly facts: () => { readonly slowLimit: number; readonly isFromSpans: boolean } }) => WatchLike

interface Signal extends SeriesSlices {
  /** The track that its alarms are told of. */
  readonly track: string
}

function missing(length: number): Float64Array {
  return new Float64Array(length).fill(Number.NaN)
}

/** Signals by the tracks that they are; how many were slow is either a track or counted from the durations. */
const SIGNALS: Readonly<Record<string, SeriesId['signal']>> = {
  errors: 'errors',
  slow: 'slow',
  throughput: 'throughput',
  cpu: 'cpu',
  'latency.p50': 'p50',
  'latency.p95': 'p95',
  'pool.wait.p95': 'pool-wait',
  'loop.p99': 'event-loop',
  'heap.floor': 'heap-floor',
}

function signalNameOf({ key, what }: Track): Pick<SeriesId, 'signal' | 'key'> | undefined {
  if (what === 'edge') {
    // Databases are told by their system, HTTP servers by their address; the 95th percentile is watched.
    if (!key.endsWith('.p95')) return undefined
    const edge = key.slice('edge.'.length, -'.p95'.length)
    return { signal: /^[\d.]+$|:|localhost/.test(edge) ? 'http-edge' : 'database-edge', key: edge }
  }
  const signal = SIGNALS[key]
  return signal === undefined ? undefined : { signal, key: '' }
}

function signalsOf({ service, tracks, slices }: Stretch, slowLimit: number): Signal[] {
  const signals: Signal[] = []
  for (const track of tracks) {
    const name = signalNameOf(track)
    if (name === undefined) continue
    const { what, values, counts, failed, histograms } = track
    const id = { service, environment: '', ...name }
    const seen = what === 'throughput' ? values.map((requests) => requests / (STEP_MS / 1000)) : (failed ?? values)
    signals.push({ id, track: track.key, values: seen, counts: counts ?? missing(slices) })
    if (name.signal === 'p95' && histograms !== undefined) {
      signals.push({ id: { ...id, signal: 'slow' }, track: track.key, values: Float64Array.from(histograms, (slice) => countAbove(slice, slowLimit)), counts: counts ?? missing(slices) })
    }
  }
  return signals
}

/** Two significant digits, as the reader of slices rounds it. */
function slowLimitOf({ tracks, history }: Stretch): number {
  const histograms = tracks.find(({ key }) => key === 'latency.p95')?.histograms ?? []
  const known = quantileOf(added(history > 0 ? histograms.slice(0, history) : histograms.slice(0, 240)), COUNTS.slowQuantile)
  return Number.isNaN(known) ? 1 : Number((known * COUNTS.slowFactor).toPrecision(2))
}

const isCritical = ({ labels }: Alert): boolean => labels['severity'] === 'critical'

/** Keeps which alarms stand, and gives them when they end. */
class Standing {
  readonly alarms: Alarm[] = []
  readonly #open = new Map<string, Alarm>()

  begin(key: string, alarm: Alarm): void {
    if (!this.#open.has(key)) this.#open.set(key, alarm)
  }

  end(key: string, end: Milliseconds): void {
    const alarm = this.#open.get(key)
    if (alarm !== undefined) this.alarms.push({ ...alarm, end })
    this.#open.delete(key)
  }

  /** Alerts that stand now are one alarm, as long as there is one of them. */
  keep(alarm: Omit<Alarm, 'start'>, alerts: readonly Alert[]): void {
    for (const { startsAt } of alerts) this.begin(alarm.track, { ...alarm, start: startsAt })
    if (alerts.length === 0) this.end(alarm.track, alarm.end)
  }

  endAll(end: Milliseconds): void {
    for (const key of this.#open.keys()) this.end(key, end)
  }
}

/**
 * Judges by a `Watch`, which first takes the history at once and then slice by slice. Its series' episodes are alarms that wake nobody;
 * an alert of the service with the severity critical is a page, any other a ticket.
 */
export function watchDetector(name: string, Watch: WatchClass): Detector {
  return {
    name,
    judge: async (stretch) => {
      const slowLimit = slowLimitOf(stretch)
      const signals = signalsOf(stretch, slowLimit)
      const watch = new Watch({ externalUrl: '', maxSeries: 1000, facts: () => ({ slowLimit, isFromSpans: false }) })
      const standing = new Standing()
      const take = async (from: number, count: number): Promise<void> => {
        const series = signals.map((signal) => ({ id: signal.id, values: signal.values.slice(from, from + count), counts: signal.counts.slice(from, from + count) }))
        // A slice is named by its end here, and by its beginning there.
        const changes = await watch.take({ start: stretch.start + (from - 1) * STEP_MS, count, series })
        const now = stretch.start + (from + count - 1) * STEP_MS
        for (const { what, series: { id } } of changes.series) {
          const track = signals.find((signal) => signal.id.signal === id.signal && signal.id.key === id.key)?.track ?? id.signal
          if (what === 'began') standing.begin(`${id.signal} ${id.key}`, { track, start: now, end: now, page: false })
          else if (what === 'ended') standing.end(`${id.signal} ${id.key}`, now)
        }
        const open = watch.open()
        standing.keep({ track: 'service', end: now }, open.filter(isCritical))
        standing.keep({ track: 'ticket', end: now, page: false }, open.filter((alert) => !isCritical(alert)))
      }
      const LARGE = 240
      for (let from = 0; from < stretch.history; from += LARGE) await take(from, Math.min(LARGE, stretch.history - from))
      for (let from = stretch.history; from < stretch.slices; from += 1) await take(from, 1)
      standing.endAll(stretch.start + stretch.slices * STEP_MS)
      return standing.alarms
    },
  }
}
