// Channels of notifications as the server tells them.
import type { Milliseconds } from '@andon/model'
import { sendJson } from './send.ts'

export interface Channel {
  readonly name: string
  readonly receiver: string
  readonly type: string
  /** Whom it tells; no secret. */
  readonly target: string
  readonly state: 'ok' | 'failing' | 'disabled'
  readonly lastDeliveredAt: Milliseconds | null
  /** '' where it took the last message. */
  readonly lastError: string
  readonly disabledSince: Milliseconds | null
  /** Groups that it is owed something of. */
  readonly queued: number
  readonly oldestSince: Milliseconds | null
  /** The channel that is told what this one does not take in time. */
  readonly fallback: string | null
}

/** GET /api/notifications/channels. */
export interface ChannelsAnswer {
  readonly now: Milliseconds
  readonly channels: readonly Channel[]
}

/** What a test message came to. */
export interface TestOutcome {
  readonly delivered: boolean
  readonly state: string
  readonly detail: string
  readonly tookMs: Milliseconds
}

export const CHANNELS_PATH = '/api/notifications/channels'
export const CHANNEL_ROUTES: readonly string[] = [CHANNELS_PATH]

const channelUrl = (name: string): string => `${CHANNELS_PATH}/${encodeURIComponent(name)}`

/** @throws Error where it was not delivered */
export async function testChannel(name: string): Promise<TestOutcome | undefined> {
  const outcome = await sendJson<TestOutcome>('POST', `${channelUrl(name)}/test`)
  if (outcome !== undefined && !outcome.delivered) throw new Error(outcome.detail === '' ? `it is ${outcome.state}` : outcome.detail)
  return outcome
}

export const enableChannel = (name: string): Promise<unknown> => sendJson('POST', `${channelUrl(name)}/enable`)
