// What a channel is to the outbox.
import type { Milliseconds, Notification, NotifiedAlert } from '@andon/model'
import type { Pace } from './token-bucket.ts'

/** How a channel tells. */
export type ChannelType = 'slack' | 'slack-bot' | 'email' | 'pagerduty' | 'webhook'

/** A picture of what an alert watches. */
export interface Picture {
  readonly png: Buffer
  readonly alt: string
  /** Where it can be fetched; undefined where this server has no public address. */
  readonly url: string | undefined
}

/** A message as a channel is given it. */
export interface OutMessage {
  /** The same at each attempt: a receiver knows a repetition by it. */
  readonly id: string
  readonly notification: Notification
  /** Fingerprints of alerts that have ended and of which this channel was never told that they fired. */
  readonly unannounced: ReadonlySet<string>
  readonly earlier: readonly NotifiedAlert[]
  readonly earlierLeftOut: number
  /** The channel that did not take it; '' for none. */
  readonly insteadOf: string
}

export interface SendContext {
  /** What the channel said of the same incident when it told it last; undefined where it did not. */
  readonly memory: unknown
  /** What an attempt before this one had done already; undefined at the first. */
  readonly progress: unknown
  /** It was told that all had ended, and now something of the same incident fires again. */
  readonly isReopened: boolean
  /** Other groups of the same incident still fire on this channel. */
  readonly othersFire: boolean
  /** Settles when a further request to the same destination may be made. */
  readonly pace: () => Promise<void>
  readonly picture: () => Promise<Picture | undefined>
  readonly now: Milliseconds
  readonly signal: AbortSignal
}

/** What became of an attempt. */
export type Outcome =
  /** @param memory - handed back with the next message of the same group and incident; JSON */
  | { readonly state: 'delivered'; readonly memory?: unknown; readonly detail?: string }
  /** Worth another attempt. @param afterMs - not before, where the receiver said so */
  | { readonly state: 'retry'; readonly detail: string; readonly afterMs?: Milliseconds | undefined; readonly progress?: unknown }
  /** This message will never be taken; others may. */
  | { readonly state: 'refused'; readonly detail: string }
  /** Nothing will be taken until a person mends it. */
  | { readonly state: 'disabled'; readonly detail: string; readonly progress?: unknown }

/** One way to tell somebody. Sends what it is given, once; when and how often is not its business. */
export interface Channel {
  /** Unique; `RECEIVER.TYPE`, and `.2` and so on where a receiver has several of one type. */
  readonly name: string
  readonly receiver: string
  readonly type: ChannelType
  readonly sendResolved: boolean
  /** What has one pace and one state of health; no secret. */
  readonly destination: string
  /** For people; no secret. */
  readonly target: string
  readonly pace: Pace
  /** @throws Error where it is worth another attempt */
  send(message: OutMessage, context: SendContext): Promise<Outcome>
}
