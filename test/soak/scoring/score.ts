// How well detectors found what was injected, and how often they cried wolf.
import { type Milliseconds, quantile, type Ratio } from '@andon/model'
import { READ_DELAY_MS } from '@andon/server'
import type { Alarm, Detector } from './detectors.ts'
import { hasEffect, isBelowFloor } from './effect.ts'
import { type Share, shareOf } from './share.ts'
import { isDisturbed, RECOVERY_MS, STEP_MS, type Stretch, type Truth } from './stretch.ts'

/** What became of one fault. */
export interface Found {
  readonly fault: Truth
  /** Whether it changed anything by the floor. */
  readonly hasEffect: boolean
  /** From the injection to the first page, on data time; undefined when none came within five minutes. */
  readonly delayMs: Milliseconds | undefined
}

export interface Score {
  readonly detector: string
  readonly found: readonly Found[]
  /** Incidents: pages of one service that begin within three minutes of one another. */
  readonly trueIncidents: number
  readonly falseIncidents: number
  /** Quiet time that was judged. */
  readonly quietMs: Milliseconds
  /** Slices of tracks in quiet time, and those of them that fired. */
  readonly evaluations: number
  readonly firing: number
  /** All windows of five minutes that lie in quiet time, and those of them in which a page began. */
  readonly placebos: number
  readonly placeboHits: number
}

/** A page counts for a fault when it begins so soon after the injection. */
const WITHIN_MS: Milliseconds = 5 * 60_000
/** Pages that begin so soon after one another are one incident. */
const TOGETHER_MS: Milliseconds = 3 * 60_000

/** Begins of incidents: the first page, and each that begins later than three minutes after the last one. */
function incidentsOf(pages: readonly Alarm[]): Milliseconds[] {
  const begins: Milliseconds[] = []
  let last = -Infinity
  for (const { start } of pages.toSorted((a, b) => a.start - b.start)) {
    if (start - last > TOGETHER_MS) begins.push(start)
    last = start
  }
  return begins
}

/** Whether an incident that begins then is about a fault: while it lasts, or in the time until all is as before. */
const isAbout = (begin: Milliseconds, { start, end }: Truth): boolean => begin >= start && begin <= end + RECOVERY_MS

interface Tally {
  trueIncidents: number
  falseIncidents: number
  quietMs: number
  evaluations: number
  firing: number
  placebos: number
  placeboHits: number
}

function foundIn(stretch: Stretch, pages: readonly Alarm[]): Found[] {
  return stretch.truth.map((fault) => {
    const first = Math.min(...pages.map(({ start }) => start).filter((start) => start > fault.start && start <= fault.start + WITHIN_MS))
    return { fault, hasEffect: hasEffect(stretch, fault), delayMs: Number.isFinite(first) ? first - fault.start : undefined }
  })
}

function countQuiet({ start, slices, history, tracks, truth }: Stretch, alarms: readonly Alarm[], pages: readonly Alarm[], tally: Tally): void {
  const quiet: Milliseconds[] = []
  for (let slice = history; slice < slices; slice += 1) if (!isDisturbed(start + slice * STEP_MS, truth)) quiet.push(start + slice * STEP_MS)
  tally.quietMs += quiet.length * STEP_MS
  tally.evaluations += quiet.length * tracks.length
  // What a detector says of the whole service is no further evaluation.
  const ofTracks = alarms.filter(({ track }) => tracks.some(({ key }) => key === track))
  for (const alarm of ofTracks) tally.firing += quiet.filter((time) => time >= alarm.start && time <= alarm.end).length
  for (const time of quiet) {
    const isWhole = time + WITHIN_MS <= start + slices * STEP_MS && truth.every((fault) => time + WITHIN_MS <= fault.start || time > fault.end + RECOVERY_MS)
    if (!isWhole) continue
    tally.placebos += 1
    if (pages.some((page) => page.start > time && page.start <= time + WITHIN_MS)) tally.placeboHits += 1
  }
}

/** Replays all stretches through a detector. Nothing that stands in history counts. */
export async function score(detector: Detector, stretches: readonly Stretch[]): Promise<Score> {
  const found: Found[] = []
  const tally: Tally = { trueIncidents: 0, falseIncidents: 0, quietMs: 0, evaluations: 0, firing: 0, placebos: 0, placeboHits: 0 }
  for (const stretch of stretches) {
    const judgedFrom = stretch.start + stretch.history * STEP_MS
    const alarms = (await detector.judge(stretch)).filter(({ end }) => end >= judgedFrom)
    const pages = alarms.filter(({ page = true, start }) => page && start >= judgedFrom)
    found.push(...foundIn(stretch, pages))
    for (const begin of incidentsOf(pages)) {
      if (stretch.truth.some((fault) => isAbout(begin, fault))) tally.trueIncidents += 1
      else tally.falseIncidents += 1
    }
    countQuiet(stretch, alarms, pages, tally)
  }
  return { detector: detector.name, found, ...tally }
}

/** Whether a fault counts for the recall: it was meant to be found, and had an effect. */
export const counts = ({ fault, hasEffect: hasOne }: Found): boolean => hasOne && !isBelowFloor(fault)

/** How many of some faults were found. */
export function recallOf(found: readonly Found[]): Share {
  return shareOf(found.filter(({ delayMs }) => delayMs !== undefined).length, found.length)
}

/** True incidents of all. */
export function precisionOf({ trueIncidents, falseIncidents }: Pick<Score, 'trueIncidents' | 'falseIncidents'>): Share {
  return shareOf(trueIncidents, trueIncidents + falseIncidents)
}

/** Delays of what was found, with the time until a slice is read, as a quantile; NaN when nothing was found. */
export function delayOf(found: readonly Found[], q: Ratio): Milliseconds {
  return quantile(found.flatMap(({ delayMs }) => delayMs ?? []).toSorted((a, b) => a - b), q) + READ_DELAY_MS
}
