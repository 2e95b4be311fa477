// All objectives: when they are counted, what they know after a restart, and whom they tell.
import { type Alert, type AlertReceiver, type Milliseconds, type Objective, type TimeRange, URGENCIES } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import type { SloSlice, SloSliceStore } from '../store/slo-slices.ts'
import { alertOf } from './alerts.ts'
import { type RangeQuery, type Requests, SliceCounter } from './count-slices.ts'
import { covers, DEFAULT_KINDS, type DefaultKind, defaultObjective, hasDefaults, measuredObjective } from './defaults.ts'
import { SLICE_MS } from './detection.ts'
import { hasChanged, judged, type ObjectiveAlerts } from './judge.ts'
import { type KeptObjective, keptEntry, type ObjectiveEntry, readKept } from './kept.ts'
import { MeasuredServices } from './measured-services.ts'
import { Recount } from './recount.ts'
import { ObjectiveTracker, sliceKey } from './tracker.ts'

/** The part of the state log that objectives use. */
export interface ObjectiveLog {
  append(rows: readonly ObjectiveEntry[]): Promise<unknown>
  latest(kind: 'objective'): Promise<readonly { readonly key: string; readonly state: string; readonly doc: unknown }[]>
}

export interface ObjectiveManagerDeps {
  readonly query: RangeQuery
  readonly slices: Pick<SloSliceStore, 'write' | 'read' | 'course' | 'countSpans'>
  readonly receiver: AlertReceiver
  readonly log: ObjectiveLog
  readonly clock: Clock
  readonly logger: Pick<Log, 'warn' | 'info'>
  readonly own: Pick<OwnMetrics, 'counter' | 'gauge'>
}

export interface ObjectiveManagerOptions {
  /** Whether services of which nothing was said get objectives. */
  readonly defaults: boolean
  /** How long after its end a slice is counted first. */
  readonly delayMs: Milliseconds
  /** How far back an objective is counted that is new. */
  readonly backfillMs: Milliseconds
  /** Where people reach this server; asked for when an alert is told, since a port may be known only then. */
  readonly externalUrl: () => string
}

/** What is told of an objective in general. */
export interface ObjectiveStanding {
  readonly tracker: ObjectiveTracker
  readonly alerts: ObjectiveAlerts
  /** Why it could not be counted the last time; '' where it could. */
  readonly lastError: string
}

const MINUTE: Milliseconds = 60_000
const HOUR: Milliseconds = 3_600_000
const DAY: Milliseconds = 86_400_000
/** A slice is counted anew at each evaluation until it is so old, and once more when it is an hour older. */
const SETTLE_MS: Milliseconds = 3 * MINUTE
/** What is counted at once. */
const CHUNK_MS: Milliseconds = 6 * HOUR
const CHUNKS_MAX = 32
/** Default objectives at most. */
const DEFAULTS_MAX = 1000
/** Between two entries of the log about an objective that does not change. */
const KEEP_MS: Milliseconds = HOUR

const floorTo = (time: Milliseconds, step: Milliseconds): Milliseconds => Math.floor(time / step) * step

interface Held {
  readonly tracker: ObjectiveTracker
  alerts: ObjectiveAlerts
  keptAt: Milliseconds
  lastError: string
}

/** Owns its timer from `start` to `stop`. */
export class ObjectiveManager {
  readonly #deps: ObjectiveManagerDeps
  readonly #options: ObjectiveManagerOptions
  readonly #counter: SliceCounter
  readonly #measured: MeasuredServices
  readonly #recount: Recount
  readonly #failed: ReturnType<OwnMetrics['counter']>
  readonly #missed: ReturnType<OwnMetrics['counter']>
  readonly #held = new Map<string, Held>()
  #end: () => void = () => undefined
  #under: Promise<void> | undefined
  #stopped = false
  #lookedTo: Milliseconds = 0
  /** Alerts of objectives that are there no more. */
  #orphans: { readonly alerts: readonly Alert[]; readonly entry: ObjectiveEntry }[] = []

