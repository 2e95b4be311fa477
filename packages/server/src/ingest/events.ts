// The events of agents among the logs: broken thresholds, inventories, blocks of the event loop, and what agents do to keep their budgets.
import {
  ADAPTED_EVENT,
  type Adaptation,
  type Breach,
  INVENTORY_EVENT,
  type InventoryItem,
  type Milliseconds,
  nanosecondsToMilliseconds,
  readAdaptation,
  readBreach,
  readInventory,
  readStall,
  type ReportedBreach,
  STALL_EVENT,
  THRESHOLD_ENDED_EVENT,
  THRESHOLD_EVENT,
  THRESHOLD_LASTING_EVENT,
} from '@andon/model'
import type { LogEvent } from '@andon/wire'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import { describeSource } from '../store/source.ts'
import type { SourcedStall } from '../store/stalls.ts'
import type { StateLog } from '../store/state.ts'
import type { IngestContext } from './spans.ts'

/** Broken thresholds of one request; further ones are refused. */
export const BREACHES_MAX = 200
/** Adaptations of one request; further ones are refused. An agent changes its level a few times an hour. */
export const ADAPTATIONS_MAX = 50
/** Names of one inventory; further ones are left out. */
export const INVENTORY_MAX = 5000
/** Inventories of one request; further ones are refused. */
const INVENTORIES_MAX = 100
/** Blocks of event loops of one request; further ones are refused. */
export const STALLS_MAX = 1000
const DAY: Milliseconds = 86_400_000

/** A breach as it is kept and answered. */
export interface KeptBreach extends Breach {
  readonly time: Milliseconds
  readonly service: string
  readonly instance: string
  /** '' outside a trace. */
  readonly traceId: string
}

/** Who makes alerts of it. */
export interface BreachSink {
  /** Settles when what changed is stored. May be given the same again. */
  accept(breaches: readonly ReportedBreach[]): Promise<void>
}

/** An adaptation as it is kept and answered. */
export interface KeptAdaptation extends Adaptation {
  readonly time: Milliseconds
  readonly service: string
  readonly instance: string
}

/** Where inventories are kept. */
export interface InventorySink {
  write(registrations: readonly { readonly service: string; readonly version: string; readonly items: readonly InventoryItem[] }[]): Promise<void>
}

/** Where blocks of event loops are kept. */
export interface StallSink {
  write(stalls: readonly SourcedStall[], options?: { readonly batch?: string }): Promise<void>
}

export interface EventDeps extends Pick<IngestContext, 'clock' | 'limits' | 'own' | 'retentionDays'> {
  readonly state: Pick<StateLog, 'append'>
  readonly inventory: InventorySink
  readonly stalls: StallSink
  readonly breaches?: BreachSink
}

/** Takes the events that agents send as log records. */
export class EventIngest {
  readonly #deps: EventDeps
  readonly #accepted: ReturnType<OwnMetrics['counter']>

  constructor(deps: EventDeps) {
    this.#deps = deps
    this.#accepted = deps.own.counter('andon_ingest_events_total', 'Events of agents that were stored, by kind.')
  }

  /**
   * Stores the events of one request; settles when they are stored. Repeated under the same batch number they count once.
   *
   * @returns how many were not understood, too many, or of a time in the future or before the retention
   */
  async accept(events: readonly LogEvent[], batch?: string): Promise<number> {
    const timely = events.filter((event) => this.#isInTime(event))
    const reported = timely.flatMap(breachOf).slice(0, BREACHES_MAX)
    const breaches = reported.flatMap(({ what, ...breach }) => (what === 'exceeded' ? [breach] : []))
    const adaptations = timely.flatMap(adaptationOf).slice(0, ADAPTATIONS_MAX)
    const inventories = timely.flatMap(registrationOf).slice(0, INVENTORIES_MAX)
    const stalls = timely.flatMap(stallOf).slice(0, STALLS_MAX)
    const options = batch === undefined ? {} : { batch }
    const rows = [
      ...breaches.map((doc) => ({ kind: 'breach' as const, key: doc.instance, state: 'exceeded', service: doc.service, severity: doc.severity, actor: '', doc })),
      ...adaptations.map((doc) => ({ kind: 'adaptation' as const, key: doc.instance, state: doc.reason, service: doc.service, severity: '', actor: '', doc })),
    ]
    // Small state first: it is taken also while the disk has no room for the others.
    if (rows.length > 0) await this.#deps.state.append(rows, options)
    if (reported.length > 0) await this.#deps.breaches?.accept(reported)
    if (inventories.length > 0) await this.#deps.inventory.write(inventories)
    if (stalls.length > 0) await this.#deps.stalls.write(stalls, options)
    this.#accepted.add(breaches.length, { kind: 'threshold' })
    this.#accepted.add(adaptations.length, { kind: 'adaptation' })
    this.#accepted.add(inventories.length, { kind: 'inventory' })
    this.#accepted.add(stalls.length, { kind: 'stall' })
    return events.length - reported.length - adaptations.length - inventories.length - stalls.length
  }

  /** One whose time is in the future or before the retention would have a partition of its own. */
  #isInTime({ time }: LogEvent): boolean {
    const { clock, limits, retentionDays } = this.#deps
    const [at, now] = [nanosecondsToMilliseconds(time), clock.now()]
    return at >= now - retentionDays * DAY && at <= now + limits.futureMs
  }
}

function stallOf({ name, time, attributes, resource, traceId, spanId }: LogEvent): SourcedStall[] {
  const stall = name === STALL_EVENT ? readStall(attributes) : undefined
  if (stall === undefined) return []
  const { service, env, version, instance } = describeSource(resource)
  return [{ ...stall, service, env, version, instance, time: nanosecondsToMilliseconds(time), traceId, spanId }]
}

const BREACHES: Readonly<Record<string, ReportedBreach['what']>> = { [THRESHOLD_EVENT]: 'exceeded', [THRESHOLD_LASTING_EVENT]: 'lasting', [THRESHOLD_ENDED_EVENT]: 'ended' }

function breachOf({ name, time, attributes, resource, traceId }: LogEvent): (KeptBreach & Pick<ReportedBreach, 'what'>)[] {
  const what = Object.hasOwn(BREACHES, name) ? BREACHES[name] : undefined
  const breach = what === undefined ? undefined : readBreach(attributes)
  if (what === undefined || breach === undefined) return []
  const { service, instance } = describeSource(resource)
  return [{ ...breach, what, time: nanosecondsToMilliseconds(time), service, instance, traceId }]
}

function adaptationOf({ name, time, attributes, resource }: LogEvent): KeptAdaptation[] {
  const adaptation = name === ADAPTED_EVENT ? readAdaptation(attributes) : undefined
  if (adaptation === undefined) return []
  const { service, instance } = describeSource(resource)
  return [{ ...adaptation, time: nanosecondsToMilliseconds(time), service, instance }]
}

function registrationOf({ name, attributes, resource }: LogEvent): { service: string; version: string; items: InventoryItem[] }[] {
  if (name !== INVENTORY_EVENT) return []
  const { service, version } = describeSource(resource)
  return [{ service, version, items: readInventory(attributes, INVENTORY_MAX) }]
}
