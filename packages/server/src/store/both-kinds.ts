// Series that were sent as floats and as histograms: at different times under one name, or as classic and native ones.
import { type Labels, labelsKey } from '@andon/model'
import type { SelectedSeries } from './bucket-views.ts'

function joined(floats: SelectedSeries, native: SelectedSeries): SelectedSeries {
  const points = [floats, native].flatMap((series) => [...series.ts].map((time, index) => ({ series, time, index })))
  points.sort((a, b) => a.time - b.time)
  const pick = (array: 'ts' | 'v' | 'start'): Float64Array => Float64Array.from(points, ({ series, index }) => series[array][index] ?? Number.NaN)
  return {
    ...native,
    ts: pick('ts'),
    v: pick('v'),
    stale: Uint8Array.from(points, ({ series, index }) => series.stale[index] ?? 0),
    start: pick('start'),
    histograms: points.map(({ series, index }) => series.histograms?.[index]),
  }
}

/** Makes one series of those that have the same labels object in both lists. */
export function ofBothKinds(floats: readonly SelectedSeries[], native: readonly SelectedSeries[]): SelectedSeries[] {
  if (floats.length === 0 || native.length === 0) return [...floats, ...native]
  const byLabels = new Map<Labels, SelectedSeries>(floats.map((series) => [series.labels, series]))
  for (const series of native) {
    const held = byLabels.get(series.labels)
    byLabels.set(series.labels, held === undefined ? series : joined(held, series))
  }
  return [...byLabels.values()]
}

function withoutLimit({ labels }: SelectedSeries): string {
  return labelsKey({ ...labels, le: '' })
}

/** Computed series of those histograms that are not stored as classic ones too. */
export function notStored(computed: readonly SelectedSeries[], stored: readonly SelectedSeries[]): readonly SelectedSeries[] {
  if (computed.length === 0 || stored.length === 0) return computed
  const known = new Set(stored.map(withoutLimit))
  return computed.filter((series) => !known.has(withoutLimit(series)))
}
