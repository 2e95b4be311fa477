// When the simulated series of these tests begin.
import type { Milliseconds } from '@andon/model'
import { SLICE_MS } from './parameters.ts'

export const DAY_SLICES: number = 86_400_000 / SLICE_MS
/** A Monday at midnight. */
export const BEGIN: Milliseconds = Date.UTC(2026, 0, 5)
