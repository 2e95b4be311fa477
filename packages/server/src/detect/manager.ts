// The detectors of all services: when slices are read, what is kept, and who is told.
import { type Alert, type AlertReceiver, AndonError, type Milliseconds } from '@andon/model'
import type { Evaluator } from '../query/grid.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import { isOpenAlertDoc, isProgressDoc, isSeriesDoc, isDetectorState, type OpenAlertDoc, type ProgressDoc } from './kept.ts'
import { READ_DELAY_MS, SLICE_MS } from './parameters.ts'
import type { DetectOptions } from './schema.ts'
import type { WatchedSeries } from './series.ts'
import type { WatchedService } from './service.ts'
import type { ServiceFacts } from './shown.ts'
import type { SeriesId } from './signals.ts'
import { serviceKey, sliceFloor, SliceReader } from './slices.ts'
import type { SpanSliceSource } from './span-slices.ts'
import { type Changes, Watch } from './watch.ts'

/** A row of what detectors keep. */
export interface DetectorEntry {
  readonly kind: 'detector'
  readonly key: string
  readonly state: string
  readonly service: string
  readonly severity: string
  readonly actor: string
  readonly doc: unknown
}

/** The part of the state log that detectors use. */
export interface DetectorLog {
  append(rows: readonly DetectorEntry[]): Promise<unknown>
  latest(kind: 'detector', options: { readonly except: readonly string[] }): Promise<readonly { readonly key: string; readonly state: string; readonly doc: unknown }[]>
}

export interface DetectManagerDeps {
  readonly evaluator: Evaluator
  /** Of services of which no metric says how long requests take; absent where those are not watched. */
  readonly spanSlices?: SpanSliceSource
  readonly log: DetectorLog
  readonly receiver: AlertReceiver
  readonly clock: Clock
  readonly logger: Pick<Log, 'warn' | 'info'>
  readonly own: Pick<OwnMetrics, 'counter' | 'gauge'>
  /** Where Andon's pages are; '' where not known. */
  readonly externalUrl: string
}

/** Slices that are read at once: an hour. */
const CHUNK = 240
/** Series that are kept in one insert. */
const ROWS = 100
const KEEP_EVERY_MS: Milliseconds = 6 * 3_600_000
const PROGRESS = 'progress'

/** Where the detectors are in the history. */
export interface Progress {
  /** The end of the last slice that was taken. */
  readonly until: Milliseconds
  /** Whether they are still behind what is stored. */
  readonly isReplaying: boolean
}

/** Owns its timer from `start` to `stop`. */
export class DetectManager {
  readonly #deps: DetectManagerDeps
  readonly #options: DetectOptions
  readonly #reader: SliceReader
  readonly watch: Watch
  readonly #missed: ReturnType<OwnMetrics['counter']>
  readonly #failed: ReturnType<OwnMetrics['counter']>
  readonly #slices: ReturnType<OwnMetrics['counter']>
  readonly #stop = new AbortController()
  #until: Milliseconds = 0
  #keptAt: Milliseconds = 0
  #under: Promise<void> | undefined
  #hasLooked = false
  #end: () => void = () => undefined
  /** Alerts that ended and have not been taken. */
  #owed: Alert[] = []
  /** What has changed and has not been kept. */
  readonly #changedServices = new Set<WatchedService>()
  readonly #changedSeries = new Set<WatchedSeries>()

  private constructor(deps: DetectManagerDeps, options: DetectOptions) {
    this.#deps = deps
    this.#options = options
    this.#reader = new SliceReader(deps.evaluator, deps.spanSlices)
    this.watch = new Watch({ externalUrl: deps.externalUrl, maxSeries: options.maxSeries, facts: (service) => this.factsOf(service) })
    this.#missed = deps.own.counter('andon_detect_missed_total', 'Readings of slices that were left out because the one before was still under way; they are made up for.')
    this.#failed = deps.own.counter('andon_detect_failures_total', 'Readings of slices that failed; they are tried again.')
    this.#slices = deps.own.counter('andon_detect_slices_total', 'Slices of series that detectors have taken.')
    deps.own.gauge('andon_detect_series', 'Series that detectors watch.', () => this.watch.size)
    deps.own.gauge('andon_detect_series_refused', 'Slices of series beyond the limit, since the start.', () => this.watch.refused)
  }

