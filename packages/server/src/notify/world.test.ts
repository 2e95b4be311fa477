// What tests of the outbox stand on: a log, channels and time that a test owns, and processes that can be killed.
import type { Delivery, Milliseconds, Notification, NotifiedAlert, TimeRange } from '@andon/model'
import { type Clock, FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import type { Channel, ChannelType, OutMessage, Outcome, SendContext } from './channel.ts'
import type { MessageRow } from './message.ts'
import { MessageOutbox } from './outbox.ts'
import type { LoggedMessage, OutboxDeps } from './outbox-deps.ts'
import type { Pace } from './token-bucket.ts'

export const START: Milliseconds = Date.UTC(2026, 0, 1)
/** A promise that never settles: what a dead process waits for. */
const never = <T>(): Promise<T> => new Promise<T>(() => undefined)

interface Row extends MessageRow {
  readonly revision: number
  readonly written: Milliseconds
}

/** A state log that outlives processes. */
export class FakeLog {
  readonly rows: Row[] = []
  readonly clock: Pick<Clock, 'now'>
  isBroken = false

  constructor(clock: Pick<Clock, 'now'>) {
    this.clock = clock
  }

  append(rows: readonly MessageRow[]): Promise<void> {
    if (this.isBroken) return Promise.reject(new Error('the disk is full'))
    for (const row of rows) this.rows.push({ ...row, doc: JSON.parse(JSON.stringify(row.doc)) as unknown, revision: this.rows.length + 1, written: this.clock.now() })
    return Promise.resolve()
  }

  latest(kind: string, { except = [] }: { readonly except?: readonly string[] } = {}): Promise<readonly LoggedMessage[]> {
    const newest = new Map(this.rows.filter((row) => row.kind === kind).map((row) => [row.key, row]))
    return Promise.resolve([...newest.values()].filter(({ state }) => !except.includes(state)))
  }

  between(kind: string, { start, end }: TimeRange, limit: number): Promise<readonly LoggedMessage[]> {
    return Promise.resolve(this.rows.filter((row) => row.kind === kind && row.written >= start && row.written < end).slice(-limit))
  }

  /** The newest state of each message. */
  states(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.rows.filter(({ key }) => key.startsWith('m/')).map(({ key, state }) => [key, state]))
  }
}

export type Mode = 'up' | 'down' | 'limited' | 'half' | 'slow' | 'refuse' | 'disabled'

/** What a receiver took. */
export interface Taken {
  readonly channel: string
  readonly message: OutMessage
  readonly context: Pick<SendContext, 'memory' | 'isReopened' | 'othersFire'>
  readonly at: Milliseconds
}

/** A receiver that a test switches. */
export class FakeChannel implements Channel {
  readonly type: ChannelType = 'webhook'
  readonly name: string
  readonly receiver: string
  readonly sendResolved: boolean
  readonly destination: string
  readonly target: string
  readonly pace: Pace
  readonly #world: World
  mode: Mode = 'up'

  constructor(world: World, name: string, { receiver = 'team', sendResolved = true, pace = { perSecond: 10, burst: 10 } }: { readonly receiver?: string; readonly sendResolved?: boolean; readonly pace?: Pace } = {}) {
    this.#world = world
    this.name = name
    this.receiver = receiver
    this.sendResolved = sendResolved
    this.destination = name
    this.target = name
    this.pace = pace
  }

