// Holds detectors against recorded series with known faults: the whole pipeline as it runs, and two peers, in one run.
import { type Milliseconds, quantile, type Ratio, seeded, type TimeRange } from '@andon/model'
import { READ_DELAY_MS, SLICE_MS } from './parameters.ts'
import { RobustZ, type SimpleDetector, StaticSigma } from './simple-detectors.ts'
import { type SeriesSlices, serviceKey, type SliceTable } from './slices.ts'
import { signalOf } from './signals.ts'
import { Watch } from './watch.ts'

/** A fault that was switched on. */
export interface TruthWindow {
  /** Such as `latency × 2`. */
  readonly fault: string
  readonly start: Milliseconds
  readonly end: Milliseconds
  /** The services in which it can be seen; all when absent. */
  readonly services?: readonly string[]
  /** Smaller than what is to be found: reported apart, and no false alarm either. */
  readonly isBelowFloor?: boolean
}

/** Series with the truth about them. */
export interface Recording {
  readonly table: SliceTable
  readonly truth: readonly TruthWindow[]
  /** Only what is after this is scored; what is before is history. */
  readonly scoreFrom: Milliseconds
}

/** A time in which a detector alarmed for a service. */
export interface Detection {
  readonly service: string
  readonly start: Milliseconds
  readonly end: Milliseconds
}

export interface Share {
  readonly hits: number
  readonly of: number
  readonly share: Ratio
  /** Wilson's interval of 95 %. */
  readonly low: Ratio
  readonly high: Ratio
}

export interface DetectorScore {
  readonly detector: string
  /** Faults with an alarm that began within five minutes of theirs. */
  readonly recall: Share
  readonly byFault: ReadonlyMap<string, Share>
  /** Milliseconds from the injection, with the delay of reading; NaN where nothing was found. */
  readonly delayP50: Milliseconds
  readonly delayP95: Milliseconds
  /** Detections that lie at a fault, of all. */
  readonly precision: Share
  /** Slices of services in which it alarmed away from faults, of all such. */
  readonly timeFpr: Share
  /** Random windows of five minutes without a fault in which an alarm began. */
  readonly placebo: Share
  /** Away from faults. */
  readonly falseEpisodes: number
  readonly faultFreeHours: number
}

const FIND_MS: Milliseconds = 5 * 60_000
/** What alarms so long after a fault may still be its effect. */
const AFTER_MS: Milliseconds = 10 * 60_000
const PLACEBOS = 2000
const Z95 = 1.959_964

