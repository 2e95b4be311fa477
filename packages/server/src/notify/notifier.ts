// Everything that tells, made of the section `notify`.
import { createHash } from 'node:crypto'
import type { AlertReceiver, IncidentBook, Milliseconds, Notification } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import type { Resolve } from './address-guard.ts'
import type { Outcome } from './channel.ts'
import { createChannel, openOutside } from './channels.ts'
import { Pictures, type SeriesReader } from './chart/pictures.ts'
import { Heartbeat } from './heartbeat.ts'
import { MessageOutbox } from './outbox.ts'
import type { MessageLog } from './outbox-deps.ts'
import type { NotifyOptions } from './schema.ts'
import { defaultTiming, type Timing } from './worker.ts'

export interface NotifierDeps {
  readonly options: NotifyOptions
  /** Where people reach this server; '' where nobody said: then messages have no links into it. */
  readonly externalUrl: string
  readonly log: MessageLog
  readonly clock: Clock
  readonly logger: Pick<Log, 'info' | 'warn' | 'error'>
  readonly own: Pick<OwnMetrics, 'counter' | 'gauge'>
  readonly alerts: AlertReceiver
  readonly incidents: Pick<IncidentBook, 'told'>
  /** Reads the course of a metric for pictures. */
  readonly series?: SeriesReader
  /** Finds the addresses of names; by DNS when absent. */
  readonly resolve?: Resolve
  /** Of attempts; the waits of `options` hold. */
  readonly timing?: Pick<Timing, 'baseMs' | 'capMs'>
}

/** Owns the outbox, its channels, pictures and heartbeat from `open` to `stop`. */
export class Notifier {
  readonly outbox: MessageOutbox
  readonly pictures: Pictures | undefined
  readonly #clock: Clock
  readonly #heartbeat: Heartbeat | undefined

  private constructor(outbox: MessageOutbox, clock: Clock, { pictures, heartbeat }: { readonly pictures: Pictures | undefined; readonly heartbeat: Heartbeat | undefined }) {
    this.outbox = outbox
    this.#clock = clock
    this.pictures = pictures
    this.#heartbeat = heartbeat
  }

  /**
   * Makes the channels and reads what is owed. Nothing is told before `start`.
   *
   * @throws AndonError bad_config when a secret is missing
   */
  static async open(deps: NotifierDeps): Promise<Notifier> {
    const { options, externalUrl, clock, logger, own, series, timing = defaultTiming } = deps
    const world = { clock, externalUrl, allowHosts: options.allowHosts, ...(deps.resolve !== undefined && { resolve: deps.resolve }) }
    for (const warning of options.warnings) logger.warn('a part of the configuration is not used', { warning })
    const outside = openOutside(world)
    const receivers = options.receivers.map(({ name, channels, fallback }) => ({
      name,
      channels: channels.map((channel) => createChannel(channel, outside, world)),
      fallback: fallback ?? options.fallback,
    }))
    const pictures = series === undefined ? undefined : new Pictures({ series, clock, log: logger, externalUrl })
    const outbox = await MessageOutbox.open({
      ...deps,
      receivers,
      ...(pictures !== undefined && { picture: async (message) => await pictures.of(message) }),
      timing: { baseMs: timing.baseMs, capMs: timing.capMs, fallbackAfterMs: options.fallbackAfterMs, giveUpAfterMs: options.giveUpAfterMs },
    })
    const heartbeat = options.heartbeat === undefined ? undefined : new Heartbeat({ ...options.heartbeat, http: outside.http, clock, logger, own })
    return new Notifier(outbox, clock, { pictures, heartbeat })
  }

  start(): void {
    this.outbox.start()
    this.#heartbeat?.start()
  }

  async stop(): Promise<void> {
    this.#heartbeat?.stop()
    await this.outbox.stop()
  }

  /** Sends a test message now. @throws AndonError not_found */
  async test(channel: string, actor: string): Promise<{ readonly outcome: Outcome; readonly tookMs: Milliseconds }> {
    const receiver = this.outbox.channels().find(({ name }) => name === channel)?.receiver ?? ''
    return await this.outbox.test(channel, testNotification(receiver, actor, this.#clock.now()))
  }
}

/** What a test says. */
export function testNotification(receiver: string, actor: string, now: Milliseconds): Notification {
  const id = `test-${createHash('sha256').update(`${receiver} ${now} ${Math.random()}`).digest('hex').slice(0, 24)}`
  return {
    id,
    receiver,
    groupKey: `test:${id}`,
    groupLabels: { alertname: 'AndonTest' },
    incident: undefined,
    reason: 'test',
    status: 'firing',
    alerts: [
      {
        status: 'firing',
        fingerprint: '0'.repeat(16),
        labels: { alertname: 'AndonTest', severity: 'info' },
        annotations: { summary: `A test of this channel${actor === '' ? '' : `, asked for by ${actor}`}. Nothing is wrong.` },
        startsAt: now,
        endsAt: undefined,
        generatorUrl: '',
        value: undefined,
        expression: undefined,
      },
    ],
    truncated: 0,
    decidedAt: now,
  }
}
