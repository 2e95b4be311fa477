// Where the numbers of a detector of values stand.
import { MAXIMA_SIZE } from './block-maxima.ts'
import { DAILY_BINS_SIZE, DAILY_SIZE } from './daily-evidence.ts'
import { EVIDENCE_SIZE } from './evidence.ts'
import { FORECAST_SIZE } from './forecast.ts'
import { HISTOGRAM_BUCKETS } from './log-histogram.ts'
import { SEASON_BINS_SIZE } from './season.ts'

export const SLICES = 0
export const LAST = 1
export const PREVIOUS = 2
export const COVARIANCE = 3
export const VARIANCE = 4
export const SCALE = 5
export const FROZEN = 6
export const FIRING = 7
export const ONSET = 8
export const CALM = 9
export const VALUE = 10
export const EXPECTED = 11
export const P = 12
export const EFFECT = 13
/** The last three p-values, then the last four residuals to the bad side. */
export const LAST_P = 14
export const RESIDUALS = 17
export const RESIDUALS_KEPT = 4
/** The fitted tail: its threshold, scale and shape. */
export const TAIL: number = RESIDUALS + RESIDUALS_KEPT
export const OWN_SIZE: number = TAIL + 3
export const STATE_SIZE: number = OWN_SIZE + EVIDENCE_SIZE + MAXIMA_SIZE + DAILY_SIZE + FORECAST_SIZE
export const DAILY_AT: number = HISTOGRAM_BUCKETS + SEASON_BINS_SIZE
export const FLOATS: number = DAILY_AT + DAILY_BINS_SIZE