  /** Reads what was known before. Nothing is watched before `start`. */
  static async open(deps: DetectManagerDeps, options: DetectOptions): Promise<DetectManager> {
    const manager = new DetectManager(deps, options)
    await (options.enabled ? manager.#restore() : manager.#restoreAlerts())
    return manager
  }

  /** Alerts that were firing when the detectors were switched off are ended: nobody would look any more whether they last. */
  async #restoreAlerts(): Promise<void> {
    const now = this.#deps.clock.now()
    for (const { doc } of await this.#deps.log.latest('detector', { except: ['none'] })) if (isOpenAlertDoc(doc)) this.#restoreAlert(doc)
    for (const service of this.watch.services) {
      if (service.open === undefined) continue
      service.close(now)
      this.#changedServices.add(service)
    }
    this.#owed.push(...[...this.watch.services].flatMap((service) => service.takeEnded()))
  }

  async #restore(): Promise<void> {
    const oldest = sliceFloor(this.#deps.clock.now() - this.#options.historyMs)
    for (const { key, state, doc } of await this.#deps.log.latest('detector', { except: ['none'] })) {
      if (key === PROGRESS && isProgressDoc(doc)) {
        this.#until = doc.until
        for (const { service, environment, limit, at } of doc.slowLimits) this.#reader.setSlowLimit({ service, environment }, limit, at)
      } else if (isDetectorState(state) && isSeriesDoc(doc)) this.watch.restore(state, doc)
      else if (isOpenAlertDoc(doc)) this.#restoreAlert(doc)
    }
    this.#until = Math.max(this.#until, oldest)
    this.#keptAt = this.#deps.clock.now()
  }

  #restoreAlert({ service, environment, action, alert }: OpenAlertDoc): void {
    const restored: Alert = { ...alert, endsAt: undefined, value: alert.value ?? undefined, onsetAt: alert.onsetAt ?? undefined, expression: alert.expression ?? undefined }
    this.watch.restoreAlert({ service, environment }, { action, alert: restored })
  }