  private constructor(deps: ObjectiveManagerDeps, options: ObjectiveManagerOptions) {
    this.#deps = deps
    this.#options = options
    this.#measured = new MeasuredServices(deps.query, deps.clock.now())
    this.#counter = new SliceCounter(deps.query, (query) => deps.slices.countSpans(query))
    this.#failed = deps.own.counter('andon_objectives_failures_total', 'Objectives that could not be counted when they were due.')
    this.#missed = deps.own.counter('andon_objectives_missed_total', 'Evaluations of objectives that were left out because the one before was still under way.')
    const failed = (what: string, error: unknown): void => {
      this.#failed.add(1)
      deps.logger.warn(what, { error: String(error) })
    }
    this.#recount = new Recount({ counter: this.#counter, slices: deps.slices, now: () => deps.clock.now(), failed })
    deps.own.gauge('andon_objectives', 'Objectives that are counted.', () => this.#held.size)
  }

  /** Reads what objectives knew. Nothing is counted before `start`. */
  static async open(objectives: readonly Objective[], deps: ObjectiveManagerDeps, options: ObjectiveManagerOptions): Promise<ObjectiveManager> {
    const manager = new ObjectiveManager(deps, options)
    await manager.#restore(objectives)
    return manager
  }

  async #restore(objectives: readonly Objective[]): Promise<void> {
    const kept = new Map<string, KeptObjective>()
    for (const { key, state, doc } of await this.#deps.log.latest('objective')) {
      const read = state === 'removed' ? undefined : readKept(doc)
      if (read !== undefined) kept.set(key, read)
    }
    if (kept.size > 0) {
      const oldest = Math.min(...[...kept.values()].map(({ settledTo }) => settledTo))
      this.#recount.resume(Math.max(oldest, this.#deps.clock.now() - this.#options.backfillMs))
    }
    for (const objective of objectives) await this.#hold(objective, kept.get(objective.id))
    for (const [key, each] of kept) {
      if (this.#held.has(key)) continue
      const { made } = each
      const isWanted = made !== undefined && this.#options.defaults && !this.#isCovered(made)
      if (!isWanted || !(await this.#holdMade(made, each))) this.#remove(key, each)
    }
  }

  #isCovered({ kind, service, environment }: NonNullable<KeptObjective['made']>): boolean {
    return [...this.#held.values()].some(({ tracker: { objective } }) => objective.file !== '' && covers(objective, kind, service, environment))
  }

  /** Whether a service that was seen before is still there: it sent something within three days, or an alert of it fires. */
  async #holdMade({ kind, service, environment }: NonNullable<KeptObjective['made']>, kept: KeptObjective): Promise<boolean> {
    const objective = kept.objective.indicator.kind === 'counts' ? measuredObjective(service, environment) : defaultObjective(kind, service, environment)
    const held = await this.#hold(objective, kept)
    const isThere = held.tracker.lastData !== undefined || held.alerts.page?.state === 'firing'
    if (!isThere) this.#held.delete(objective.id)
    return isThere
  }

  async #hold(objective: Objective, kept: KeptObjective | undefined): Promise<Held> {
    const { clock, slices } = this.#deps
    const now = clock.now()
    const oldest = floorTo(now - (objective.file === '' ? Math.min(DAY, this.#options.backfillMs) : this.#options.backfillMs), MINUTE)
    const isSame = kept?.slo === sliceKey(objective)
    const tracker = new ObjectiveTracker(objective, { settledTo: isSame ? Math.min(Math.max(oldest, kept.settledTo), floorTo(now, MINUTE)) : oldest, ...(isSame && kept.detection !== undefined && { settled: kept.detection }) })
    const range = { start: floorTo(now - 3 * DAY, MINUTE), end: floorTo(now, MINUTE) }
    if (isSame) tracker.refill(await slices.course({ slo: tracker.key, range }, MINUTE), range)
    const held: Held = { tracker, alerts: { ...kept?.alerts }, keptAt: kept?.settledTo ?? 0, lastError: '' }
    this.#held.set(objective.id, held)
    return held
  }

  /** What fired of an objective that is there no more is resolved; it is forgotten when that was told. */
  #remove(key: string, { objective, alerts }: Pick<KeptObjective, 'objective' | 'alerts'>): void {
    const now = this.#deps.clock.now()
    const resolved = URGENCIES.flatMap((urgency) => {
      const alert = alerts[urgency]
      return alert?.state === 'firing' ? [alertOf(objective, urgency, { ...alert, state: 'resolved', endsAt: now }, this.#options.externalUrl())] : []
    })
    const doc: KeptObjective = { slo: '', settledTo: now, alerts: {}, objective, made: undefined, detection: undefined }
    this.#orphans.push({ alerts: resolved, entry: { kind: 'objective', key, state: 'removed', service: objective.service, severity: '', actor: '', doc } })
  }

  /** Begins to count, at each slice. */
  start(): void {
    const { clock } = this.#deps
    const due = SLICE_MS - ((clock.now() - this.#options.delayMs) % SLICE_MS)
    this.#end = clock.after(due, () => {
      this.#end = clock.every(SLICE_MS, () => this.#tick())
      this.#tick()
    })
  }

  #tick(): void {
    if (this.#under !== undefined) return this.#missed.add(1)
    this.#under = this.evaluate()
      .catch((error: unknown) => this.#deps.logger.warn('objectives could not be evaluated', { error: String(error) }))
      .finally(() => {
        this.#under = undefined
      })
  }

  /** Counts no more, waits for what is under way, and keeps what is known. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#end()
    await this.#under
    await this.#keep([...this.#held.values()])
  }

  /** Takes other objectives of files; what is known of those that stay is kept. @throws what the store throws */
  async reload(objectives: readonly Objective[]): Promise<void> {
    this.#end()
    await this.#under
    const before = new Map(this.#held)
    await this.#keep([...before.values()])
    this.#held.clear()
    await this.#restore(objectives)
    if (!this.#stopped) this.start()
  }

  /** Those of files first, in their order. */
  get standings(): readonly ObjectiveStanding[] {
    return [...this.#held.values()]
  }

  standing(id: string): ObjectiveStanding | undefined {
    return this.#held.get(id)
  }

  /** Counts what is due, and tells. Settles when all is stored and told. */
  async evaluate(): Promise<void> {
    const now = this.#deps.clock.now()
    const end = floorTo(now - this.#options.delayMs, SLICE_MS)
    for (let chunk = 0; chunk < CHUNKS_MAX && !this.#stopped; chunk += 1) if (!(await this.#advance(end))) break
    await this.#recount.run(
      end,
      [...this.#held.values()].map(({ tracker }) => tracker),
      () => !this.#stopped,
    )
    await this.#tell(end, now)
  }

  /** One chunk of each objective; whether some have more to count. */
  async #advance(end: Milliseconds): Promise<boolean> {
    const settleTo = floorTo(end - SETTLE_MS, MINUTE)
    const groups = new Map<Milliseconds, Group>()
    const groupAt = (start: Milliseconds): Group => {
      const isTip = end - start <= CHUNK_MS
      const stop = isTip ? end : start + CHUNK_MS
      const group = groups.get(start) ?? { range: { start, end: stop }, settle: Math.max(start, Math.min(stop, settleTo)), held: [], finds: false }
      groups.set(start, group)
      return group
    }
    for (const each of this.#held.values()) if (each.tracker.end < end) groupAt(each.tracker.settledTo).held.push(each)
    // Services of which nothing is known yet are looked for once a minute, where the others are counted.
    if (this.#options.defaults && settleTo > this.#lookedTo) {
      groupAt(settleTo - MINUTE).finds = true
      this.#lookedTo = settleTo
    }
    const rows: SloSlice[] = []
    for (const group of groups.values()) rows.push(...(await this.#count(group)))
    try {
      await this.#deps.slices.write(rows, this.#deps.clock.now())
    } catch (error) {
      // Who must be told is told nevertheless; what is settled meanwhile is stored when its hour is counted once more.
      for (const { tracker } of this.#held.values()) tracker.forgetStored()
      this.#failed.add(1)
      this.#deps.logger.warn('what objectives counted could not be stored', { error: String(error) })
    }
    return [...this.#held.values()].some(({ tracker, lastError }) => tracker.end < end && lastError === '')
  }

  async #count({ range, settle, held, finds }: Group): Promise<SloSlice[]> {
    const ofSpans = held.filter(({ tracker }) => tracker.objective.indicator.kind === 'spans')
    const requests = await this.#requests(range, finds ? undefined : ofSpans)
    if (finds) await this.#discover(requests)
    const written: SloSlice[] = []
    for (const each of held) {
      const { tracker } = each
      try {
        const rows = await this.#counter.rowsOf(tracker.objective, range, requests)
        written.push(...tracker.take(rows, range.end, settle).map((row) => ({ slo: tracker.key, ...row })))
        each.lastError = ''
      } catch (error) {
        each.lastError = error instanceof Error ? error.message : String(error)
        this.#failed.add(1)
      }
    }
    return written
  }

  async #requests(range: TimeRange, of: readonly Held[] | undefined): Promise<Requests> {
    const all = of ?? [...this.#held.values()]
    const objectives = [...all.map(({ tracker }) => tracker.objective), ...(of === undefined ? [defaultObjective('latency', '', '')] : [])]
    return await this.#counter.requests(range, objectives, of === undefined)
  }

  async #discover({ counts }: Requests): Promise<void> {
    const now = this.#deps.clock.now()
    const seen = new Map([...counts.values()].flat().map(({ service, env }) => [`${service}\0${env}`, { service, environment: env }]))
    this.#measured.note(seen.values(), now)
    for (const { service, environment } of seen.values()) {
      for (const kind of DEFAULT_KINDS) if (hasDefaults(service)) await this.#holdDefault(kind, defaultObjective(kind, service, environment))
    }
    try {
      for (const { service, environment } of await this.#measured.find(now)) await this.#holdDefault('availability', measuredObjective(service, environment))
    } catch (error) {
      this.#failed.add(1)
      this.#deps.logger.warn('services that send metrics alone could not be looked for', { error: String(error) })
    }
  }

  async #holdDefault(kind: DefaultKind, objective: Objective): Promise<void> {
    const { id, service, environment } = objective
    if (this.#held.size < DEFAULTS_MAX && !this.#held.has(id) && !this.#isCovered({ kind, service, environment })) await this.#hold(objective, undefined)
  }

  async #tell(end: Milliseconds, now: Milliseconds): Promise<void> {
    const before = new Map([...this.#held.values()].map((held) => [held, held.alerts]))
    const changed: Held[] = []
    const told: Alert[] = []
    for (const held of this.#held.values()) {
      // One that is still counted from the past is not judged by it.
      if (held.tracker.end >= end) held.alerts = judged(held.tracker, held.alerts, now)
      const isNew = hasChanged(before.get(held) ?? {}, held.alerts)
      if (isNew || held.tracker.settledTo - held.keptAt >= KEEP_MS) changed.push(held)
      for (const urgency of URGENCIES) {
        const alert = held.alerts[urgency]
        if (alert !== undefined) told.push(alertOf(held.tracker.objective, urgency, alert, this.#options.externalUrl()))
      }
    }
    // Stored before anyone hears of it: what was told is known after a crash.
    try {
      await this.#keep(changed)
    } catch (error) {
      for (const [held, alerts] of before) held.alerts = alerts
      throw error
    }
    const all = [...this.#orphans.flatMap(({ alerts }) => alerts), ...told]
    if (all.length > 0) await this.#deps.receiver.accept(all)
    if (this.#orphans.length > 0) await this.#deps.log.append(this.#orphans.map(({ entry }) => entry))
    this.#orphans = []
  }

  async #keep(held: readonly Held[]): Promise<void> {
    if (held.length === 0) return
    await this.#deps.log.append(held.map(({ tracker, alerts }) => keptEntry(tracker, alerts)))
    for (const each of held) each.keptAt = each.tracker.settledTo
  }
}

interface Group {
  readonly range: TimeRange
  /** Up to when it is not counted again. */
  readonly settle: Milliseconds
  readonly held: Held[]
  /** Whether services of which nothing is known are looked for. */
  finds: boolean
}
