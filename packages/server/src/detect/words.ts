// What a person reads of a series.
import type { WatchedSeries } from './series.ts'
import type { Signal } from './signals.ts'

const digits: Intl.NumberFormat = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

/** A value with its unit, as it is read. */
export function valueText(value: number, unit: Signal['unit']): string {
  if (!Number.isFinite(value)) return 'unknown'
  switch (unit) {
    case 'seconds':
      return value < 1 ? `${digits.format(value * 1000)} ms` : `${digits.format(value)} s`
    case 'ratio':
      return `${digits.format(value * 100)} %`
    case 'per second':
      return `${digits.format(value)}/s`
    case 'bytes':
      return `${digits.format(value / 2 ** 20)} MiB`
  }
}

/** @example '95th percentile of latency 812 ms, expected 310 ms' */
export function describe({ signal, id, verdict }: Pick<WatchedSeries, 'signal' | 'id' | 'verdict'>): string {
  const where = id.key === '' ? '' : ` (${id.key})`
  return `${signal.title}${where} ${valueText(verdict.value, signal.unit)}, expected ${valueText(verdict.expected, signal.unit)}`
}