  get progress(): Progress {
    return { until: this.#until, isReplaying: this.#options.enabled && this.#deps.clock.now() - this.#until > CHUNK * SLICE_MS }
  }

  /** How a share of slow requests is defined for a service, and what its requests are counted from. */
  factsOf(service: Pick<SeriesId, 'service' | 'environment'>): ServiceFacts {
    return { slowLimit: this.#reader.slowLimit(service), isFromSpans: this.#reader.isFromSpans(service.service) }
  }

  /** Begins to watch: first what is stored, then what comes. */
  start(): void {
    const { clock } = this.#deps
    if (!this.#options.enabled) {
      if (this.#owed.length > 0) this.#under = this.#endAll()
      return
    }
    const since = (clock.now() - READ_DELAY_MS) % SLICE_MS
    this.#end = clock.after(since === 0 ? 0 : SLICE_MS - since, () => {
      this.#end = clock.every(SLICE_MS, () => this.#tick())
      this.#tick()
    })
  }

  #tick(): void {
    if (this.#under !== undefined) {
      this.#missed.add(1)
      return
    }
    this.#under = this.#catchUp()
      .catch((error: unknown) => {
        this.#failed.add(1)
        if (!this.#stop.signal.aborted) this.#deps.logger.warn('slices could not be read or alerts not handed on; both are tried again', { error: String(error) })
      })
      .finally(() => {
        this.#under = undefined
      })
  }

  /** Goes on where there are data, once after a start: most histories are shorter than what is kept. */
  async #skipSilence(): Promise<void> {
    if (this.#hasLooked) return
    const end = sliceFloor(this.#deps.clock.now() - READ_DELAY_MS)
    if (end - this.#until > CHUNK * SLICE_MS) this.#until = sliceFloor(await this.#reader.firstData({ start: this.#until, end }))
    this.#hasLooked = true
  }

  /** Takes every slice that is whole, the oldest first. */
  async #catchUp(): Promise<void> {
    await this.#skipSilence()
    for (;;) {
      const target = sliceFloor(this.#deps.clock.now() - READ_DELAY_MS)
      if (target <= this.#until || this.#stop.signal.aborted) break
      const end = Math.min(target, this.#until + CHUNK * SLICE_MS)
      const table = await this.#reader.read({ start: this.#until, end })
      const changes = await this.watch.take(table)
      this.#slices.add(table.count * table.series.length)
      this.#until = end
      this.#note(changes)
    }
    // Told before it is kept: after a crash in between it is told again, and never left untold. What began and ended in a replay is nobody's
    // alert any more.
    await this.#tell()
    await this.#keep()
    if (this.#deps.clock.now() - this.#keptAt >= KEEP_EVERY_MS) await this.#keepAll()
  }

  async #endAll(): Promise<void> {
    try {
      await this.#tell()
      await this.#keep()
    } catch (error) {
      this.#failed.add(1)
      this.#deps.logger.warn('alerts of detectors that are switched off could not be ended; the next start tries again', { error: String(error) })
    }
  }

  async #tell(): Promise<void> {
    const open = this.watch.open()
    if (open.length === 0 && this.#owed.length === 0) return
    await this.#deps.receiver.accept([...this.#owed, ...open])
    this.#owed = []
  }

  #note({ series, services, ended }: Changes): void {
    this.#owed.push(...ended)
    for (const service of services) this.#changedServices.add(service)
    for (const each of series) this.#changedSeries.add(each.series)
  }

  /** Keeps alerts that began or ended, and series that alarmed, recovered or are trusted otherwise. */
  async #keep(): Promise<void> {
    const services = [...this.#changedServices]
    const series = [...this.#changedSeries]
    const rows = [...services.map(alertEntry), ...series.map(seriesEntry)]
    for (let at = 0; at < rows.length; at += ROWS) await this.#deps.log.append(rows.slice(at, at + ROWS))
    // What has changed meanwhile is kept the next time.
    for (const each of services) this.#changedServices.delete(each)
    for (const each of series) this.#changedSeries.delete(each)
  }

  /** Keeps all, and then how far it goes: a crash in between repeats slices that the series know already. */
  async #keepAll(): Promise<void> {
    const now = this.#deps.clock.now()
    const gone = this.watch.forget(now).map((series) => ({ ...seriesEntry(series), state: 'none', doc: {} }))
    const rows = [...gone, ...[...this.watch.series].map(seriesEntry)]
    for (let at = 0; at < rows.length; at += ROWS) await this.#deps.log.append(rows.slice(at, at + ROWS))
    await this.#deps.log.append([this.#progressEntry()])
    this.#keptAt = now
  }

  #progressEntry(): DetectorEntry {
    const slowLimits = [...this.watch.services].flatMap(({ service, environment }) => {
      const limit = this.#reader.slowLimit({ service, environment })
      return limit === undefined ? [] : [{ service, environment, limit, at: this.#until }]
    })
    const doc: ProgressDoc = { until: this.#until, slowLimits }
    return { kind: 'detector', key: PROGRESS, state: 'read', service: '', severity: '', actor: '', doc }
  }

  /** What a person says of the alarms of a service in a time: real, or noise. Settles when it is kept. */
  async review(service: string, range: { readonly start: Milliseconds; readonly end: Milliseconds }, isReal: boolean): Promise<void> {
    const touched: WatchedSeries[] = []
    for (const each of this.watch.series) {
      if (each.id.service !== service) continue
      each.review(range.start, range.end, isReal)
      touched.push(each)
    }
    await this.#deps.log.append(touched.map(seriesEntry))
  }

  /** Reads no more, waits for what is under way, and keeps what is known. */
  async stop(): Promise<void> {
    this.#end()
    this.#stop.abort(new AndonError('unavailable', 'the server stops'))
    await this.#under
    if (this.#options.enabled && this.watch.size > 0) await this.#keepAll()
  }
}

function seriesEntry(series: WatchedSeries): DetectorEntry {
  return { kind: 'detector', key: series.publicId, state: series.state, service: series.id.service, severity: '', actor: '', doc: series.doc() }
}

function alertEntry({ service, environment, open }: WatchedService): DetectorEntry {
  const key = `alert:${serviceKey({ service, environment })}`
  return { kind: 'detector', key, state: open === undefined ? 'none' : 'firing', service, severity: open?.alert.labels['severity'] ?? '', actor: '', doc: open === undefined ? {} : { service, environment, ...open } }
}
