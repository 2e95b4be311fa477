// What is told to whom, and how channels fare: GET /api/notifications, GET /api/notifications/channels, POST …/channels/:channel/test and
// …/enable; GET /api/charts/:file, which receivers fetch.
import { AndonError, type Milliseconds } from '@andon/model'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Outcome } from '../notify/channel.ts'
import type { MessageOutbox } from '../notify/outbox.ts'
import type { LoggedMessage } from '../notify/outbox-deps.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Guard } from './guard.ts'
import { oneOf, type Query, text, timeRange, whole } from './parameters.ts'

export interface NotificationsDeps {
  readonly notifier: {
    readonly outbox: Pick<MessageOutbox, 'channels' | 'enable' | 'written'>
    readonly pictures: { png(id: string): Buffer | undefined } | undefined
    test(channel: string, actor: string): Promise<{ readonly outcome: Outcome; readonly tookMs: Milliseconds }>
  }
  readonly guard: Pick<Guard, 'actor'>
  readonly clock: Pick<Clock, 'now'>
}

interface OfChannel {
  readonly Params: { readonly channel: string }
}

const STATES = ['queued', 'delivered', 'given-up', 'coalesced'] as const
/** Read of the log at most, of the newest, before what is asked for is chosen. */
const READ_MAX = 10_000

const fieldOf = (value: unknown, key: string): unknown => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined)

/** A row without the alerts: those are the page's of the group or of the incident. */
function messageJson({ written, state, doc }: LoggedMessage): Record<string, unknown> {
  const notification = fieldOf(doc, 'notification')
  const of = (key: string, otherwise: unknown = null): unknown => fieldOf(notification, key) ?? otherwise
  return {
    id: of('id', ''),
    channel: fieldOf(doc, 'channel') ?? '',
    receiver: of('receiver', ''),
    groupKey: of('groupKey', ''),
    incident: of('incident'),
    reason: of('reason', ''),
    status: of('status', ''),
    decidedAt: of('decidedAt', 0),
    state,
    at: written,
    title: fieldOf(doc, 'title') ?? '',
    lateMs: fieldOf(doc, 'lateMs') ?? null,
    detail: fieldOf(doc, 'detail') ?? '',
    into: fieldOf(doc, 'into') ?? '',
    insteadOf: fieldOf(doc, 'insteadOf') ?? '',
  }
}

/** Routes of notifications; the guard stands before them. */
export function registerNotificationsApi(app: FastifyInstance, { notifier, guard, clock }: NotificationsDeps): void {
  const { outbox, pictures } = notifier
  app.get<{ Querystring: Query }>('/api/notifications', { config: { role: 'viewer', live: true } }, async ({ query }) => {
    const range = timeRange({ from: 'now-1d', ...query }, clock.now())
    const limit = whole(query, 'limit', { min: 1, max: 1000, otherwise: 100 })
    const wanted = { channel: text(query, 'channel'), incident: text(query, 'incident'), state: oneOf(query, 'state', STATES) }
    const messages = (await outbox.written(range, READ_MAX))
      .map(messageJson)
      .filter((message) => Object.entries(wanted).every(([key, value]) => value === undefined || message[key] === value))
    return { from: range.start, to: range.end, messages: messages.slice(0, limit), truncated: messages.length > limit }
  })
  app.get('/api/notifications/channels', { config: { role: 'viewer', live: true } }, () => ({ now: clock.now(), channels: outbox.channels() }))
  app.post<OfChannel>('/api/notifications/channels/:channel/test', { config: { role: 'editor' } }, async (request) => {
    const { outcome, tookMs } = await notifier.test(request.params.channel, actorOf(request, guard))
    return { delivered: outcome.state === 'delivered', state: outcome.state, detail: ('detail' in outcome ? outcome.detail : undefined) ?? '', tookMs }
  })
  app.post<OfChannel>('/api/notifications/channels/:channel/enable', { config: { role: 'editor' } }, async ({ params: { channel } }, reply) => {
    if (!outbox.channels().some(({ name }) => name === channel)) throw new AndonError('not_found', `There is no channel "${channel.slice(0, 100)}".`, { hint: 'GET /api/notifications/channels lists them.' })
    await outbox.enable(channel)
    return await reply.code(204).send()
  })
  // Receivers have no token: who knows the address may see the picture, and nobody can guess it.
  app.get<{ Params: { file: string } }>('/api/charts/:file', { config: { role: 'open' } }, (request, reply) => {
    const id = /^([\da-f]{32})\.png$/.exec(request.params.file)?.[1]
    const png = id === undefined ? undefined : pictures?.png(id)
    if (png === undefined) throw new AndonError('not_found', 'There is no such picture any more.', { hint: 'Pictures are kept for the last 300 messages, until the server is started anew.' })
    return reply.header('cache-control', 'public, max-age=86400, immutable').header('x-robots-tag', 'noindex').type('image/png').send(png)
  })
}

function actorOf(request: FastifyRequest, guard: Pick<Guard, 'actor'>): string {
  return guard.actor(request).name
}
