// A recording as a detector sees it: tracks of numbers per slice, with quiet history before them.
import { seeded } from '@andon/model'
import { type HistogramSlice, quantileOf } from '../scoring/histogram.ts'
import { isDisturbed, STEP_MS, type Stretch, type Track, type What } from '../scoring/stretch.ts'
import { type Manifest, readRecording, type RecordedSeries, type Recording, type Segment } from './recording.ts'

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
function tracksOf({ series, slices }: Recording): Track[] {
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