/** A share with Wilson's interval. @see Wilson 1927 */
export function shareOf(hits: number, of: number): Share {
  if (of === 0) return { hits, of, share: Number.NaN, low: Number.NaN, high: Number.NaN }
  const share = hits / of
  const z2 = Z95 * Z95
  const middle = (share + z2 / (2 * of)) / (1 + z2 / of)
  const half = (Z95 / (1 + z2 / of)) * Math.sqrt((share * (1 - share)) / of + z2 / (4 * of * of))
  return { hits, of, share, low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}

/** Notes, slice by slice, when something alarms. */
class Alarms {
  readonly detections: Detection[] = []
  /** Slices in which it alarmed, by service. */
  readonly slices: Map<string, Set<Milliseconds>> = new Map()
  readonly #since = new Map<string, Milliseconds>()

  note(service: string, time: Milliseconds, isFiring: boolean): void {
    const end = time + SLICE_MS
    const since = this.#since.get(service)
    if (isFiring) {
      const slices = this.slices.get(service) ?? new Set()
      slices.add(time)
      this.slices.set(service, slices)
      if (since === undefined) this.#since.set(service, end)
    } else if (since !== undefined) {
      this.detections.push({ service, start: since, end })
      this.#since.delete(service)
    }
  }

  close(time: Milliseconds): this {
    for (const [service, start] of this.#since) this.detections.push({ service, start, end: time })
    this.#since.clear()
    return this
  }
}

/** What the pipeline does, one slice after the other. */
async function watched(table: SliceTable): Promise<{ readonly pages: Alarms; readonly told: Alarms; readonly series: Alarms; readonly watch: Watch }> {
  const watch = new Watch({ externalUrl: '', maxSeries: 100_000, slowLimit: () => undefined })
  const [pages, told, series] = [new Alarms(), new Alarms(), new Alarms()]
  for (let index = 0; index < table.count; index += 1) {
    const start = table.start + index * SLICE_MS
    const one = table.series.map(({ id, values, counts }) => ({ id, values: values.subarray(index, index + 1), counts: counts.subarray(index, index + 1) }))
    await watch.take({ start, count: 1, series: one })
    for (const service of watch.services) {
      const key = serviceKey(service)
      pages.note(key, start, service.open?.action === 'page')
      told.note(key, start, service.open !== undefined)
      series.note(key, start, [...service.series.values()].some(({ episode }) => episode !== undefined))
    }
  }
  const end = table.start + table.count * SLICE_MS
  return { pages: pages.close(end), told: told.close(end), series: series.close(end), watch }
}

/** Peers see the same numbers, each series by itself; any of a service alarms for it. */
function simple(table: SliceTable, make: (worse: 'up' | 'down') => SimpleDetector): Alarms {
  const alarms = new Alarms()
  const detectors = table.series.map((series) => ({ series, detector: make(signalOf(series.id.signal).effect?.worse ?? 'up') }))
  for (let index = 0; index < table.count; index += 1) {
    const firing = new Map<string, boolean>()
    for (const { series, detector } of detectors) {
      const key = serviceKey(series.id)
      const isFiring = detector.add(plainValue(series, index))
      firing.set(key, (firing.get(key) ?? false) || isFiring)
    }
    for (const [key, isFiring] of firing) alarms.note(key, table.start + index * SLICE_MS, isFiring)
  }
  return alarms.close(table.start + table.count * SLICE_MS)
}

function plainValue({ id, values, counts }: SeriesSlices, index: number): number {
  const value = values[index] ?? Number.NaN
  if (signalOf(id.signal).points === undefined) return value
  const count = counts[index] ?? 0
  return count > 0 ? value / count : Number.NaN
}

const concerns = ({ services }: TruthWindow, service: string): boolean => services === undefined || services.includes(service.split('\u001f')[0] ?? '')

/** Whether a time of a service is away from all faults that can be seen in it. */
function isQuiet(truth: readonly TruthWindow[], service: string, { start, end }: TimeRange): boolean {
  return !truth.some((each) => concerns(each, service) && each.start < end && each.end + AFTER_MS > start)
}

function firstOf(detections: readonly Detection[], fault: TruthWindow): Detection | undefined {
  // A slice that began before the fault and holds some of it may be the first that shows it.
  const found = detections.filter(({ service, start }) => concerns(fault, service) && start >= fault.start && start <= fault.start + FIND_MS)
  return found.toSorted((a, b) => a.start - b.start)[0]
}

function recallOf(truth: readonly TruthWindow[], detections: readonly Detection[]): Pick<DetectorScore, 'recall' | 'byFault' | 'delayP50' | 'delayP95'> {
  const kinds = new Map<string, { hits: number; of: number }>()
  const delays: number[] = []
  let [hits, of] = [0, 0]
  for (const fault of truth) {
    const found = firstOf(detections, fault)
    const kind = kinds.get(fault.fault) ?? { hits: 0, of: 0 }
    kinds.set(fault.fault, { hits: kind.hits + (found === undefined ? 0 : 1), of: kind.of + 1 })
    if (fault.isBelowFloor === true) continue
    of += 1
    if (found === undefined) continue
    hits += 1
    delays.push(found.start - fault.start + READ_DELAY_MS)
  }
  delays.sort((a, b) => a - b)
  const byFault = new Map([...kinds].map(([fault, each]) => [fault, shareOf(each.hits, each.of)]))
  return { recall: shareOf(hits, of), byFault, delayP50: quantile(delays, 0.5), delayP95: quantile(delays, 0.95) }
}

function scoreOf(detector: string, { table, truth, scoreFrom }: Recording, alarms: Alarms): DetectorScore {
  const end = table.start + table.count * SLICE_MS
  const scored = truth.filter(({ start }) => start >= scoreFrom)
  const detections = alarms.detections.filter(({ start }) => start >= scoreFrom)
  const services = [...new Set(table.series.map(({ id }) => serviceKey(id)))]
  const wrong = detections.filter(({ service, start }) => isQuiet(truth, service, { start: start - SLICE_MS, end: start }))
  let [firing, quiet] = [0, 0]
  for (const service of services) {
    const slices = alarms.slices.get(service)
    for (let time = scoreFrom; time < end; time += SLICE_MS) {
      if (!isQuiet(truth, service, { start: time, end: time + SLICE_MS })) continue
      quiet += 1
      if (slices?.has(time) === true) firing += 1
    }
  }
  return {
    detector,
    ...recallOf(scored, detections),
    precision: shareOf(detections.length - wrong.length, detections.length),
    timeFpr: shareOf(firing, quiet),
    placebo: placeboOf({ detections, services, truth, range: { start: scoreFrom, end } }),
    falseEpisodes: wrong.length,
    faultFreeHours: (quiet * SLICE_MS) / 3_600_000,
  }
}

function placeboOf({ detections, services, truth, range }: { readonly detections: readonly Detection[]; readonly services: readonly string[]; readonly truth: readonly TruthWindow[]; readonly range: TimeRange }): Share {
  // A seed, so that a report can be made again.
  const next = seeded(11)
  let [hits, of] = [0, 0]
  for (let attempt = 0; attempt < PLACEBOS * 20 && of < PLACEBOS; attempt += 1) {
    const service = services[Math.floor(next() * services.length)] ?? ''
    const start = range.start + next() * (range.end - range.start - FIND_MS)
    if (!isQuiet(truth, service, { start, end: start + FIND_MS })) continue
    of += 1
    if (detections.some((each) => each.service === service && each.start >= start && each.start <= start + FIND_MS)) hits += 1
  }
  return shareOf(hits, of)
}

/**
 * Scores our pipeline (what pages, what is told at all, and what any series says before corroboration) and the two peers on one recording.
 */
export async function scoreRecording(recording: Recording): Promise<readonly DetectorScore[]> {
  const { table } = recording
  const { pages, told, series } = await watched(table)
  return [
    scoreOf('Andon, pages', recording, pages),
    scoreOf('Andon, pages and tickets', recording, told),
    scoreOf('Andon, any series', recording, series),
    scoreOf('static 3σ, 3 of 3', recording, simple(table, (worse) => new StaticSigma(worse))),
    scoreOf('robust z, k = 6', recording, simple(table, (worse) => new RobustZ(worse))),
  ]
}

/**
 * A recording with history before it, made by repeating its quiet slices: a detector needs seven days before it may page. The repetition is exact, so it
 * shows less variety than real history would; a report has to say so.
 *
 * @param quiet - a time without faults within the table; its ends are multiples of a slice
 * @param slices - how many to put before the table
 */
export function withHistory(table: SliceTable, quiet: TimeRange, slices: number): SliceTable {
  const from = Math.round((quiet.start - table.start) / SLICE_MS)
  const length = Math.round((quiet.end - quiet.start) / SLICE_MS)
  if (from < 0 || length < 1 || from + length > table.count) throw new RangeError('the quiet time must lie within the table')
  const extended = (values: Float64Array): Float64Array => {
    const whole = new Float64Array(slices + table.count)
    // The quiet time ends where the table begins, so that hours of the day do not jump more than they must.
    for (let index = 0; index < slices; index += 1) whole[index] = values[from + ((((index - slices) % length) + length) % length)] ?? Number.NaN
    whole.set(values, slices)
    return whole
  }
  return { start: table.start - slices * SLICE_MS, count: table.count + slices, series: table.series.map(({ id, values, counts }) => ({ id, values: extended(values), counts: extended(counts) })) }
}

const percent = ({ share, hits, of }: Share, digits = 1): string => (of === 0 ? '–' : `${(share * 100).toFixed(digits)} % (${hits} of ${of})`)
const interval = ({ low, high, of }: Share): string => (of === 0 ? '' : `, ${(low * 100).toFixed(0)} to ${(high * 100).toFixed(0)} %`)
const seconds = (ms: Milliseconds): string => (Number.isNaN(ms) ? '–' : `${(ms / 1000).toFixed(0)} s`)

/** The scores as tables in Markdown: one of detectors, one of faults. */
export function scoreTables(scores: readonly DetectorScore[]): string {
  const faults = [...new Set(scores.flatMap(({ byFault }) => [...byFault.keys()]))]
  return [
    '| detector | recall within 5 min (95 % interval) | delay p50 / p95 | precision | time-FPR | placebo | false episodes |',
    '|---|---|---|---|---|---|---|',
    ...scores.map(
      (each) =>
        `| ${each.detector} | ${percent(each.recall)}${interval(each.recall)} | ${seconds(each.delayP50)} / ${seconds(each.delayP95)} | ${percent(each.precision)} | ${percent(each.timeFpr, 3)} | ${percent(each.placebo, 2)} | ${each.falseEpisodes} in ${each.faultFreeHours.toFixed(1)} h |`,
    ),
    '',
    `| fault | ${scores.map(({ detector }) => detector).join(' | ')} |`,
    `|---|${scores.map(() => '---|').join('')}`,
    ...faults.map((fault) => `| ${fault} | ${scores.map(({ byFault }) => percent(byFault.get(fault) ?? shareOf(0, 0), 0)).join(' | ')} |`),
    '',
  ].join('\n')
}
