// Random lives of outboxes in processes that are killed with kill -9, against receivers that are down, slow, limit, break off and answer
// nothing: was anything lost, or any end told of what nobody was told had begun?
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { seeded } from '@andon/model'
import { HttpReceivers } from './fakes/http-receivers.ts'
import { SmtpReceiver } from './fakes/smtp.ts'
import { type Desk, type Mode, MODES, type Taken } from './fakes/taken.ts'
import type { FromProgram, ProgramSequence, ToProgram } from './notifier-program.ts'
import { type Decided, faultsOf, GroupOfAlerts } from './notifications-truth.ts'

export interface NotificationsOptions {
  readonly sequences: number
  /** Sequences that share a process and its ends. */
  readonly atOnce: number
  readonly seed: number
  /** Told after each lot of sequences. */
  readonly told?: (progress: { readonly sequences: number; readonly kills: number; readonly taken: number }) => void
}

export interface NotificationsResult {
  readonly sequences: number
  readonly atOnce: number
  readonly seed: number
  readonly kills: number
  readonly decided: number
  /** Messages that receivers took, by channel. */
  readonly taken: Readonly<Record<string, number>>
  /** Of them, those that were told again because nobody heard that they were taken. */
  readonly repeated: number
  /** Spells of alerts that were to be told, all channels together; and those whose begin and end came as one. */
  readonly spells: number
  readonly together: number
  readonly modes: Readonly<Record<string, number>>
  readonly faults: readonly string[]
  readonly tookMs: number
}

/** Minutes pass in seconds. */
const FACTOR = 10
const STEPS = 14
const STEP_MS = 160
const DRAIN_MS = 60_000
const SECRET = `whsec_${Buffer.from('a secret of the soak').toString('base64')}`
export const CHANNELS = ['slack', 'bot', 'mail', 'pager', 'hook', 'quiet', 'spare'] as const

/** A lot of sequences in one process. */
class Lot implements Desk {
  readonly #names: readonly string[]
  readonly #random: () => number
  readonly #dir: string
  readonly #epoch: number
  readonly #modes = new Map<string, Mode>()
  readonly #groups = new Map<string, readonly GroupOfAlerts[]>()
  readonly #waiting = new Map<string, Decided>()
  #program: ChildProcess | undefined
  #http: HttpReceivers | undefined
  #smtp: SmtpReceiver | undefined
  readonly taken: Taken[] = []
  readonly faults: string[] = []
  readonly modeCounts: Record<string, number> = {}
  kills = 0

  constructor(names: readonly string[], random: () => number, dir: string, epoch: number) {
    this.#names = names
    this.#random = random
    this.#dir = dir
    this.#epoch = epoch
    for (const name of names) this.#groups.set(name, [new GroupOfAlerts(name, 0), new GroupOfAlerts(name, 1)])
  }

  mode(sequence: string, channel: string): Mode {
    return this.#modes.get(`${sequence} ${channel}`) ?? 'up'
  }

  take(taken: Taken): void {
    this.taken.push(taken)
  }

  fault(text: string): void {
    if (this.faults.length < 50) this.faults.push(text)
  }

  get #now(): number {
    return Math.floor(this.#epoch + (Date.now() - this.#epoch) * FACTOR)
  }

