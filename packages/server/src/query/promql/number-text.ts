// Numbers and histograms as Prometheus writes them in labels and answers.
import type { HistogramValue } from '../../store/metric-rows.ts'
import { bucketsOf } from './histogram/buckets.ts'

/** Digits without an exponent: 1e21 as 1000000000000000000000, 1e-7 as 0.0000001. */
function plain(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text) ?? []
  const shift = Number(exponent)
  const digits = `${whole}${fraction}`
  const point = whole.length + shift
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return point >= digits.length ? `${sign}${digits.padEnd(point, '0')}` : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

/** A number in the shortest digits that give it back, without an exponent. */
export function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (Object.is(value, -0)) return '-0'
  const text = String(value)
  return text.includes('e') ? plain(text) : text
}

/** A number as Go's %g has it: with an exponent below 1e-4 and from 1e21 on. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return numberText(value)
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e21)) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
  return numberText(value)
}

/** How the ends of a bucket belong to it: 0 open on the left, 1 on the right, 3 closed on both sides. */
export function boundaryRule(side: 'negative' | 'zero' | 'positive'): 0 | 1 | 3 {
  return side === 'positive' ? 0 : side === 'negative' ? 1 : 3
}

/** A histogram as text: `{count:4, sum:5, (1,2]:4}`. */
export function histogramText(value: HistogramValue): string {
  const buckets = bucketsOf(value).map(({ lower, upper, count, side }) => `, ${side === 'positive' ? '(' : '['}${shortNumber(lower)},${shortNumber(upper)}${side === 'negative' ? ')' : ']'}:${shortNumber(count)}`)
  return `{count:${shortNumber(value.count)}, sum:${shortNumber(value.sum)}${buckets.join('')}}`
}