  async send(message: OutMessage, { memory, isReopened, othersFire }: SendContext): Promise<Outcome> {
    const { clock, taken, generation } = this.#world
    this.#world.attempts += 1
    const take = (): void => void taken.push({ channel: this.name, message, context: { memory, isReopened, othersFire }, at: clock.now() })
    if (this.mode === 'slow') await clock.sleep(8000)
    else await new Promise((resolve) => setImmediate(resolve))
    if (generation !== this.#world.generation) return await never()
    switch (this.mode) {
      case 'down':
        throw new Error('connect ECONNREFUSED')
      case 'limited':
        return { state: 'retry', detail: '429', afterMs: 3000 }
      case 'half':
        take()
        throw new Error('socket hang up')
      case 'refuse':
        return { state: 'refused', detail: '400' }
      case 'disabled':
        return { state: 'disabled', detail: '403' }
      case 'slow':
      case 'up':
        take()
        return { state: 'delivered', memory: { first: memory === undefined ? message.id : Reflect.get(Object(memory), 'first') } }
    }
  }
}

/** One server at a time, over a log that stays. */
export class World {
  readonly clock: FakeClock = new FakeClock(START)
  readonly log: FakeLog = new FakeLog(this.clock)
  readonly taken: Taken[] = []
  readonly told: Delivery[] = []
  readonly meta: string[] = []
  attempts = 0
  generation = 0
  own: OwnMetrics = new OwnMetrics()
  outbox: MessageOutbox | undefined

  /** A process has ended: nothing of it happens any more. */
  kill(): void {
    this.generation += 1
    this.outbox = undefined
  }

  /** A new process over the same log. */
  async open(deps: Pick<OutboxDeps, 'receivers'> & Partial<OutboxDeps>): Promise<MessageOutbox> {
    this.kill()
    this.own = new OwnMetrics()
    const { generation } = this
    const isAlive = (): boolean => generation === this.generation
    const alive = <T>(work: () => Promise<T>): Promise<T> => (isAlive() ? work().then((value) => (isAlive() ? value : never<T>())) : never<T>())
    const { clock, log } = this
    const outbox = await MessageOutbox.open({
      log: {
        append: (rows) => alive(() => log.append(rows)),
        latest: (kind, options) => alive(() => log.latest(kind, options)),
        between: (kind, range, limit) => alive(() => log.between(kind, range, limit)),
      },
      clock: {
        now: () => clock.now(),
        sleep: (ms, signal) => alive(() => clock.sleep(ms, signal)),
        every: (ms, run) => clock.every(ms, () => (isAlive() ? run() : undefined)),
        after: (ms, run) => clock.after(ms, () => (isAlive() ? run() : undefined)),
      },
      logger: silentLog,
      own: this.own,
      alerts: {
        accept: (alerts) => {
          this.meta.push(...alerts.map(({ labels, endsAt }) => `${labels['alertname']} ${labels['channel']}${endsAt !== undefined && endsAt <= clock.now() ? ' over' : ''}`))
          return Promise.resolve()
        },
      },
      incidents: { told: (deliveries) => Promise.resolve(void this.told.push(...deliveries)) },
      ...deps,
    })
    this.outbox = outbox
    outbox.start()
    return outbox
  }

  /** As those do who decide: the rows are stored, then they are delivered. */
  async decide(notification: Notification): Promise<void> {
    const { outbox } = this
    if (outbox === undefined) throw new Error('no process')
    await this.log.append(outbox.entries([notification]) as readonly MessageRow[])
    outbox.deliver([notification])
    await this.settle()
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 6; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  metric(name: string): number {
    return this.own.render().find((family) => family.name === name)?.samples.reduce((sum, { value }) => sum + value, 0) ?? 0
  }
}

export function alertOf(fingerprint: string, status: 'firing' | 'resolved', startsAt: Milliseconds, endsAt?: Milliseconds, labels: Readonly<Record<string, string>> = {}): NotifiedAlert {
  return { status, fingerprint, labels: { alertname: 'High', instance: fingerprint, severity: 'critical', ...labels }, annotations: { summary: `${fingerprint} is high` }, startsAt, endsAt, generatorUrl: '', value: 9, expression: undefined }
}

export function notificationOf(id: string, alerts: readonly NotifiedAlert[], decidedAt: Milliseconds, more: Partial<Notification> = {}): Notification {
  const status = alerts.some((alert) => alert.status === 'firing') ? 'firing' : 'resolved'
  return { id, receiver: 'team', groupKey: '{}:{service="shop"}', groupLabels: { service: 'shop' }, incident: undefined, reason: status === 'firing' ? 'first' : 'all-resolved', status, alerts, truncated: 0, decidedAt, ...more }
}
