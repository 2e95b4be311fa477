// What the outbox stands on; made by app.ts, or by a test.
import type { AlertReceiver, IncidentBook, Milliseconds, TimeRange } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import type { Channel, OutMessage, Picture } from './channel.ts'
import type { MessageRow } from './message.ts'
import type { Timing } from './worker.ts'

/** A row as it is read back from the log. */
export interface LoggedMessage {
  readonly key: string
  readonly revision: number
  readonly written: Milliseconds
  readonly state: string
  readonly doc: unknown
}

/** The part of the state log that the outbox uses. */
export interface MessageLog {
  append(rows: readonly MessageRow[]): Promise<unknown>
  latest(kind: 'message' | 'channel', options?: { readonly except?: readonly string[] }): Promise<readonly LoggedMessage[]>
  between(kind: 'message', range: TimeRange, limit: number): Promise<readonly LoggedMessage[]>
}

/** A receiver with what it is told by. */
export interface OutboxReceiver {
  readonly name: string
  readonly channels: readonly Channel[]
  /** The channel that is told what one of these does not take in time. */
  readonly fallback: string | undefined
}

export interface OutboxDeps {
  readonly receivers: readonly OutboxReceiver[]
  readonly log: MessageLog
  readonly clock: Clock
  readonly logger: Pick<Log, 'info' | 'warn' | 'error'>
  readonly own: Pick<OwnMetrics, 'counter' | 'gauge'>
  /** Where alerts about telling itself go. */
  readonly alerts: AlertReceiver
  /** Whose timeline says what was told. */
  readonly incidents: Pick<IncidentBook, 'told'>
  readonly picture?: (message: OutMessage) => Promise<Picture | undefined>
  readonly timing?: Timing
  readonly random?: () => number
  /** Groups of channels that are owed something, in memory. */
  readonly lanesMax?: number
}
