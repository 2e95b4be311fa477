// A recording as a detector sees it: tracks of numbers per slice, with quiet history before them.
import { type Milliseconds, seeded } from '@andon/model'
import { added, quantileOf } from './histogram.ts'
import { type Manifest, type Part, readRecording, type RecordedSeries, type Recording, type HistogramSlice, type Segment, STEP_MS, type Truth } from './recording.ts'

/** What a track is of: it decides in which direction it is worse, and how large a change counts. */
export type What = 'errors' | 'latency' | 'throughput' | 'cpu' | 'loop' | 'pool' | 'edge' | 'heap'

/** One series of a stretch. */
export interface Track {
  /** Such as `latency.p95` or `edge.postgresql.p50`. */
  readonly key: string
  readonly what: What
  /** s, share of the processors, By, requests per slice, or a share. */
  readonly unit: string
  /** One per slice; NaN where nothing was measured. */
  readonly values: Float64Array
  /** How many requests, calls or waits each value is made of, where it is made of any. */
  readonly counts?: Float64Array
  /** Of `errors`: how many of `counts` failed. */
  readonly failed?: Float64Array
  /** Of durations: all values of each slice; see histogram.ts. */
  readonly histograms?: readonly HistogramSlice[]
}

/** One service over one continuous time: history first, then what is judged. */
export interface Stretch {
  readonly name: string
  readonly service: string
  readonly part: Part
  readonly load: number
  readonly stepMs: Milliseconds
  /** End of the first slice, history included. */
  readonly start: Milliseconds
  readonly slices: number
  /** So many slices at the beginning are history, put together of quiet time of other moments. */
  readonly history: number
  readonly tracks: readonly Track[]
  readonly truth: readonly Truth[]
}

const EMPTY: ReadonlySet<string> = new Set()

function sumOf(series: readonly RecordedSeries[], slices: number): Float64Array {
  const sum = new Float64Array(slices)
  for (const { values = [] } of series) for (const [index, value] of values.entries()) sum[index] = (sum[index] ?? 0) + (value ?? 0)
  return sum
}

function duration(key: string, what: What, q: number, histograms: readonly HistogramSlice[]): Track {
  return {
    key: `${key}.p${q * 100}`,
    what,
    unit: 's',
    values: Float64Array.from(histograms, (slice) => quantileOf(slice, q)),
    counts: Float64Array.from(histograms, (slice) => slice?.[0] ?? 0),
    histograms,
  }
}

/** The tracks of a recording: what the users see first, then what may explain it. */
export function tracksOf({ series, slices }: Recording): Track[] {
  const named = (name: string): RecordedSeries[] => series.filter((each) => each.name === name)
  const requests = named('requests')
  const total = sumOf(requests, slices)
  const failed = sumOf(requests.filter(({ labels }) => labels['status']?.startsWith('5')), slices)
  const tracks: Track[] = [
    { key: 'errors', what: 'errors', unit: 'share', values: Float64Array.from(total, (all, index) => (all > 0 ? (failed[index] ?? 0) / all : Number.NaN)), counts: total, failed },
    { key: 'throughput', what: 'throughput', unit: 'requests per slice', values: total },
  ]
  const histogramsOf = (name: string): readonly RecordedSeries[] => named(name).filter(({ histograms }) => histograms !== undefined)
  for (const { histograms = [] } of histogramsOf('latency')) tracks.push(duration('latency', 'latency', 0.5, histograms), duration('latency', 'latency', 0.95, histograms))
  for (const { histograms = [] } of histogramsOf('pool.wait')) tracks.push(duration('pool.wait', 'pool', 0.95, histograms))
  for (const { labels, histograms = [] } of histogramsOf('edge.latency')) {
    const edge = `edge.${labels['edge'] ?? ''}`
    tracks.push(duration(edge, 'edge', 0.5, histograms), duration(edge, 'edge', 0.95, histograms))
  }
  for (const [name, what] of [['cpu.utilization', 'cpu'], ['loop.p99', 'loop'], ['heap.floor', 'heap']] as const) {
    for (const { unit, values = [] } of named(name)) tracks.push({ key: what === 'cpu' ? 'cpu' : name, what, unit, values: Float64Array.from(values, (value) => value ?? Number.NaN) })
  }
  return tracks
}

/** After a fault the kanban needs so long to be as before: this time is neither quiet nor judged as a false alarm. */
export const RECOVERY_MS: Milliseconds = 5 * 60_000

/** Whether a slice lies in a fault, or in the time that is left for recovery. */
export function isDisturbed(end: Milliseconds, truth: readonly Truth[]): boolean {
  return truth.some((fault) => end > fault.start && end - STEP_MS < fault.end + RECOVERY_MS)
}

interface Loaded {
  readonly segment: Segment
  readonly recording: Recording
  readonly tracks: readonly Track[]
}

/** Slices that history is put together of, at a time: what belongs together within five minutes stays together. */
const RUN = 20

/** Where in quiet time history is taken from: runs of slices of recordings under the same load. */
function quietRuns(loaded: readonly Loaded[]): { readonly of: Loaded; readonly from: number }[] {
  return loaded.flatMap((of) => {
    const { recording, segment } = of
    const runs: { of: Loaded; from: number }[] = []
    for (let from = 0; from + RUN <= recording.slices; from += RUN) {
      const isQuiet = Array.from({ length: RUN }, (_, index) => recording.start + (from + index) * STEP_MS).every((end) => !isDisturbed(end, segment.faults))
      if (isQuiet) runs.push({ of, from })
    }
    return runs
  })
}

