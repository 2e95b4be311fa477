import type { Ratio } from '@andon/model'

/**
 * A share whose distance from 100 % matters, such as an objective or what was kept of it: as many decimals as tell it from 100 %
 * and no rounding up to it.
 *
 * @param most - decimals, at most
 * @example shareText(0.99953) // '99.953 %'
 */
export function shareText(ratio: Ratio | null | undefined, most = 5): string {
  if (ratio === null || ratio === undefined || !Number.isFinite(ratio)) return '–'
  if (ratio >= 1) return '100 %'
  const missing = (1 - ratio) * 100
  const decimals = missing >= 10 ? 1 : Math.min(most, Math.max(2, 2 - Math.floor(Math.log10(missing))))
  // Down: what was missed must not be rounded away. The small part mends 99.9 being stored as 99.90000000000001.
  const scale = 10 ** decimals
  return `${(Math.floor(ratio * 100 * scale + 1e-6) / scale).toFixed(decimals).replace(/\.?0+$/, '')} %`
}
