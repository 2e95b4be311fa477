// Stored series and those that are computed from spans, as one source.
import type { LabelMatcher, Labels, TimeRange } from '@andon/model'
import type { SelectedSeries } from '../store/bucket-views.ts'
import type { Metadata, MetricsStore, SelectOptions, SeriesExemplars } from '../store/metrics.ts'
import type { RateAnswer, RateRequest } from '../store/rate-sums.ts'
import type { SpanSeries } from './span-series.ts'

export type StoredSeries = Pick<MetricsStore, 'select' | 'rateSums' | 'seriesOf' | 'labelNames' | 'labelValues' | 'exemplars' | 'metadata'>
export type ComputedSeries = Pick<SpanSeries, 'select' | 'seriesOf' | 'metadata'>

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** What a computed series tells of: a pair of nodes, or a service. */
function subjectOf({ __name__: name = '', client = '', server = '', service = '' }: Labels): string {
  return [name, client, server, service].join('\0')
}

/** What is stored already, as by a Tempo that writes its metrics here, is not computed once more. */
function notStored<T>(computed: readonly T[], stored: readonly T[], labelsOf: (series: T) => Labels): readonly T[] {
  if (computed.length === 0 || stored.length === 0) return computed
  const known = new Set(stored.map((series) => subjectOf(labelsOf(series))))
  return computed.filter((series) => !known.has(subjectOf(labelsOf(series))))
}

/** What PromQL and the metadata of series are answered from. Holds nothing; may be called concurrently. */
export class AllSeries {
  readonly #stored: StoredSeries
  readonly #computed: ComputedSeries

  constructor(stored: StoredSeries, computed: ComputedSeries) {
    this.#stored = stored
    this.#computed = computed
  }

  /** @throws AndonError query_too_large past the limits of series or samples */
  async select(matchers: readonly LabelMatcher[], range: TimeRange, options: SelectOptions = {}): Promise<SelectedSeries[]> {
    const [stored, computed] = await Promise.all([this.#stored.select(matchers, range, options), this.#computed.select(matchers, range, options.signal)])
    return [...stored, ...notStored(computed, stored, ({ labels }) => labels)]
  }

  /** Computed series are not among those that are added up in the database: their names have no stored ones. */
  async rateSums(request: RateRequest, options: SelectOptions = {}): Promise<RateAnswer | undefined> {
    return await this.#stored.rateSums(request, options)
  }

  async seriesOf(matchers: readonly LabelMatcher[], range: TimeRange, most: number): Promise<Labels[]> {
    const [stored, computed] = await Promise.all([this.#stored.seriesOf(matchers, range, most), this.#computed.seriesOf(matchers, range)])
    return [...stored, ...notStored(computed, stored, (labels) => labels)]
  }

  /** Names of labels of the series that match, in order, with `__name__`. */
  async labelNames(matchers: readonly LabelMatcher[], range: TimeRange, most: number): Promise<string[]> {
    const [stored, computed] = await Promise.all([this.#stored.labelNames(matchers, range, most), this.#computed.seriesOf(matchers, range)])
    return [...new Set([...stored, ...computed.flatMap((labels) => Object.keys(labels))])].toSorted(order)
  }

  /** Values of a label of the series that match, in order. */
  async labelValues(label: string, matchers: readonly LabelMatcher[], range: TimeRange, most: number): Promise<string[]> {
    const [stored, computed] = await Promise.all([this.#stored.labelValues(label, matchers, range, most), this.#computed.seriesOf(matchers, range)])
    return [...new Set([...stored, ...computed.flatMap((labels) => labels[label] ?? [])])].toSorted(order)
  }

  async exemplars(matchers: readonly LabelMatcher[], range: TimeRange): Promise<SeriesExemplars[]> {
    return await this.#stored.exemplars(matchers, range)
  }

  /** What is known of each metric, in the order of the names. */
  async metadata(): Promise<Metadata[]> {
    const [stored, computed] = await Promise.all([this.#stored.metadata(), this.#computed.metadata()])
    const names = new Set(stored.map(({ name }) => name))
    return [...stored, ...computed.filter(({ name }) => !names.has(name))].toSorted((a, b) => order(a.name, b.name))
  }
}
