// E-mail by SMTP.
// @see RFC 5321 (replies), RFC 5322 (threading by References), RFC 3834 (Auto-Submitted), RFC 2919 (List-Id)
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, isIP } from 'node:net'
import { createTransport } from 'nodemailer'
import type { Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { AddressGuard } from './address-guard.ts'
import type { Channel, ChannelType, OutMessage, Outcome, SendContext } from './channel.ts'
import { emailHtml, emailText, subjectOf } from './email-body.ts'
import { pinned, untilAborted } from './http.ts'
import type { Secret } from './secret.ts'
import type { Pace } from './token-bucket.ts'
import { clip, linksOf } from './words.ts'

/** The server that takes letters. */
export interface SmtpOptions {
  readonly host: string
  readonly port: number
  /** `starttls`: refuse a server that does not offer it; `implicit`: from the first byte on; `none`: STARTTLS where it is offered. */
  readonly tls: 'starttls' | 'implicit' | 'none'
  /** Whether its certificate must be one that is trusted. */
  readonly verify: boolean
  readonly user: string | undefined
  readonly password: Secret | undefined
  readonly from: string
  /** The name of this machine, as it greets. */
  readonly hello: string | undefined
}

export interface EmailOptions {
  readonly name: string
  readonly receiver: string
  readonly sendResolved: boolean
  readonly to: readonly string[]
  readonly smtp: SmtpOptions
  readonly headers: Readonly<Record<string, string>>
  readonly externalUrl: string
}

const EMAIL_PACE: Pace = { perSecond: 2, burst: 10 }
/** How long one letter may take, all recipients together. */
const LETTER_MS: Milliseconds = 30_000
const STEP_MS: Milliseconds = 10_000

/** Recipients that are settled: they have it, or will never take it. */
interface Progress {
  readonly done: readonly string[]
  readonly refused: readonly string[]
  readonly detail: string
}

const stringsOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [])

function progressOf(value: unknown): Progress {
  if (typeof value !== 'object' || value === null) return { done: [], refused: [], detail: '' }
  const detail: unknown = Reflect.get(value, 'detail')
  return { done: stringsOf(Reflect.get(value, 'done')), refused: stringsOf(Reflect.get(value, 'refused')), detail: typeof detail === 'string' ? detail : '' }
}

const of = (value: unknown, key: string): unknown => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined)

/** The reply of a server; undefined where the connection failed. */
function replyOf(error: unknown): number | undefined {
  const code = of(error, 'responseCode')
  return typeof code === 'number' ? code : undefined
}

const messageOf = (error: unknown): string => clip(error instanceof Error ? error.message : String(error), 300)

/** Letters of one group belong together: the same each time it is asked, until the group has ended. */
function threadOf({ notification: { groupKey, incident } }: OutMessage, memory: unknown, now: Milliseconds, host: string): string {
  const known = of(memory, 'thread')
  if (typeof known === 'string') return known
  const hash = createHash('sha256').update(incident ?? groupKey).digest('hex').slice(0, 16)
  return `<alert-${hash}-${new Date(now).toISOString().slice(0, 10)}@${host}>`
}

const domainOf = (from: string): string => /@([\w.-]+)/.exec(from)?.[1] ?? 'andon.invalid'

export class Email implements Channel {
  readonly type: ChannelType = 'email'
  readonly name: string
  readonly receiver: string
  readonly sendResolved: boolean
  readonly destination: string
  readonly target: string
  readonly pace: Pace = EMAIL_PACE
  readonly #options: EmailOptions
  readonly #guard: Pick<AddressGuard, 'check'>
  readonly #clock: Pick<Clock, 'after'>

  constructor(options: EmailOptions, guard: Pick<AddressGuard, 'check'>, clock: Pick<Clock, 'after'>) {
    const { smtp, to } = options
    this.name = options.name
    this.receiver = options.receiver
    this.sendResolved = options.sendResolved
    this.destination = `smtp ${smtp.host}:${smtp.port} ${smtp.user ?? ''}`
    this.target = clip(to.join(', '), 200)
    this.#options = options
    this.#guard = guard
    this.#clock = clock
  }

  async send(message: OutMessage, context: SendContext): Promise<Outcome> {
    const { to, smtp } = this.#options
    const before = progressOf(context.progress)
    const waiting = to.filter((one) => !before.done.includes(one) && !before.refused.includes(one))
    const thread = threadOf(message, context.memory, context.now, domainOf(smtp.from))
    const letter = await this.#letter(message, context, { thread, recipients: waiting })
    const progress = await this.#sent(letter, waiting, before, context.signal)
    if ('state' in progress) return progress
    const open = to.filter((one) => !progress.done.includes(one) && !progress.refused.includes(one))
    if (open.length > 0) return { state: 'retry', detail: progress.detail, progress }
    if (progress.done.length === 0) return { state: 'refused', detail: progress.detail }
    return { state: 'delivered', memory: { thread }, ...(progress.refused.length > 0 && { detail: `not taken for ${progress.refused.join(', ')}: ${progress.detail}` }) }
  }

