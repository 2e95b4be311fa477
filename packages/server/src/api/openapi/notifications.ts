// What the routes of notifications say of themselves.
import { boolean, integer, list, object, oneOf, type Operations, orNull, query, RANGE, rangeParameters, text, time } from './schema.ts'

const STATES = ['queued', 'delivered', 'given-up', 'coalesced'] as const

const MESSAGE = object({
  id: text('Of the notification: what a receiver knows a repetition by.'),
  channel: text(),
  receiver: text(),
  groupKey: text(),
  incident: orNull(text()),
  reason: text('Why it was told: first, new-alerts, some-resolved, all-resolved, repeat, flapping, escalation, meta.'),
  status: text('firing or resolved.'),
  decidedAt: time('When it was decided to be told, milliseconds since 1970.'),
  state: oneOf(STATES, 'coalesced: what it had to tell was told by a later message of the group, `into`.'),
  at: time('When it came to this state.'),
  title: text('As it was told; empty before.'),
  lateMs: orNull(integer('Milliseconds from the decision to the delivery.')),
  detail: text('Why it was given up, or what else is to be known.'),
  into: text('The notification that told it; empty for none.'),
  insteadOf: text('The channel that did not take it in time; empty for none.'),
})

const CHANNEL = object({
  name: text(),
  receiver: text(),
  type: oneOf(['slack', 'slack-bot', 'email', 'pagerduty', 'webhook']),
  target: text('Whom it tells; no secret.'),
  sendResolved: boolean(),
  state: oneOf(['ok', 'failing', 'disabled'], 'disabled: takes nothing until somebody mends it; what it is owed is kept for a day.'),
  lastDeliveredAt: orNull(time()),
  lastError: text('Why it did not take a message last; empty where it took the last one.'),
  disabledSince: orNull(time()),
  queued: integer('Groups that it is owed something of.'),
  oldestSince: orNull(time('Since when the oldest message waits.')),
  fallback: orNull(text('The channel that is told what this one does not take in time.')),
})

export const NOTIFICATIONS: Operations = {
  'GET /api/notifications': {
    summary: 'Messages to channels with what became of them, those last changed first.',
    parameters: [
      ...rangeParameters('now-1d'),
      query('channel', 'To this channel alone.'),
      query('incident', 'Of this incident alone.'),
      query('state', 'In this state alone.', oneOf(STATES)),
      query('limit', '100 when absent.', { type: 'integer', minimum: 1, maximum: 1000 }),
    ],
    answer: { schema: object({ ...RANGE, messages: list(MESSAGE), truncated: boolean() }) },
  },
  'GET /api/notifications/channels': { summary: 'All channels, and how each fares.', answer: { schema: object({ now: time(), channels: list(CHANNEL) }) } },
  'POST /api/notifications/channels/:channel/test': {
    summary: 'Sends a test message now, once; a channel that takes it is enabled.',
    answer: { schema: object({ delivered: boolean(), state: oneOf(['delivered', 'retry', 'refused', 'disabled'], 'What would become of a message that is answered so.'), detail: text(), tookMs: integer() }) },
    errors: ['not_found'],
  },
  'POST /api/notifications/channels/:channel/enable': { summary: 'Lets a channel that was disabled tell again.', answer: 'nothing', errors: ['not_found'] },
  'GET /api/charts/:file': { summary: 'The picture of a metric in a message; its name cannot be guessed.', answer: { type: 'image/png' }, errors: ['not_found'] },
}
