// Slack's incoming webhooks: they post, and cannot edit what they posted.
// @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
import { createHash } from 'node:crypto'
import type { Channel, ChannelType, OutMessage, Outcome, SendContext } from './channel.ts'
import { type OutboundAnswer, type OutboundHttp, retryAfterMs } from './http.ts'
import type { Secret } from './secret.ts'
import { slackMessage } from './slack-blocks.ts'
import type { Pace } from './token-bucket.ts'
import { clip } from './words.ts'

/** Slack takes about a message a second in a channel. */
export const SLACK_PACE: Pace = { perSecond: 1, burst: 1 }

/** What names a destination without telling the secret in its address. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

export interface SlackWebhookOptions {
  readonly name: string
  readonly receiver: string
  readonly sendResolved: boolean
  readonly url: Secret
  /** Overrides the channel of the webhook; only of old webhooks. */
  readonly channel: string | undefined
  readonly externalUrl: string
}

/** The message itself is what Slack does not like; without blocks it may take it. */
const UNFIT = /invalid_payload|invalid_blocks|invalid_attachments|msg_blocks_too_long|msg_too_long|no_text|too_many_attachments/

/** What an answer of an incoming webhook means. */
export function slackWebhookOutcome({ status, headers, body }: OutboundAnswer, isPlain: boolean, now: number): Outcome {
  const said = clip(body.trim(), 200)
  if (status === 200 && body.trim() === 'ok') return { state: 'delivered' }
  const detail = `Slack answered ${status} ${said}`
  if (status === 429) return { state: 'retry', detail, afterMs: retryAfterMs(headers['retry-after'], now) ?? bodyRetryAfterMs(body) ?? 1000 }
  if (status >= 500 || status === 408 || status === 425) return { state: 'retry', detail, afterMs: retryAfterMs(headers['retry-after'], now) }
  if (status === 400 && UNFIT.test(body)) return isPlain ? { state: 'refused', detail } : { state: 'retry', detail, afterMs: 0, progress: { plain: true } }
  // 200 with another body is a proxy or a page in the way, not Slack.
  if (status === 200) return { state: 'retry', detail }
  return { state: 'disabled', detail }
}

function bodyRetryAfterMs(body: string): number | undefined {
  const seconds = Number(/"retry_after"\s*:\s*(\d+(?:\.\d+)?)/.exec(body)?.[1])
  return Number.isFinite(seconds) ? seconds * 1000 : undefined
}

const wantsPlain = (progress: unknown): boolean => typeof progress === 'object' && progress !== null && Reflect.get(progress, 'plain') === true

export class SlackWebhook implements Channel {
  readonly type: ChannelType = 'slack'
  readonly name: string
  readonly receiver: string
  readonly sendResolved: boolean
  readonly destination: string
  readonly target: string
  readonly pace: Pace = SLACK_PACE
  readonly #options: SlackWebhookOptions
  readonly #http: Pick<OutboundHttp, 'send'>

  /** @throws AndonError bad_config when there is no address */
  constructor(options: SlackWebhookOptions, http: Pick<OutboundHttp, 'send'>) {
    this.name = options.name
    this.receiver = options.receiver
    this.sendResolved = options.sendResolved
    this.destination = `slack ${digestOf(`${options.url.read()} ${options.channel ?? ''}`)}`
    this.target = options.channel ?? 'the channel of the webhook'
    this.#options = options
    this.#http = http
  }

  async send(message: OutMessage, context: SendContext): Promise<Outcome> {
    const { url, externalUrl, channel } = this.#options
    const isPlain = wantsPlain(context.progress)
    const body = await slackMessage(message, isPlain, context, externalUrl)
    const answer = await this.#http.send({ url: url.read(), headers: { 'content-type': 'application/json' }, body: JSON.stringify(channel === undefined ? body : { ...body, channel }), signal: context.signal })
    return slackWebhookOutcome(answer, isPlain, context.now)
  }
}
