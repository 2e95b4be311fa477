// Slack by a bot's token: one message of a group that is edited, and what happened as its thread.
// @see https://docs.slack.dev/reference/methods/chat.postMessage
import type { Channel, ChannelType, OutMessage, Outcome, SendContext } from './channel.ts'
import { type OutboundHttp, retryAfterMs } from './http.ts'
import type { Secret } from './secret.ts'
import { slackMessage, slackThreadText } from './slack-blocks.ts'
import { digestOf, SLACK_PACE } from './slack-webhook.ts'
import type { Pace } from './token-bucket.ts'
import { clip } from './words.ts'

export interface SlackBotOptions {
  readonly name: string
  readonly receiver: string
  readonly sendResolved: boolean
  readonly token: Secret
  /** A name with `#`, or an id. */
  readonly channel: string
  /** Whether changes are told in the thread of the message as well. */
  readonly thread: boolean
  readonly externalUrl: string
  /** Where Slack's methods are. */
  readonly apiUrl: string
}

/** Which message of Slack it is. */
interface Posted {
  readonly channel: string
  readonly ts: string
}

interface Progress {
  readonly plain: boolean
  /** It stands in the channel; the thread is missing. */
  readonly posted: Posted | undefined
}

const UNFIT = new Set(['invalid_blocks', 'invalid_blocks_format', 'invalid_attachments', 'invalid_arguments', 'invalid_array_arg', 'msg_too_long', 'msg_blocks_too_long', 'no_text', 'too_many_attachments', 'cannot_parse_attachment', 'attachment_payload_limit_exceeded'])
/** What was posted can be edited no more. */
const GONE = new Set(['message_not_found', 'cant_update_message', 'edit_window_closed', 'channel_not_found', 'thread_not_found'])
const BROKEN = new Set(['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout', 'team_added_to_org', 'ratelimited', 'rate_limited', 'message_limit_exceeded'])

const textOf = (value: unknown, key: string): string => {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
  return typeof found === 'string' ? found : ''
}

function postedOf(value: unknown): Posted | undefined {
  const [channel, ts] = [textOf(value, 'channel'), textOf(value, 'ts')]
  return channel === '' || ts === '' ? undefined : { channel, ts }
}

function progressOf(value: unknown): Progress {
  const [plain, posted]: readonly unknown[] = typeof value === 'object' && value !== null ? [Reflect.get(value, 'plain'), Reflect.get(value, 'posted')] : []
  return { plain: plain === true, posted: postedOf(posted) }
}

/** What one call of a method came to. */
type Called = { readonly posted: Posted } | { readonly error: string; readonly outcome: Outcome }

export class SlackBot implements Channel {
  readonly type: ChannelType = 'slack-bot'
  readonly name: string
  readonly receiver: string
  readonly sendResolved: boolean
  readonly destination: string
  readonly target: string
  readonly pace: Pace = SLACK_PACE
  readonly #options: SlackBotOptions
  readonly #http: Pick<OutboundHttp, 'send'>

  /** @throws AndonError bad_config when there is no token */
  constructor(options: SlackBotOptions, http: Pick<OutboundHttp, 'send'>) {
    this.name = options.name
    this.receiver = options.receiver
    this.sendResolved = options.sendResolved
    this.destination = `slack ${digestOf(options.token.read())} ${options.channel}`
    this.target = options.channel
    this.#options = options
    this.#http = http
  }

  async send(message: OutMessage, context: SendContext): Promise<Outcome> {
    const { plain, posted } = progressOf(context.progress)
    // An edit calls nobody: whoever is to be called again gets a message of their own.
    const before = message.notification.reason === 'escalation' ? undefined : postedOf(context.memory)
    let now = posted
    if (now === undefined) {
      const told = await this.#tell(message, plain, before, context)
      if ('outcome' in told) return told.outcome
      now = told.posted
    }
    // A message that is new says all; one that was edited says nothing to those who have read it.
    if (before === undefined || before.ts !== now.ts || !this.#options.thread) return { state: 'delivered', memory: now }
    if (posted === undefined) await context.pace()
    const body = { channel: now.channel, thread_ts: now.ts, text: slackThreadText(message), unfurl_links: false, unfurl_media: false, ...(context.isReopened && { reply_broadcast: true }) }
    const threaded = await this.#call('chat.postMessage', body, context)
    if (!('outcome' in threaded) || GONE.has(threaded.error) || UNFIT.has(threaded.error)) return { state: 'delivered', memory: now }
    const { outcome } = threaded
    return outcome.state === 'retry' || outcome.state === 'disabled' ? { ...outcome, progress: { plain, posted: now } } : { state: 'delivered', memory: now }
  }

  /** Edits what was posted, or posts. */
  async #tell(message: OutMessage, plain: boolean, before: Posted | undefined, context: SendContext): Promise<Called> {
    const body = await slackMessage(message, plain, context, this.#options.externalUrl)
    if (before !== undefined) {
      const updated = await this.#call('chat.update', { ...body, ...(plain && { blocks: [], attachments: [] }), channel: before.channel, ts: before.ts }, context)
      if (!('error' in updated) || !GONE.has(updated.error)) return retriedPlain(updated, plain)
      await context.pace()
    }
    return retriedPlain(await this.#call('chat.postMessage', { ...body, channel: this.#options.channel }, context), plain)
  }

  async #call(method: string, body: object, { signal, now }: SendContext): Promise<Called> {
    const { token, apiUrl } = this.#options
    const { status, headers, body: text } = await this.#http.send({
      url: `${apiUrl}/${method}`,
      headers: { 'content-type': 'application/json; charset=utf-8', authorization: `Bearer ${token.read()}` },
      body: JSON.stringify(body),
      signal,
    })
    const answer = parsed(text)
    const posted = postedOf(answer)
    if (status === 200 && typeof answer === 'object' && answer !== null && Reflect.get(answer, 'ok') === true && posted !== undefined) return { posted }
    const error = textOf(answer, 'error')
    const detail = `Slack answered ${method} with ${status} ${error === '' ? clip(text.trim(), 200) : error}`
    const afterMs = retryAfterMs(headers['retry-after'], now)
    if (status === 429) return { error: 'ratelimited', outcome: { state: 'retry', detail, afterMs: afterMs ?? 1000 } }
    if (error === '' || BROKEN.has(error) || status >= 500) return { error, outcome: { state: 'retry', detail, afterMs } }
    return { error, outcome: { state: UNFIT.has(error) ? 'refused' : 'disabled', detail } }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What Slack did not like with blocks it may take without. */
function retriedPlain(called: Called, plain: boolean): Called {
  if (!('error' in called) || plain || called.outcome.state !== 'refused') return called
  return { error: called.error, outcome: { state: 'retry', detail: called.outcome.detail, afterMs: 0, progress: { plain: true } } }
}
