// What an alerting rule would have told of the past.
import type { Labels } from './labels.ts'
import type { Milliseconds, Ratio } from './units.ts'

/** A time in which one alert would have fired. */
export interface BacktestEpisode {
  readonly labels: Labels
  /** Since when the expression held. */
  readonly activeAt: Milliseconds
  readonly start: Milliseconds
  /** null where it still fired at the end of the range. */
  readonly end: Milliseconds | null
  /** The worst value while it fired: the highest, or the lowest where the rule asks for less than something. */
  readonly peak: number
}

export interface BacktestResult {
  readonly alert: string
  readonly expression: string
  readonly from: Milliseconds
  readonly to: Milliseconds
  /** Between two evaluations. */
  readonly intervalMs: Milliseconds
  /** Since when there are data; null where there are none. Later than `from` where the history is shorter than what was asked for. */
  readonly dataFrom: Milliseconds | null
  readonly isShorter: boolean
  /** How often an alert would have begun to fire. */
  readonly count: number
  /** Of the time for which there are data. */
  readonly perWeek: number | null
  /** The share of that time in which at least one alert fired. */
  readonly firingShare: Ratio | null
  /** In the order in which they began; of very many the first. */
  readonly episodes: readonly BacktestEpisode[]
  readonly areEpisodesCut: boolean
}
