// The process that is killed: outboxes over logs on the disk. It is told what was decided, stores it, says so, and delivers it.
import type { Notification } from '@andon/model'
import { Notifier, OwnMetrics, readNotify } from '@andon/server'
import { FileLog } from './fakes/file-log.ts'
import { quickClock } from './fakes/quick-clock.ts'

export interface ProgramSequence {
  readonly name: string
  readonly logFile: string
  /** The section `notify`. */
  readonly notify: unknown
}

export type ToProgram =
  | { readonly kind: 'open'; readonly epoch: number; readonly factor: number; readonly sequences: readonly ProgramSequence[] }
  | { readonly kind: 'decide'; readonly sequence: string; readonly notification: Notification }
  | { readonly kind: 'owing' }

export type FromProgram = { readonly kind: 'opened'; readonly stored: readonly string[] } | { readonly kind: 'stored'; readonly id: string } | { readonly kind: 'owing'; readonly sequences: readonly string[]; readonly failures: readonly string[] }

interface Open {
  readonly notifier: Notifier
  readonly log: FileLog
}

const open = new Map<string, Open>()
const failures: string[] = []

const say = (message: FromProgram): void => void process.send?.(message)

async function openAll({ epoch, factor, sequences }: Extract<ToProgram, { kind: 'open' }>): Promise<void> {
  const clock = quickClock(epoch, factor)
  for (const { name, logFile, notify } of sequences) {
    const log = new FileLog(logFile, () => clock.now())
    const notifier = await Notifier.open({
      options: readNotify(notify),
      externalUrl: 'https://andon.example.com',
      log,
      clock,
      logger: { info: () => undefined, warn: () => undefined, error: (message, fields) => void failures.push(`${name}: ${message} ${JSON.stringify(fields)}`) },
      own: new OwnMetrics(),
      alerts: { accept: () => Promise.resolve() },
      incidents: { told: () => Promise.resolve() },
    })
    notifier.start()
    open.set(name, { notifier, log })
  }
  say({ kind: 'opened', stored: [...open.values()].flatMap(({ log }) => log.notifications()) })
}

async function decide(sequence: string, notification: Notification): Promise<void> {
  const one = open.get(sequence)
  if (one === undefined) return
  await one.log.append(one.notifier.outbox.entries([notification]))
  say({ kind: 'stored', id: notification.id })
  one.notifier.outbox.deliver([notification])
}

process.on('message', (message: ToProgram) => {
  const work = message.kind === 'open' ? openAll(message) : message.kind === 'decide' ? decide(message.sequence, message.notification) : undefined
  if (message.kind === 'owing') say({ kind: 'owing', sequences: [...open].filter(([, { notifier }]) => !notifier.outbox.isEmpty).map(([name]) => name), failures: failures.splice(0) })
  work?.catch((error: unknown) => void failures.push(`${message.kind}: ${String(error)}`))
})
// Its parent is gone.
process.on('disconnect', () => process.exit(0))
