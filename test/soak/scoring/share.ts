// Shares with their intervals.
import type { Ratio } from '@andon/model'
import { Z95 } from '../slope.ts'

/** So many of so many. */
export interface Share {
  readonly hits: number
  readonly of: number
  /** NaN of none. */
  readonly share: Ratio
  /** The interval of 95 %; of none it is 0 to 1. */
  readonly low: Ratio
  readonly high: Ratio
}

/**
 * A share with its interval of 95 %.
 *
 * @see Wilson 1927, Probable inference, the law of succession, and statistical inference
 * @example shareOf(10, 10).low // 0.722…
 */
export function shareOf(hits: number, of: number): Share {
  if (of === 0) return { hits, of, share: Number.NaN, low: 0, high: 1 }
  const share = hits / of
  const middle = share + (Z95 * Z95) / (2 * of)
  const width = Z95 * Math.sqrt((share * (1 - share)) / of + (Z95 * Z95) / (4 * of * of))
  const scale = 1 + (Z95 * Z95) / of
  return { hits, of, share, low: Math.max(0, (middle - width) / scale), high: Math.min(1, (middle + width) / scale) }
}
