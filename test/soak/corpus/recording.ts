// What was recorded: slices of series as files, and the manifest that says what was done to the kanban meanwhile.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import type { Milliseconds } from '@andon/model'
import type { HistogramSlice } from '../scoring/histogram.ts'
import { type Part, STEP_MS, type Truth } from '../scoring/stretch.ts'

/** The recordings that lie in the repository. */
export const RECORDED: string = join(import.meta.dirname, '../../../soak/corpus/recorded')

/** One series; its list is as long as the recording has slices. */
export interface RecordedSeries {
  /** Such as `requests`, `latency`, `edge.latency`; see queries.ts. */
  readonly name: string
  /** 1, s, By, cores … */
  readonly unit: string
  readonly labels: Readonly<Record<string, string>>
  /** Of a counter what came within the slice, of a gauge its greatest value in it; null where nothing was measured. */
  readonly values?: readonly (number | null)[]
  readonly histograms?: readonly HistogramSlice[]
}

/** One continuous time of one kanban under one load. */
export interface Recording {
  readonly format: 1
  readonly stepMs: Milliseconds
  /** End of the first slice. */
  readonly start: Milliseconds
  readonly slices: number
  readonly series: readonly RecordedSeries[]
}

export interface Segment {
  readonly file: string
  readonly part: Part
  /** Requests per second on average. */
  readonly load: number
  readonly start: Milliseconds
  readonly end: Milliseconds
  readonly faults: readonly Truth[]
  readonly machine: string
  /** Mean of the machine's one-minute load average meanwhile. */
  readonly loadAverage: number
  /** What else is to be known, such as that others used the machine. */
  readonly note: string
}

/** All that was recorded, in order. */
export interface Manifest {
  readonly format: 1
  readonly seed: number
  /** The place in the plan, or in a lane's part of it, where the next piece goes on. */
  readonly next: number
  readonly segments: readonly Segment[]
}

const FILE = 'manifest.json'

/** The manifest of a folder; an empty one where nothing was recorded yet. */
export function readManifest(folder: string, seed = 1): Manifest {
  const file = join(folder, FILE)
  if (!existsSync(file)) return { format: 1, seed, next: 0, segments: [] }
  const manifest: Manifest = JSON.parse(readFileSync(file, 'utf8'))
  return manifest
}

/** Where what is recorded under one load lies: each load has a kanban, a place in the plan and files of its own. */
export function laneOf(folder: string, load: number): string {
  return join(folder, `load-${load}`)
}

/** All that lies in the lanes of a folder, as one. */
export function readLanes(folder: string, loads: readonly number[]): Manifest {
  const lanes = loads.map((load) => ({ name: `load-${load}`, manifest: readManifest(laneOf(folder, load)) }))
  const segments = lanes.flatMap(({ name, manifest }) => manifest.segments.map((segment) => ({ ...segment, file: `${name}/${segment.file}` })))
  return { format: 1, seed: lanes[0]?.manifest.seed ?? 1, next: lanes.reduce((sum, { manifest }) => sum + manifest.next, 0), segments: segments.toSorted((a, b) => a.start - b.start) }
}

function replace(file: string, content: string | Uint8Array): void {
  writeFileSync(`${file}.new`, content)
  renameSync(`${file}.new`, file)
}

export function writeManifest(folder: string, manifest: Manifest): void {
  mkdirSync(folder, { recursive: true })
  replace(join(folder, FILE), `${JSON.stringify(manifest, null, 2)}\n`)
}

export function writeRecording(folder: string, file: string, recording: Recording): void {
  mkdirSync(folder, { recursive: true })
  const text = Buffer.from(JSON.stringify(recording))
  replace(join(folder, file), brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT, [constants.BROTLI_PARAM_QUALITY]: 7, [constants.BROTLI_PARAM_SIZE_HINT]: text.length } }))
}

/** @throws Error when the file is not there or holds something else */
export function readRecording(folder: string, file: string): Recording {
  const recording: Recording = JSON.parse(brotliDecompressSync(readFileSync(join(folder, file))).toString())
  const lengths = new Set(recording.series.map(({ values, histograms }) => (values ?? histograms ?? []).length))
  if ([...lengths].some((length) => length !== recording.slices)) throw new Error(`${file} is no recording of ${recording.slices} slices`)
  return recording
}

const keyOf = ({ name, labels }: RecordedSeries): string => JSON.stringify([name, Object.entries(labels)])
const nothing = (length: number): null[] => Array.from({ length }, () => null)

/** What follows directly is put behind it; series that only one of them has are filled with null. */
export function append(before: Recording | undefined, more: Recording): Recording {
  if (before === undefined) return more
  if (more.start !== before.start + before.slices * STEP_MS) throw new Error('a recording must go on where it ended')
  const [old, fresh] = [before, more].map(({ series }) => new Map(series.map((each) => [keyOf(each), each])))
  const keys = new Set([...(old?.keys() ?? []), ...(fresh?.keys() ?? [])])
  const series = [...keys].flatMap((key): RecordedSeries[] => {
    const [first, second] = [old?.get(key), fresh?.get(key)]
    const some = first ?? second
    if (some === undefined) return []
    const { name, unit, labels } = some
    if (some.histograms === undefined) return [{ name, unit, labels, values: [...(first?.values ?? nothing(before.slices)), ...(second?.values ?? nothing(more.slices))] }]
    return [{ name, unit, labels, histograms: [...(first?.histograms ?? nothing(before.slices)), ...(second?.histograms ?? nothing(more.slices))] }]
  })
  return { ...before, slices: before.slices + more.slices, series }
}
