// Resets of histogram counters told from their points, where the source does not say.
import type { SourceSeries } from '../context.ts'
import { withHint } from './arithmetic.ts'
import { wasReset } from './compare.ts'
import type { HistogramValue } from '../../../store/metric-rows.ts'

/** The same series with each histogram saying whether its counter began anew since the point before. */
export function withDetectedHints(series: SourceSeries): SourceSeries {
  if (series.histograms === undefined) return series
  let before: HistogramValue | undefined
  const histograms = series.histograms.map((value) => {
    const previous = before
    if (value !== undefined) before = value
    if (value === undefined || previous === undefined || value.hint !== undefined) return value
    return withHint(value, wasReset(value, previous) ? 'reset' : 'same')
  })
  return { ...series, histograms }
}
