import type { ChartSeries } from './chart-options.ts'
import type { Tone } from './palette.ts'

const TONES: readonly Tone[] = ['accent', 'series-2', 'series-3', 'series-4', 'p50', 'limit']

/** Series of which nothing is known but their names, each in a colour of its own. */
export function asLines(series: readonly { readonly label: string; readonly values: readonly (number | null)[] }[]): ChartSeries[] {
  return series.map((one, index) => ({ ...one, tone: TONES[index] ?? 'limit' }))
}
