// How receivers and their channels are set up, whatever file says it.
import type { EmailOptions } from './email.ts'
import type { PagerDutyOptions } from './pagerduty.ts'
import type { SlackBotOptions } from './slack-bot.ts'
import type { SlackWebhookOptions } from './slack-webhook.ts'
import type { WebhookOptions } from './webhook.ts'

/** Where Slack's methods are. */
export const SLACK_API = 'https://slack.com/api'
export const PAGERDUTY_URL = 'https://events.pagerduty.com/v2/enqueue'

type Of<Type extends string, Options> = Omit<Options, 'externalUrl'> & { readonly type: Type }

/** How one channel is set up. */
export type ChannelOptions = Of<'slack', SlackWebhookOptions> | Of<'slack-bot', SlackBotOptions> | Of<'email', EmailOptions> | Of<'pagerduty', PagerDutyOptions> | Of<'webhook', WebhookOptions>

export interface ReceiverOptions {
  readonly name: string
  readonly channels: readonly ChannelOptions[]
  /** The channel that is told what a channel of this receiver does not take in time; undefined for that of all. */
  readonly fallback: string | undefined
}

/** The n-th channel of its type. */
export function channelName(receiver: string, type: string, before: readonly ChannelOptions[]): string {
  const kind = type === 'slack-bot' ? 'slack' : type
  const count = before.filter((one) => (one.type === 'slack-bot' ? 'slack' : one.type) === kind).length
  return count === 0 ? `${receiver}.${kind}` : `${receiver}.${kind}.${count + 1}`
}