const joined = (before: Float64Array, after: Float64Array): Float64Array => Float64Array.from([...before, ...after])

function historyOf(track: Track, picks: readonly { readonly of: Loaded; readonly from: number }[]): Track {
  const length = picks.length * RUN
  const take = (list: (track: Track) => Float64Array | undefined): Float64Array => {
    const taken = new Float64Array(length).fill(Number.NaN)
    for (const [index, { of, from }] of picks.entries()) {
      const same = of.tracks.find(({ key }) => key === track.key)
      const values = same === undefined ? undefined : list(same)
      if (values !== undefined) taken.set(values.subarray(from, from + RUN), index * RUN)
    }
    return taken
  }
  const histograms = track.histograms === undefined ? undefined : [...picks.flatMap(({ of, from }) => of.tracks.find(({ key }) => key === track.key)?.histograms?.slice(from, from + RUN) ?? Array.from({ length: RUN }, () => null)), ...track.histograms]
  return {
    ...track,
    values: joined(take(({ values }) => values), track.values),
    ...(track.counts !== undefined && { counts: joined(take(({ counts }) => counts).map((count) => (Number.isNaN(count) ? 0 : count)), track.counts) }),
    ...(track.failed !== undefined && { failed: joined(take(({ failed }) => failed).map((count) => (Number.isNaN(count) ? 0 : count)), track.failed) }),
    ...(histograms !== undefined && { histograms }),
  }
}

/**
 * Everything that was recorded, each segment with history before it: quiet runs of five minutes of recordings under the same load
 * and the same note (a block bootstrap; chosen by a seed; what was recorded on a busy machine is no history of a quiet one), because a detector needs more history than a piece has. The order of the runs is by
 * chance, so history has no season of its own.
 *
 * @param historyHours - of history before each segment; less where there is no quiet time at all
 */
export function load(folder: string, manifest: Manifest, historyHours: number, chosen: ReadonlySet<string> = EMPTY): Stretch[] {
  const loaded = manifest.segments.filter(({ file }) => chosen.size === 0 || chosen.has(file)).map((segment): Loaded => {
    const recording = readRecording(folder, segment.file)
    return { segment, recording, tracks: tracksOf(recording) }
  })
  return loaded.map(({ segment, recording, tracks }, number) => {
    const runs = quietRuns(loaded.filter((other) => other.segment.load === segment.load && other.segment.note === segment.note))
    const random = seeded(manifest.seed + number)
    const wanted = runs.length === 0 ? 0 : Math.ceil((historyHours * 3_600_000) / STEP_MS / RUN)
    const picks = Array.from({ length: wanted }, () => runs[Math.floor(random() * runs.length)]).filter((run) => run !== undefined)
    const history = picks.length * RUN
    return {
      name: segment.file,
      service: 'kanban',
      part: segment.part,
      load: segment.load,
      stepMs: STEP_MS,
      start: recording.start - history * STEP_MS,
      slices: history + recording.slices,
      history,
      tracks: tracks.map((track) => historyOf(track, picks)),
      truth: segment.faults,
    }
  })
}

/** How much a fault changed: of each kind of track the greatest ratio of during to before, by medians or by all durations together. */
export function effectsOf({ start, tracks, history }: Stretch, fault: Truth): ReadonlyMap<string, number> {
  const at = (time: Milliseconds): number => Math.ceil((time - start) / STEP_MS)
  const [first, last] = [at(fault.set) + 1, at(fault.end)]
  const before = Math.max(history, at(fault.start) - RUN)
  const effects = new Map<string, number>()
  for (const { key, what, values, histograms, counts, failed } of tracks) {
    const of = (from: number, until: number): number => {
      if (failed !== undefined && counts !== undefined) return totalOf(failed, from, until) / Math.max(1, totalOf(counts, from, until))
      if (histograms !== undefined) return quantileOf(added(histograms.slice(from, until)), key.endsWith('.p50') ? 0.5 : 0.95)
      const sorted = values.slice(from, until).filter((value) => !Number.isNaN(value)).toSorted()
      return what === 'heap' ? (sorted.at(-1) ?? Number.NaN) : (sorted[Math.floor(sorted.length / 2)] ?? Number.NaN)
    }
    const [was, is] = [of(before, at(fault.start)), of(first, last)]
    effects.set(key, what === 'errors' ? is - was : is / was)
  }
  return effects
}

function totalOf(list: Float64Array, from: number, until: number): number {
  return list.subarray(from, until).reduce((sum, value) => sum + value, 0)
}

/** Measured effects are this much smaller by chance than they truly are. */
const MEASURED = 0.95

/** Whether a fault changed something by the floor of the design: × 1.5 (by measurement, less 5 %), error share by 1.5 points; throughput the other way. */
export function hasEffect(stretch: Stretch, fault: Truth): boolean {
  return [...effectsOf(stretch, fault)].some(([key, effect]) => (key === 'errors' ? effect >= 0.015 : key === 'throughput' ? effect <= 1 / (1.5 * MEASURED) : effect >= 1.5 * MEASURED))
}
