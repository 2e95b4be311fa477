// What incidents stand on; made by app.ts, or by a test.
import type { AlertVerdict, DeployMarker, Incident, Milliseconds, Outbox, TimeRange } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import type { EvidenceSource } from './evidence.ts'
import type { IncidentLog } from './incident-log.ts'

export interface IncidentDeps {
  readonly log: IncidentLog
  readonly clock: Clock
  readonly logger: Pick<Log, 'warn'>
  readonly own: Pick<OwnMetrics, 'counter' | 'gauge'>
  readonly outbox: Outbox
  /** Services that call a service or are called by it. */
  readonly neighbours: (service: string) => Promise<ReadonlySet<string>>
  /** Deploys of some services, and those that hold for all. */
  readonly deploys: (services: readonly string[], range: TimeRange) => Promise<readonly DeployMarker[]>
  readonly evidence: EvidenceSource
  /** How long the expression of a rule must hold before it fires; 0 where it is not known. */
  readonly holdMs: (rule: string) => Milliseconds
  /** Told what people say that alerts of an incident were good for, once it is stored. */
  readonly judged?: (incident: Incident, verdicts: Readonly<Record<string, AlertVerdict>>) => Promise<void>
}
