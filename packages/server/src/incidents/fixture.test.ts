// What tests of incidents share: a log in memory that can fail, an outbox that notes, and alerts.
import type { Alert, AlertChange, DeployMarker, Notification, Outbox, StateEntry } from '@andon/model'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import type { EvidenceSource } from './evidence.ts'
import type { IncidentDeps } from './incident-deps.ts'
import type { IncidentLog, IncidentRow, ReadRow } from './incident-log.ts'
import { IncidentManager } from './manager.ts'
import { type IncidentOptions, readIncidentOptions } from './schema.ts'

/** A state log in memory. */
export class MemoryLog implements IncidentLog {
  readonly rows: (IncidentRow & { readonly rev: number })[] = []
  /** Appends that fail before one is stored. */
  failing = 0

  append(rows: readonly IncidentRow[]): Promise<unknown> {
    if (this.failing > 0) {
      this.failing -= 1
      return Promise.reject(new Error('the disk is away'))
    }
    // As the table keeps it: as JSON.
    for (const row of rows) this.rows.push({ ...row, doc: JSON.parse(JSON.stringify(row.doc)) as unknown, rev: this.rows.length + 1 })
    return Promise.resolve()
  }

  latest(kind: 'incident'): Promise<readonly ReadRow[]> {
    const newest = new Map(this.rows.filter((row) => row.kind === kind).map((row) => [row.key, row]))
    return Promise.resolve([...newest.values()])
  }

  history(kind: string, key: string, limit: number): Promise<readonly ReadRow[]> {
    return Promise.resolve(
      this.rows
        .filter((row) => row.kind === kind && row.key === key)
        .toReversed()
        .slice(0, limit),
    )
  }
}

/** Notes what it is given to deliver; its rows are checked to be stored by then. */
export class MemoryOutbox implements Outbox {
  readonly delivered: Notification[] = []
  readonly #log: MemoryLog

  constructor(log: MemoryLog) {
    this.#log = log
  }

  entries(notifications: readonly Notification[]): readonly StateEntry[] {
    return notifications.map((doc) => ({ kind: 'message', key: doc.id, state: 'owed', service: '', severity: '', actor: '', doc }))
  }

  deliver(notifications: readonly Notification[]): void {
    for (const { id } of notifications) if (!this.#log.rows.some((row) => row.kind === 'message' && row.key === id)) throw new Error(`${id} was delivered before it was stored`)
    this.delivered.push(...notifications)
  }
}

export const noEvidence: EvidenceSource = { slowTraces: () => Promise.resolve([]), errors: () => Promise.resolve([]), statements: () => Promise.resolve([]), series: () => Promise.resolve([]) }

export interface World {
  readonly clock: FakeClock
  readonly log: MemoryLog
  readonly outbox: MemoryOutbox
  readonly deploys: DeployMarker[]
  manager: IncidentManager
  /** As after a kill -9: another manager reads the log. */
  restart(): Promise<void>
}

export interface WorldOptions {
  readonly yaml?: unknown
  readonly near?: Readonly<Record<string, readonly string[]>>
  readonly evidence?: EvidenceSource
  readonly deps?: Partial<IncidentDeps>
}

export const optionsOf = (yaml: unknown): IncidentOptions => readIncidentOptions(yaml)

/** A manager over memory, started. */
export async function createWorld({ yaml, near = {}, evidence = noEvidence, deps = {} }: WorldOptions = {}): Promise<World> {
  const clock = new FakeClock(Date.UTC(2026, 10, 2, 12))
  const log = new MemoryLog()
  const outbox = new MemoryOutbox(log)
  const deploys: DeployMarker[] = []
  const options = optionsOf(yaml)
  const open = async (): Promise<IncidentManager> => {
    const manager = await IncidentManager.open(
      {
        log,
        clock,
        logger: silentLog,
        own: new OwnMetrics(),
        outbox,
        neighbours: (service) => Promise.resolve(new Set(near[service] ?? [])),
        deploys: (services, { start, end }) => Promise.resolve(deploys.filter((one) => (one.service === '' || services.includes(one.service)) && one.at >= start && one.at < end)),
        evidence,
        holdMs: () => 0,
        ...deps,
      },
      options,
    )
    manager.start()
    return manager
  }
  const world: World = {
    clock,
    log,
    outbox,
    deploys,
    manager: await open(),
    restart: async () => {
      // The killed one does nothing any more.
      await world.manager.stop()
      world.manager = await open()
    },
  }
  return world
}

export interface AlertOptions {
  readonly rule?: string
  readonly service?: string
  readonly severity?: string
  readonly instance?: string
  readonly at: number
  readonly more?: Partial<Alert>
}

/** A change of an alert, with a fingerprint made of its labels. */
export function change(status: 'firing' | 'resolved', { rule = 'ManyErrors', service = 'shop', severity = 'critical', instance = '', at, more = {} }: AlertOptions): AlertChange {
  const labels = { alertname: rule, severity, ...(service !== '' && { service_name: service }), ...(instance !== '' && { instance }) }
  const alert: Alert = {
    labels,
    annotations: { summary: `${rule} of ${service}` },
    source: 'rule',
    startsAt: at,
    endsAt: status === 'resolved' ? at : undefined,
    generatorUrl: '',
    value: 0.12,
    expression: undefined,
    onsetAt: undefined,
    ...more,
  }
  return { alert, fingerprint: `${rule}/${service}/${instance}`, status, at }
}

export const firing = (options: AlertOptions): AlertChange => change('firing', options)
export const resolved = (options: AlertOptions): AlertChange => change('resolved', options)
