// What may have caused an incident: what was deployed and which courses changed shortly before it.
import type { Evidence, Incident, Labels, Milliseconds, TimelineEntry } from '@andon/model'
import { levelChange } from './level-change.ts'

export interface Suspect {
  readonly kind: 'deploy' | 'change'
  readonly at: Milliseconds
  /** For people. */
  readonly text: string
  /** From it to the estimated onset; negative where it came later. */
  readonly beforeOnsetMs: Milliseconds
}

/** The onset is an estimate. */
const SLACK: Milliseconds = 5 * 60_000
const LOOKBACK: Milliseconds = 2 * 3_600_000
/** A change of level that follows a deploy within this time goes with it. */
const FOLLOWS: Milliseconds = 10 * 60_000
const SUSPECTS_MAX = 8

interface Course {
  readonly labels: Labels
  readonly points: readonly (readonly [Milliseconds, number])[]
}

function isPoint(value: unknown): value is readonly [number, number] {
  return Array.isArray(value) && typeof value[0] === 'number' && typeof value[1] === 'number' && Number.isFinite(value[1])
}

function isCourse(value: unknown): value is Course {
  return typeof value === 'object' && value !== null && 'points' in value && Array.isArray(value.points) && value.points.every(isPoint)
}

function coursesOf({ data }: Evidence): readonly Course[] {
  if (typeof data !== 'object' || data === null || !('series' in data) || !Array.isArray(data.series)) return []
  const list: readonly unknown[] = data.series
  return list.filter(isCourse)
}

/** A number as people read it. */
export function short(value: number): string {
  if (value === 0) return '0'
  return Math.abs(value) >= 1e6 || Math.abs(value) < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(3)))
}

export function minutes(ms: Milliseconds): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 360) / 10} h`
}

/** Courses that changed their level around the onset, the strongest change of each piece of evidence. */
function changes({ onsetAt, marks }: Incident, evidence: readonly Evidence[]): readonly (Suspect & { readonly score: number })[] {
  // What came after the detection, such as the recovery, is no cause.
  const until = marks.detected.at + SLACK
  return evidence.flatMap((piece) => {
    const found = coursesOf(piece).flatMap(({ points }) => levelChange(points.filter(([time]) => time <= until)) ?? [])
    const [best] = found.toSorted((a, b) => b.score - a.score)
    if (best === undefined || best.at > until || best.at < onsetAt - LOOKBACK) return []
    return [{ kind: 'change' as const, at: best.at, beforeOnsetMs: onsetAt - best.at, score: best.score, text: `${piece.title} ${best.after > best.before ? 'rose' : 'fell'} from ${short(best.before)} to ${short(best.after)}` }]
  })
}

/**
 * What may have caused an incident, the nearest to its onset first; deploys before changes of courses, and with those that follow them.
 *
 * @param timeline - holds the deploys
 */
export function suspectsOf(incident: Incident, timeline: readonly TimelineEntry[], evidence: readonly Evidence[]): Suspect[] {
  const { onsetAt } = incident
  const changed = changes(incident, evidence)
  const deploys = timeline
    .filter(({ kind, at }) => kind === 'deploy' && at >= onsetAt - LOOKBACK && at <= onsetAt + SLACK)
    .map(({ at, text }): Suspect => {
      const after = changed.filter((one) => one.at >= at - 60_000 && one.at <= at + FOLLOWS).map((one) => `${one.text} ${minutes(Math.max(0, one.at - at))} later`)
      return { kind: 'deploy', at, beforeOnsetMs: onsetAt - at, text: [text, ...after.slice(0, 3)].join('; ') }
    })
  const near = (a: Suspect, b: Suspect): number => Math.abs(a.beforeOnsetMs) - Math.abs(b.beforeOnsetMs)
  return [...deploys.toSorted(near), ...changed.map(({ kind, at, text, beforeOnsetMs }) => ({ kind, at, text, beforeOnsetMs })).toSorted(near)].slice(0, SUSPECTS_MAX)
}
