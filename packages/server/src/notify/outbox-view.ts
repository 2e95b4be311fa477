// What the outbox says of itself.
import type { Milliseconds, TimeRange } from '@andon/model'
import type { ChannelHealth, ChannelState } from './channel-health.ts'
import type { LaneBook } from './lane-book.ts'
import type { LoggedMessage, MessageLog, OutboxReceiver } from './outbox-deps.ts'

/** How a channel fares. */
export interface ChannelView extends ChannelState {
  /** Groups that it is owed something of. */
  readonly queued: number
  /** Since when the oldest of it waits. */
  readonly oldestSince: Milliseconds | null
  /** The channel that is told what this one does not take in time. */
  readonly fallback: string | null
}

/** Rows of the log that are read at most, the newest. */
const ROWS_MAX = 10_000

/** How long the oldest message has been waiting; 0 where none does. */
export function oldestMs(lanes: LaneBook, now: Milliseconds): Milliseconds {
  return Math.max(0, ...lanes.owing().map(({ since }) => now - (since ?? now)))
}

/** In the order of the configuration. */
export function channelViews(health: ChannelHealth, lanes: LaneBook, receivers: ReadonlyMap<string, OutboxReceiver>): readonly ChannelView[] {
  const owing = lanes.owing()
  return health.states().map((state) => {
    const since = owing.flatMap((lane) => (lane.channel.name === state.name && lane.since !== undefined ? [lane.since] : []))
    return { ...state, queued: since.length, oldestSince: since.length === 0 ? null : Math.min(...since), fallback: receivers.get(state.receiver)?.fallback ?? null }
  })
}

/** The newest row of each message that was written in a time, those last written first; at most `limit`. */
export async function writtenMessages(log: MessageLog, range: TimeRange, limit: number): Promise<readonly LoggedMessage[]> {
  const rows = (await log.between('message', range, ROWS_MAX)).filter(({ key }) => key.startsWith('m/'))
  return [...new Map(rows.map((row) => [row.key, row])).values()].toSorted((a, b) => b.revision - a.revision).slice(0, limit)
}