  /** @returns who is settled; or what became of the letter as a whole */
  async #sent(letter: Letter, waiting: readonly string[], before: Progress, signal: AbortSignal): Promise<Progress | Outcome> {
    try {
      const info = await this.#deliver(letter, signal)
      return settled(before, stringsOf(of(info, 'accepted')), of(info, 'rejectedErrors'), waiting)
    } catch (error) {
      const rejected = of(error, 'rejectedErrors')
      if (Array.isArray(rejected) && rejected.length > 0 && of(error, 'code') === 'EENVELOPE') return settled(before, [], rejected, waiting)
      const reply = replyOf(error)
      const detail = messageOf(error)
      if (of(error, 'code') === 'EAUTH' && reply !== undefined && reply >= 500) return { state: 'disabled', detail, progress: before }
      // A server that does not know who sends, or does not offer TLS, takes no letter at all.
      const isLetter = of(error, 'code') === 'EMESSAGE' || of(error, 'command') === 'DATA'
      if (reply !== undefined && reply >= 500) return { state: isLetter ? 'refused' : 'disabled', detail, progress: before }
      return { state: 'retry', detail, progress: before }
    }
  }

  async #letter(message: OutMessage, { picture, memory }: SendContext, { thread, recipients }: { readonly thread: string; readonly recipients: readonly string[] }): Promise<Letter> {
    const { to, smtp, headers, externalUrl } = this.#options
    const { notification } = message
    const links = linksOf(message, externalUrl)
    const drawn = await picture()
    const cid = `chart-${message.id}@andon`
    const domain = domainOf(smtp.from)
    const isFirst = of(memory, 'thread') === undefined
    return {
      from: smtp.from,
      to: [...to],
      envelope: { from: smtp.from, to: [...recipients] },
      subject: subjectOf(message),
      text: emailText(message, links),
      html: emailHtml(message, links, drawn === undefined ? undefined : { cid, alt: drawn.alt }),
      // The same at each attempt, so that a reader's program shows it once.
      messageId: `<${message.id}@${domain}>`,
      ...(isFirst ? {} : { inReplyTo: thread }),
      references: thread,
      headers: {
        'Auto-Submitted': 'auto-generated',
        'List-Id': `Andon alerts of ${clip(this.receiver.replaceAll(/[^\w .-]+/g, ' '), 60)} <alerts.andon.${domain}>`,
        'X-Andon-Incident': notification.incident ?? 'none',
        'X-Andon-Status': notification.status,
        ...headers,
      },
      attachments: drawn === undefined ? [] : [{ filename: 'chart.png', content: drawn.png, contentType: 'image/png', cid }],
    }
  }

  async #deliver(letter: Letter, signal: AbortSignal): Promise<unknown> {
    const ended = new AbortController()
    const late = this.#clock.after(LETTER_MS, () => ended.abort(new Error(`the letter was not taken within ${LETTER_MS / 1000} s`)))
    const stop = (): void => ended.abort(new Error('given up'))
    signal.addEventListener('abort', stop, { once: true })
    try {
      return await untilAborted(this.#post(letter, ended.signal), ended.signal)
    } finally {
      late()
      signal.removeEventListener('abort', stop)
      // A letter that is not waited for must not come later than one that was written after it.
      stop()
    }
  }

  /** On a connection of its own, which ends with the signal. */
  async #post(letter: Letter, signal: AbortSignal): Promise<unknown> {
    const { host, port, tls, verify, user, password, hello } = this.#options.smtp
    const addresses = await this.#guard.check(host, port)
    signal.throwIfAborted()
    const socket = connect({ host, port, lookup: pinned(addresses) })
    signal.addEventListener('abort', () => socket.destroy(), { once: true })
    await once(socket, 'connect', { signal })
    const transport = createTransport({
      connection: socket,
      host,
      port,
      secure: tls === 'implicit',
      requireTLS: tls === 'starttls',
      tls: { ...(isIP(host) === 0 && { servername: host }), rejectUnauthorized: verify },
      ...(hello !== undefined && { name: hello }),
      ...(user !== undefined && { auth: { user, pass: password?.read() ?? '' } }),
      greetingTimeout: STEP_MS,
      socketTimeout: STEP_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    })
    return await transport.sendMail(letter)
  }
}

interface Letter {
  readonly from: string
  readonly to: string[]
  readonly envelope: { from: string; to: string[] }
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly messageId: string
  readonly inReplyTo?: string
  readonly references: string
  readonly headers: Record<string, string>
  readonly attachments: { filename: string; content: Buffer; contentType: string; cid: string }[]
}

/** Who has it, and who will never take it; those who were told to come again are in neither. */
function settled(before: Progress, accepted: readonly string[], errors: unknown, waiting: readonly string[]): Progress {
  const failures = (Array.isArray(errors) ? errors : []).map((error: unknown) => ({ recipient: String(of(error, 'recipient')), reply: replyOf(error), detail: messageOf(error) }))
  const refused = failures.filter(({ reply }) => reply !== undefined && reply >= 500).map(({ recipient }) => recipient)
  const took = waiting.filter((one) => accepted.some((other) => other.toLowerCase() === bareAddress(one)))
  return {
    done: [...before.done, ...took],
    refused: [...before.refused, ...waiting.filter((one) => refused.some((other) => other.toLowerCase() === bareAddress(one)))],
    detail: failures.map(({ detail }) => detail).join('; ') || before.detail,
  }
}

/** @example bareAddress('On Call <a@b.c>') // 'a@b.c' */
function bareAddress(text: string): string {
  return (/<([^<>]+)>\s*$/.exec(text)?.[1] ?? text).trim().toLowerCase()
}
