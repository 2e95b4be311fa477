// Which series must agree before a person is woken.
import { DETECTOR_STATES, type DetectorState, type Milliseconds } from '@andon/model'
import { JUDGE } from './parameters.ts'
import type { WatchedSeries } from './series.ts'

/** What becomes of what the series of a service say. */
export type Action = 'none' | 'annotate' | 'ticket' | 'page'

/** What the series of one service say together. */
export interface Agreement {
  readonly action: Action
  /** What alarms, the leading one first. */
  readonly firing: readonly WatchedSeries[]
  /** Of them, those with another family beside them. */
  readonly agreed: readonly WatchedSeries[]
}

const atLeast = (state: DetectorState, needed: DetectorState): boolean => DETECTOR_STATES.indexOf(state) >= DETECTOR_STATES.indexOf(needed)
const startOf = (series: WatchedSeries): Milliseconds => series.episode?.start ?? 0

/** The median and the slowest requests are two witnesses: chance moves them apart. The 95th percentile and the share of slow ones are one. */
function agreeing(series: WatchedSeries, others: readonly WatchedSeries[]): boolean {
  return others.some((other) => other.signal.family !== series.signal.family && Math.abs(startOf(other) - startOf(series)) <= JUDGE.agreeMs)
}

/** What users notice. */
function indicates({ signal, verdict }: WatchedSeries): boolean {
  return signal.isIndicator || (signal.indicatesFrom !== undefined && verdict.effect >= signal.indicatesFrom)
}

function carries(firing: readonly WatchedSeries[], agreed: readonly WatchedSeries[], needed: DetectorState): boolean {
  if (firing.some((each) => indicates(each) && atLeast(each.state, needed))) return true
  return new Set(agreed.filter((each) => atLeast(each.state, needed)).map((each) => each.signal.family)).size >= JUDGE.agreeFamilies
}

const weightOf = (series: WatchedSeries): number => {
  const { statistic, threshold } = series.verdict
  return (series.signal.isIndicator ? 1000 : 0) + DETECTOR_STATES.indexOf(series.state) * 100 + Math.min(99, statistic - threshold)
}

/**
 * What to do about the alarms of one service: page on an indicator that may page, or where series of two families that may page began within three
 * minutes; the same for tickets; otherwise annotate.
 */
export function agreementOf(series: Iterable<WatchedSeries>): Agreement {
  const firing = [...series].filter((each) => each.episode !== undefined)
  if (firing.length === 0) return { action: 'none', firing, agreed: [] }
  const agreed = firing.filter((each) => agreeing(each, firing))
  firing.sort((a, b) => weightOf(b) - weightOf(a))
  const action = carries(firing, agreed, 'page') ? 'page' : carries(firing, agreed, 'ticket') ? 'ticket' : 'annotate'
  return { action, firing, agreed }
}
