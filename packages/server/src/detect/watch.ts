// All services that are watched, without timers and without a store: slices go in, alerts and changes come out. Also the backtest and the
// scoring of recordings go through here, so that what is measured is what runs.
import type { Alert, DetectorState, Milliseconds } from '@andon/model'
import { SLICE_MS } from './parameters.ts'
import { type SeriesDoc, WatchedSeries } from './series.ts'
import { type Change, type OpenAlert, WatchedService } from './service.ts'
import type { ServiceFacts } from './shown.ts'
import type { SeriesId, SeriesSlices } from './signals.ts'
import { seriesKey, serviceKey, type SliceTable } from './slices.ts'

export interface WatchOptions {
  readonly externalUrl: string
  readonly maxSeries: number
  readonly facts: (service: Pick<SeriesId, 'service' | 'environment'>) => ServiceFacts
}

/** What a table of slices has changed. */
export interface Changes {
  readonly series: readonly Change[]
  /** Alerts that ended. */
  readonly ended: readonly Alert[]
  /** Services whose alert began or ended. */
  readonly services: readonly WatchedService[]
}

const SILENT_MS: Milliseconds = 8 * 86_400_000
/** Slices between two breaths, so that others have their turn. */
const BREATH = 2000

/** Owns what is known of all series. */
export class Watch {
  readonly #services = new Map<string, WatchedService>()
  readonly #byId = new Map<string, WatchedSeries>()
  readonly #options: WatchOptions
  /** Series that were refused because there were too many. */
  refused = 0

  constructor(options: WatchOptions) {
    this.#options = options
  }

  get services(): Iterable<WatchedService> {
    return this.#services.values()
  }

  /** Of all services. */
  get series(): Iterable<WatchedSeries> {
    return this.#byId.values()
  }

  get size(): number {
    return this.#byId.size
  }

  find(publicId: string): WatchedSeries | undefined {
    return this.#byId.get(publicId)
  }

  serviceOf(id: Pick<SeriesId, 'service' | 'environment'>): WatchedService | undefined {
    return this.#services.get(serviceKey(id))
  }

  /** Alerts that last. */
  open(): Alert[] {
    return [...this.#services.values()].flatMap(({ open }) => (open === undefined ? [] : [open.alert]))
  }

  /** Takes what was kept of a series before a restart. */
  restore(state: DetectorState, doc: SeriesDoc): void {
    this.#add(new WatchedSeries(doc.id, { state, doc }))
  }

  /** Takes the alert that a service had before a restart. */
  restoreAlert(id: Pick<SeriesId, 'service' | 'environment'>, open: OpenAlert): void {
    const service = this.#services.get(serviceKey(id)) ?? this.#made(id)
    service.restore(open)
    this.#services.set(serviceKey(id), service)
  }

  #made(id: Pick<SeriesId, 'service' | 'environment'>): WatchedService {
    return new WatchedService(id, { externalUrl: this.#options.externalUrl, facts: () => this.#options.facts(id) })
  }

  #add(series: WatchedSeries): WatchedSeries {
    const key = serviceKey(series.id)
    const service = this.#services.get(key) ?? this.#made(series.id)
    this.#services.set(key, service)
    service.series.set(seriesKey(series.id), series)
    this.#byId.set(series.publicId, series)
    return series
  }

  #seriesOf(id: SeriesId): WatchedSeries | undefined {
    const known = this.#services.get(serviceKey(id))?.series.get(seriesKey(id))
    if (known !== undefined) return known
    if (this.#byId.size < this.#options.maxSeries) return this.#add(new WatchedSeries(id))
    this.refused += 1
    return undefined
  }

  /** Takes slices in the order of time, all series of one time together. */
  async take(table: SliceTable): Promise<Changes> {
    const byService = new Map<string, [WatchedSeries, SeriesSlices][]>()
    for (const slices of table.series) {
      const series = this.#seriesOf(slices.id)
      if (series === undefined) continue
      const key = serviceKey(slices.id)
      const list = byService.get(key) ?? []
      list.push([series, slices])
      byService.set(key, list)
    }
    const changes: Change[] = []
    const services = new Set<WatchedService>()
    let taken = 0
    for (const [key, service] of this.#services) {
      const own = byService.get(key) ?? []
      const before = service.open
      for (let index = 0; index < table.count; index += 1) {
        takeSlice(service, own, { time: table.start + index * SLICE_MS, index }, changes)
        taken += own.length
        if (taken > BREATH) {
          taken = 0
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      if (before?.alert.startsAt !== service.open?.alert.startsAt) services.add(service)
    }
    const ended = [...this.#services.values()].flatMap((service) => service.takeEnded())
    return { series: changes, ended, services: [...services] }
  }

  /** Forgets series that nothing was heard of for eight days. @returns them */
  forget(now: Milliseconds): WatchedSeries[] {
    const gone = [...this.#byId.values()].filter(({ until }) => until !== 0 && now - until > SILENT_MS)
    for (const each of gone) {
      this.#byId.delete(each.publicId)
      this.#services.get(serviceKey(each.id))?.series.delete(seriesKey(each.id))
    }
    for (const [key, { series, open }] of this.#services) if (series.size === 0 && open === undefined) this.#services.delete(key)
    return gone
  }
}

function takeSlice(service: WatchedService, own: readonly (readonly [WatchedSeries, SeriesSlices])[], { time, index }: { readonly time: Milliseconds; readonly index: number }, changes: Change[]): void {
  // A series of an edge that is not in the answer any more is silent too.
  const heard = new Set(own.map(([series]) => series))
  for (const [series, { values, counts }] of own) {
    const what = series.take(time, values[index] ?? Number.NaN, counts[index] ?? Number.NaN)
    if (what !== undefined) changes.push({ series, what, state: series.state })
  }
  for (const series of service.series.values()) {
    if (heard.has(series) || series.episode === undefined) continue
    const what = series.take(time, Number.NaN, Number.NaN)
    if (what !== undefined) changes.push({ series, what, state: series.state })
  }
  for (const series of service.conclude(time)) changes.push({ series, what: 'judged', state: series.state })
}
