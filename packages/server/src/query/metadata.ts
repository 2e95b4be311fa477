// Names, labels and series as they can be asked: those that are stored, and the classic series that are computed of histograms.
import { type LabelMatcher, type Labels, labelsKey, type Milliseconds, type TimeRange } from '@andon/model'
import { type View, viewOf } from '../store/bucket-views.ts'
import type { SeriesExemplars } from '../store/metrics.ts'

/** What is known of a metric. */
export interface MetricMetadata {
  readonly name: string
  readonly type: string
  readonly unit: string
  readonly help: string
}

/** What is stored; `MetricsStore` is one. */
export interface StoredMetrics {
  /** `most`: how many are wanted, of names and values the first in order; more may be answered. */
  labelNames(matchers: readonly LabelMatcher[], range: TimeRange, most: number): Promise<readonly string[]>
  labelValues(label: string, matchers: readonly LabelMatcher[], range: TimeRange, most: number): Promise<readonly string[]>
  seriesOf(matchers: readonly LabelMatcher[], range: TimeRange, most: number): Promise<readonly Labels[]>
  select(matchers: readonly LabelMatcher[], range: TimeRange): Promise<readonly { readonly labels: Labels }[]>
  exemplars(matchers: readonly LabelMatcher[], range: TimeRange): Promise<readonly SeriesExemplars[]>
  metadata(): Promise<readonly MetricMetadata[]>
}

const SUFFIXES = ['_bucket', '_count', '_sum'] as const
/** The limits of computed buckets are those of the newest points. */
const NEWEST: Milliseconds = 300_000

/** Answers of names, labels and series. Holds nothing; may be called concurrently. */
export class MetadataReader {
  readonly #stored: StoredMetrics
  readonly #now: () => Milliseconds

  constructor(stored: StoredMetrics, now: () => Milliseconds) {
    this.#stored = stored
    this.#now = now
  }

  metadata(): Promise<readonly MetricMetadata[]> {
    return this.#stored.metadata()
  }

  exemplars(matchers: readonly LabelMatcher[], range: TimeRange): Promise<readonly SeriesExemplars[]> {
    return this.#stored.exemplars(matchers, range)
  }

  /**
   * Names of the labels of the series that match, in any order.
   *
   * @param most - the first so many in order are among them
   */
  async labelNames(matchers: readonly LabelMatcher[], range: TimeRange, most: number): Promise<readonly string[]> {
    const stored = await this.#stored.labelNames(matchers, range, most)
    const view = await this.#view(matchers)
    if (view === undefined) return stored
    const computed = await this.#stored.labelNames(view.matchers, range, most)
    return [...stored, ...computed, ...(view.suffix === '_bucket' && computed.length > 0 ? ['le'] : [])]
  }

  /** Values of one label of the series that match, in any order; `most` as of names. */
  async labelValues(label: string, matchers: readonly LabelMatcher[], range: TimeRange, most: number): Promise<readonly string[]> {
    const stored = await this.#stored.labelValues(label, matchers, range, most)
    if (label === '__name__') return [...stored, ...(await this.#computedNames(stored, matchers))]
    const view = await this.#view(matchers)
    if (view === undefined) return stored
    if (label !== 'le') return [...stored, ...(await this.#stored.labelValues(label, view.matchers, range, most))]
    return view.suffix === '_bucket' ? [...stored, ...(await this.#limits(matchers, range))] : stored
  }

  /** Labels of the series that match, or of `most` of them and some more; of computed buckets once for all their limits. */
  async seriesOf(matchers: readonly LabelMatcher[], range: TimeRange, most: number): Promise<readonly Labels[]> {
    const stored = await this.#stored.seriesOf(matchers, range, most)
    const view = await this.#view(matchers)
    if (view === undefined) return stored
    const computed = (await this.#stored.seriesOf(view.matchers, range, most)).map((labels): Labels => ({ ...labels, __name__: `${labels['__name__'] ?? ''}${view.suffix}` }))
    // What was sent as classic series as well is told once.
    return [...new Map([...stored, ...computed].map((labels) => [labelsKey(labels), labels])).values()]
  }

  /** What is computed for a selector; undefined where it names no histogram. */
  async #view(matchers: readonly LabelMatcher[]): Promise<View | undefined> {
    const view = viewOf(matchers)
    if (view === undefined) return undefined
    const base = view.matchers.find(({ name }) => name === '__name__')?.value
    const isHistogram = (await this.#stored.metadata()).some(({ name, type }) => name === base && type === 'histogram')
    return isHistogram ? view : undefined
  }

  async #limits(matchers: readonly LabelMatcher[], range: TimeRange): Promise<readonly string[]> {
    const end = Math.min(range.end, this.#now())
    const series = await this.#stored.select(matchers, { start: Math.max(range.start, end - NEWEST), end })
    return series.flatMap(({ labels }) => labels['le'] ?? [])
  }

  /** Names by which stored histograms can be asked as classic ones. */
  async #computedNames(stored: readonly string[], matchers: readonly LabelMatcher[]): Promise<readonly string[]> {
    if (matchers.some(({ name }) => name === '__name__')) return (await this.#view(matchers)) === undefined ? [] : matchers.flatMap(({ name, operator, value }) => (name === '__name__' && operator === '=' ? [value] : []))
    const histograms = new Set((await this.#stored.metadata()).filter(({ type }) => type === 'histogram').map(({ name }) => name))
    return stored.filter((name) => histograms.has(name)).flatMap((name) => SUFFIXES.map((suffix) => `${name}${suffix}`))
  }
}
