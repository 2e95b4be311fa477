// The rollups of five minutes and of one hour, as they are read: cells of equal length by series or group.
import { AndonError, type LabelMatcher, type Labels, labelsKey, type Milliseconds, type TimeRange } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import { bucketViews, type View, viewOf } from './bucket-views.ts'
import type { Database } from './database.ts'
import { groupedSeries, type GroupedSeries, HISTOGRAM_WEIGHT, isHistogram, type KnownSeries, seriesApart, type SeriesIndex, USUAL_INTERVAL } from './known-series.ts'
import { type CellGrid, ENOUGH, type FloatCells, type FloatColumn, type HistogramCells, readFloatCells, readHistogramCells, type Resolution } from './rollup-read.ts'
import { extentOf, type RollupExtent } from './rollup-extent.ts'
import type { SelectOptions } from './metrics.ts'

/** What is asked of a rollup. */
export interface CellRequest {
  readonly series: RolledSeries
  readonly resolution: Resolution
  /** `increase` of counters and histograms; else of gauges. */
  readonly column: 'increase' | FloatColumn
  readonly grid: CellGrid
  /** The group of each series, where only the sums of groups are wanted, which increases alone can be. */
  readonly groupOf?: (labels: Labels) => Labels
  /** Below so many raw points, as estimated, the rollup is not read. */
  readonly leastPoints: number
}

export interface RollupAnswer {
  readonly floats: readonly FloatCells[]
  readonly histograms: readonly HistogramCells[]
  /** Cells that were read. */
  readonly samples: number
}

/** How long it is remembered what has expired. */
const EXTENT_MS: Milliseconds = 10_000

/** Series that match, by what is read of them. */
export interface RolledSeries {
  /** Read from the rollup of samples. */
  readonly floats: readonly KnownSeries[]
  readonly native: readonly KnownSeries[]
  /** Histograms whose classic series are computed, under the names of those. */
  readonly viewed: readonly KnownSeries[]
  readonly view: View | undefined
}

const GAUGES: ReadonlySet<string> = new Set(['gauge', 'updown', 'info', 'summary', 'unknown'])

/** May be used concurrently. */
export class RollupStore {
  readonly #database: Database
  readonly #clock: Pick<Clock, 'now'>
  readonly #index: SeriesIndex
  #extent: { readonly read: Milliseconds; readonly value: Promise<RollupExtent> } | undefined

  constructor(database: Database, clock: Pick<Clock, 'now'>, index: SeriesIndex) {
    this.#database = database
    this.#clock = clock
    this.#index = index
  }