  #options(name: string): ProgramSequence {
    const http = this.#http
    const smtp = this.#smtp
    if (http === undefined || smtp === undefined) throw new Error('not open')
    const url = (channel: string): string => `${http.url}/${name}/${channel}`
    writeFileSync(join(this.#dir, `${name}.slack`), url('slack'))
    return {
      name,
      logFile: join(this.#dir, `${name}.log`),
      notify: {
        allow_hosts: ['127.0.0.0/8'],
        fallback_after_ms: 12_000,
        smtp: { host: '127.0.0.1', port: smtp.port, tls: 'none', from: 'andon@example.com' },
        receivers: [
          {
            name: 'team',
            fallback: 'spare',
            channels: [
              { slack: { name: 'slack', webhook_url: { file: join(this.#dir, `${name}.slack`) } } },
              { slack: { name: 'bot', token: { env: 'SOAK_TOKEN' }, channel: `#${name}`, api_url: url('bot') } },
              { email: { name: 'mail', to: [`${name}@example.com`] } },
              { pagerduty: { name: 'pager', routing_key: { env: 'SOAK_KEY' }, url: url('pager') } },
              { webhook: { name: 'hook', url: url('hook'), secret: { env: 'SOAK_SECRET' } } },
              { webhook: { name: 'quiet', url: url('quiet'), secret: { env: 'SOAK_SECRET' }, send_resolved: false } },
            ],
          },
          { name: 'other', channels: [{ webhook: { name: 'spare', url: url('spare'), secret: { env: 'SOAK_SECRET' } } }] },
        ],
      },
    }
  }

  async #start(): Promise<void> {
    const program = fork(join(import.meta.dirname, 'notifier-program.js'), [], { env: { ...process.env, SOAK_TOKEN: 'xoxb-soak', SOAK_KEY: 'k'.repeat(32), SOAK_SECRET: SECRET }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#program = program
    program.on('message', (message: FromProgram) => {
      if (message.kind === 'stored') this.#waiting.delete(message.id)
    })
    this.#say({ kind: 'open', epoch: this.#epoch, factor: FACTOR, sequences: this.#names.map((name) => this.#options(name)) })
    const opened = await this.#heard('opened')
    // What was not stored is decided again, as those do who decide: they find their decisions in the same rows.
    if (opened.kind === 'opened') for (const id of opened.stored) this.#waiting.delete(id)
    for (const { sequence, notification } of this.#waiting.values()) this.#say({ kind: 'decide', sequence, notification })
  }

  #say(message: ToProgram): void {
    if (this.#program?.connected === true) this.#program.send(message, () => undefined)
  }

  async #heard(kind: FromProgram['kind']): Promise<FromProgram> {
    const program = this.#program
    if (program === undefined) throw new Error('no program')
    return await new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the program ended'))
      program.once('exit', ended)
      const listen = (message: FromProgram): void => {
        if (message.kind !== kind) return
        program.off('message', listen)
        program.off('exit', ended)
        resolve(message)
      }
      program.on('message', listen)
    })
  }

  async #kill(): Promise<void> {
    const program = this.#program
    if (program === undefined) return
    const closed = once(program, 'exit')
    program.kill('SIGKILL')
    await closed
    this.kills += 1
  }

  #decide(sequence: string): void {
    const groups = this.#groups.get(sequence) ?? []
    const group = groups[Math.floor(this.#random() * groups.length)]
    const decided = group?.change(this.#random, this.#now)
    if (decided === undefined) return
    this.#waiting.set(decided.notification.id, decided)
    this.#say({ kind: 'decide', ...decided })
  }

  #switch(sequence: string): void {
    const channel = CHANNELS[Math.floor(this.#random() * CHANNELS.length)] ?? 'slack'
    const mode = MODES[Math.floor(this.#random() * MODES.length)] ?? 'up'
    this.#modes.set(`${sequence} ${channel}`, mode)
    this.modeCounts[mode] = (this.modeCounts[mode] ?? 0) + 1
  }

  async #step(): Promise<void> {
    for (const name of this.#names) {
      if (this.#random() < 0.4) this.#decide(name)
      if (this.#random() < 0.5) this.#switch(name)
    }
    const fate = this.#random()
    if (fate < 0.4) {
      await wait(this.#random() * STEP_MS)
      await this.#kill()
      await this.#start()
    } else if (fate < 0.48) await this.#http?.restartAfter(wait(STEP_MS))
    await wait(this.#random() * STEP_MS)
  }

  /** All receivers take messages again; settles when nothing is owed. */
  async #drain(): Promise<void> {
    this.#modes.clear()
    const until = performance.now() + DRAIN_MS
    for (;;) {
      const heard = this.#heard('owing')
      this.#say({ kind: 'owing' })
      const answer = await heard
      const { sequences, failures } = answer.kind === 'owing' ? answer : { sequences: [], failures: [] }
      for (const failure of failures) this.fault(failure)
      if (sequences.length === 0 && this.#waiting.size === 0) return
      if (performance.now() > until) return this.fault(`still owed: ${sequences.join(', ')}; not stored: ${[...this.#waiting.keys()].join(', ')}`)
      await wait(100)
    }
  }

  async run(): Promise<void> {
    this.#http = await HttpReceivers.open(this, SECRET)
    this.#smtp = await SmtpReceiver.open(this)
    try {
      await this.#start()
      for (let step = 0; step < STEPS; step += 1) await this.#step()
      await this.#drain()
      // What was taken late is told twice at most until now.
      await wait(50)
      this.#check()
    } finally {
      const program = this.#program
      if (program !== undefined && program.exitCode === null && program.signalCode === null) {
        const closed = once(program, 'exit')
        program.kill('SIGKILL')
        await closed
      }
      await this.#http.close()
      await this.#smtp.close()
    }
  }

  #check(): void {
    for (const name of this.#names) {
      const groups = this.#groups.get(name) ?? []
      for (const channel of CHANNELS) {
        const own = this.taken.filter((each) => each.sequence === name && each.channel === channel)
        for (const fault of faultsOf(groups, own, { channel, isQuiet: channel === 'quiet', isSpare: channel === 'spare' })) this.fault(`${name}: ${fault}`)
      }
      const open = this.#http?.openIncidents(name) ?? []
      const firing = groups.filter((group) => group.fires)
      if (open.length !== firing.length) this.fault(`${name}: ${open.length} incidents are open at PagerDuty, ${firing.length} groups fire`)
    }
  }

  get decided(): readonly Decided[] {
    return [...this.#groups.values()].flat().flatMap((group) => group.decided)
  }
}

/** Runs the sequences. Stops at the first lot with a fault. */
export async function tortureNotifications({ sequences, atOnce, seed, told }: NotificationsOptions): Promise<NotificationsResult> {
  const begun = performance.now()
  const dir = mkdtempSync(join(tmpdir(), 'andon-notifications-'))
  const random = seeded(seed)
  const taken: Record<string, number> = {}
  const modes: Record<string, number> = {}
  let [done, kills, decided, repeated, spells, together] = [0, 0, 0, 0, 0, 0]
  let faults: readonly string[] = []
  try {
    while (done < sequences && faults.length === 0) {
      const names = Array.from({ length: Math.min(atOnce, sequences - done) }, (_, index) => `s${done + index}`)
      const lot = new Lot(names, random, dir, Date.now())
      await lot.run()
      done += names.length
      kills += lot.kills
      decided += lot.decided.length
      const seen = new Set<string>()
      for (const each of lot.taken) {
        taken[each.channel] = (taken[each.channel] ?? 0) + 1
        const key = `${each.sequence} ${each.channel} ${each.spells.map(({ spell, state }) => `${spell} ${state}`).join()}`
        if (seen.has(key)) repeated += 1
        seen.add(key)
        together += each.spells.filter(({ state }) => state === 'fired and resolved').length
      }
      spells += new Set(lot.taken.flatMap((each) => each.spells.map(({ spell }) => `${each.channel} ${spell}`))).size
      for (const [mode, count] of Object.entries(lot.modeCounts)) modes[mode] = (modes[mode] ?? 0) + count
      faults = lot.faults
      told?.({ sequences: done, kills, taken: Object.values(taken).reduce((sum, count) => sum + count, 0) })
    }
  } finally {
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  }
  return { sequences: done, atOnce, seed, kills, decided, taken, repeated, spells, together, modes, faults, tookMs: performance.now() - begun }
}

const whole: Intl.NumberFormat = new Intl.NumberFormat('en')

/** @param machine - the machine and its Node, in a line */
export function notificationsReport({ sequences, atOnce, seed, kills, decided, taken, repeated, spells, together, modes, faults, tookMs }: NotificationsResult, machine: string): string {
  const names: Readonly<Record<string, string>> = { slack: 'Slack, incoming webhook', bot: "Slack, bot's token", mail: 'e-mail (SMTP)', pager: 'PagerDuty Events v2', hook: 'webhook', quiet: 'webhook that is not told of ends', spare: 'webhook as fall-back channel' }
  return [
    `### Notifications: ${whole.format(sequences)} random sequences`,
    '',
    faults.length === 0 ? '**0 lost, 0 orphan resolves**: every spell of every alert that was to be told was told to every channel with its end, in order where the protocol names the message (e-mail, webhook); no end was told of what had not been told to have begun.' : `Faults: ${faults.slice(0, 20).join('; ')}.`,
    '',
    '| channel | messages taken |',
    '|---|---|',
    ...Object.entries(names).map(([channel, name]) => `| ${name} | ${whole.format(taken[channel] ?? 0)} |`),
    '',
    `${whole.format(decided)} notifications were decided and stored; ${whole.format(spells)} spells of alerts were to be told, counted by channel; ${whole.format(together)} times begin and end came as one message because the receiver had not been told before. ${whole.format(kills)} times kill -9. Receivers were switched ${whole.format(Object.values(modes).reduce((sum, count) => sum + count, 0))} times (${Object.entries(modes).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([mode, count]) => `${mode} ${whole.format(count)}`).join(', ')}), and the server of the HTTP receivers was ended and started anew now and then. ${whole.format(repeated)} messages told what an earlier one had told: taken, and the answer or the note of it lost, or the same from two channels at the fall-back channel.`,
    '',
    `down: the connection is broken off · limited: 429 with Retry-After, 450 · broken: 503, 451 · slow: answers after 1.2 s · late: after more than the sender waits, having taken it · half: taken, and broken off without an answer · cut: taken, and broken off in the middle of the answer. Each sequence has an outbox of its own with seven channels and two groups of three alerts; processes are real and hold ${atOnce} sequences each, which a kill -9 ends together; time runs ${FACTOR} times quicker in them (attempts, paces, timeouts and waits in proportion). The log is an append-only file, synced at each insert: it stands for the store, whose inserts are proved by \`npm run soak -- kills\`. Seed ${seed}, ${(tookMs / 60_000).toFixed(1)} minutes. ${machine}.`,
    '',
  ].join('\n')
}