  /** Since when raw points and five-minute rollups are there, where coarser tables reach further back; read at most every ten seconds. */
  async extent(): Promise<RollupExtent> {
    const now = this.#clock.now()
    if (this.#extent === undefined || now - this.#extent.read > EXTENT_MS || now < this.#extent.read) {
      const value = extentOf(this.#database)
      this.#extent = { read: now, value }
      value.catch(() => (this.#extent = undefined))
    }
    return await this.#extent.value
  }

  /** The series that match and were seen since the range began. */
  async find(matchers: readonly LabelMatcher[], range: TimeRange, { signal }: SelectOptions = {}): Promise<RolledSeries> {
    const plain = await this.#index.find(matchers, range, signal)
    const view = viewOf(matchers)
    const [floats, native] = [plain.filter((each) => !isHistogram(each)), plain.filter(isHistogram)]
    if (view === undefined) return { floats, native, viewed: [], view }
    const stored = new Set(plain.map(({ labels }) => labelsKey({ ...labels, le: '' })))
    const viewed = (await this.#index.find(view.matchers, range, signal))
      .filter(isHistogram)
      .map((each) => ({ ...each, labels: { ...each.labels, __name__: `${each.labels['__name__'] ?? ''}${view.suffix}` } }))
      .filter(({ labels }) => !stored.has(labelsKey({ ...labels, le: '' })))
    return { floats, native, viewed, view }
  }

  /**
   * What the rollup holds of series.
   *
   * @returns undefined where there are few raw points, where the rollup does not hold this of some of the series, or where groups
   *   have no plain sums: of floats and histograms, and of the buckets of histograms
   * @throws AndonError query_too_large past `maxSamples` cells
   */
  async cells(request: CellRequest, { signal, maxSamples = Infinity }: SelectOptions = {}): Promise<RollupAnswer | undefined> {
    const { series, column, grid, leastPoints } = request
    const all = [...series.floats, ...series.native, ...series.viewed]
    const weight = series.floats.length + HISTOGRAM_WEIGHT * (series.native.length + series.viewed.length)
    if (all.length === 0 || weight * ((grid.cell * grid.count) / USUAL_INTERVAL) < leastPoints) return undefined
    const isFit = column === 'increase' ? series.floats.every(({ type }) => type === 'counter') : all.every(({ type }) => GAUGES.has(type))
    if (!isFit) return undefined
    if (all.length * grid.count > maxSamples) throw new AndonError('query_too_large', `${all.length} series at ${grid.count} times are more than ${maxSamples} samples`)
    return request.groupOf === undefined ? await this.#bySeries(request, signal) : await this.#byGroup(request, request.groupOf, signal)
  }

  async #bySeries({ series: { floats, native, viewed, view }, column, resolution, grid }: CellRequest, signal?: AbortSignal): Promise<RollupAnswer | undefined> {
    const read = { database: this.#database, resolution, grid, signal }
    const numbers = await readFloatCells(read, column === 'increase' ? 'inc' : column, seriesApart(floats))
    if (numbers === undefined) return undefined
    const computed = view === undefined ? [] : await this.#views(read, seriesApart(viewed), view)
    const histograms = column === 'increase' ? await readHistogramCells(read, seriesApart(native)) : []
    return answer([...numbers, ...computed], histograms)
  }

  /** The classic series of histograms; buckets only by series, since their limits are those of each. */
  async #views(read: Parameters<typeof readHistogramCells>[0], series: GroupedSeries, view: View): Promise<FloatCells[]> {
    if (view.suffix !== '_bucket') return (await readFloatCells(read, view.suffix === '_sum' ? 'hist_sm' : 'hist_n', series)) ?? []
    const found = await readHistogramCells(read, series)
    return found.flatMap((each) => bucketCells(each, view))
  }

  async #byGroup({ series: { floats, native, viewed, view }, resolution, grid }: CellRequest, groupOf: (labels: Labels) => Labels, signal?: AbortSignal): Promise<RollupAnswer | undefined> {
    // What is said of floats and histograms in one group names the series, and bounds of buckets are those of each.
    if ((floats.length > 0 && native.length > 0) || (view?.suffix === '_bucket' && viewed.length > 0)) return undefined
    const read = { database: this.#database, resolution, grid, signal }
    // What is a histogram now may have been sent as floats before.
    const numbers = (await readFloatCells(read, 'inc', groupedSeries([...floats, ...native], groupOf))) ?? []
    if (native.length > 0) return numbers.length > 0 ? undefined : answer([], await readHistogramCells(read, groupedSeries(native, groupOf)))
    const computed = view === undefined || viewed.length === 0 ? [] : ((await readFloatCells(read, view.suffix === '_sum' ? 'hist_sm' : 'hist_n', groupedSeries(viewed, groupOf))) ?? [])
    return answer(added([...numbers, ...computed]), [])
  }
}

function answer(floats: readonly FloatCells[], histograms: readonly HistogramCells[]): RollupAnswer {
  const filled = floats.reduce((sum, { counts }) => sum + counts.length, 0) + histograms.reduce((sum, { cells }) => sum + cells.length, 0)
  return { floats, histograms, samples: filled }
}

/** Cells of the same group added up. */
function added(list: readonly FloatCells[]): FloatCells[] {
  const found = new Map<string, FloatCells>()
  for (const each of list) {
    const key = labelsKey(each.labels)
    const held = found.get(key)
    if (held === undefined) found.set(key, each)
    else {
      for (let index = 0; index < each.values.length; index += 1) {
        held.values[index] = (held.values[index] ?? 0) + (each.values[index] ?? 0)
        held.counts[index] = (held.counts[index] ?? 0) + (each.counts[index] ?? 0)
      }
    }
  }
  return [...found.values()]
}

/** The computed series `…_bucket` of a histogram. */
function bucketCells({ labels, cells }: HistogramCells, view: View): FloatCells[] {
  const points = cells.flatMap((values, cell) => (values ?? []).map((value) => ({ value, cell })))
  const name = (labels['__name__'] ?? '').slice(0, -view.suffix.length)
  const zeros = new Float64Array(points.length)
  const series = { labels: { ...labels, __name__: name }, type: 'histogram', ts: zeros, v: zeros, stale: new Uint8Array(points.length), start: zeros, histograms: points.map(({ value }) => value) } as const
  return bucketViews(series, view).map((computed) => {
    const [values, counts] = [new Float64Array(cells.length), new Float64Array(cells.length)]
    for (const [index, { cell }] of points.entries()) {
      values[cell] = (values[cell] ?? 0) + (computed.v[index] ?? 0)
      // How many points there were is not kept of histograms: enough for a rate.
      counts[cell] = ENOUGH
    }
    return { labels: computed.labels, values, counts }
  })
}
