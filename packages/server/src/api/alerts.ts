// Alerts and silences in our own JSON.
import { AndonError, type LabelMatcher, type ListedAlert, type ListedAlertChange, type ListedSilence, type Milliseconds, type Silence } from '@andon/model'
import type { FastifyInstance } from 'fastify'
import { toldLabels } from '../alerts/held-alert.ts'
import type { AlertManager } from '../alerts/manager.ts'
import { allMatch, matcherOf, parseMatcher, parseMatchers } from '../alerts/matcher.ts'
import { serviceOf, severityOf } from '../alerts/severity.ts'
import { silenceState, type WantedSilence } from '../alerts/silence.ts'
import { type AlertView, stateOf, type StoredChange } from '../alerts/views.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Guard } from './guard.ts'
import { parseDuration, parseTime, type Query, text, texts, timeRange, whole } from './parameters.ts'

export interface AlertsDeps {
  readonly alerts: AlertManager
  readonly guard: Pick<Guard, 'actor'>
  readonly clock: Pick<Clock, 'now'>
}

const BODY_LIMIT = 262_144
const LIVE = { config: { role: 'viewer', live: true } } as const

function alertJson(view: AlertView): ListedAlert {
  const { held, isFlapping, mute, mutedBy, receivers } = view
  const { labels, annotations, source, startsAt, onsetAt, generatorUrl, value, expression } = held.alert
  return {
    fingerprint: held.fingerprint,
    status: held.status,
    state: stateOf(view),
    flapping: isFlapping,
    service: serviceOf(labels),
    severity: severityOf(toldLabels(held)),
    ticketBecause: held.ticketBecause ?? null,
    labels,
    annotations,
    source,
    startsAt,
    onsetAt: onsetAt ?? null,
    changedAt: held.changedAt,
    updatedAt: held.updatedAt,
    value: value ?? null,
    expression: expression ?? null,
    generatorUrl,
    incident: held.incident ?? null,
    silencedBy: mute.silencedBy,
    inhibitedBy: mute.inhibitedBy,
    mutedBy,
    receivers,
  }
}

function changeJson({ at, status, held }: StoredChange): ListedAlertChange {
  const { labels, annotations, source, startsAt, value } = held.alert
  return { at, status, fingerprint: held.fingerprint, service: serviceOf(labels), severity: severityOf(toldLabels(held)), labels, annotations, source, startsAt, value: value ?? null, incident: held.incident ?? null }
}

function silenceJson(silence: Silence, now: Milliseconds): ListedSilence {
  return { ...silence, state: silenceState(silence, now) }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const OPERATORS = ['=', '!=', '=~', '!~'] as const

/** A text such as `service_name="shop"`, or a list of texts or of {name, operator, value}. */
function matchersOf(value: unknown): LabelMatcher[] {
  if (typeof value === 'string') return parseMatchers(value)
  if (!Array.isArray(value)) throw new AndonError('bad_body', 'matchers must be a text such as service_name="shop", or a list of {name, operator, value}.')
  const items: readonly unknown[] = value
  return items.map((one) => {
    if (typeof one === 'string') return parseMatcher(one)
    const { name, operator = '=', value: wanted } = isRecord(one) ? one : {}
    const known = OPERATORS.find((each) => each === operator)
    if (typeof name !== 'string' || typeof wanted !== 'string' || known === undefined) throw new AndonError('bad_body', `a matcher is {name, operator: ${OPERATORS.join(' ')}, value}.`)
    return matcherOf(name, known, wanted)
  })
}

function timeIn(body: Readonly<Record<string, unknown>>, name: string, now: Milliseconds): Milliseconds | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number') return Math.floor(value)
  if (typeof value !== 'string') throw new AndonError('bad_body', `${name} must be a time: milliseconds since 1970, ISO 8601, now or now+15m.`)
  return parseTime(name, value, now)
}

function wantedSilence(body: unknown, actor: string, now: Milliseconds): WantedSilence {
  if (!isRecord(body)) throw new AndonError('bad_body', 'The body must be {"matchers": "service_name=\\"shop\\"", "duration": "2h", "comment": "why"}.')
  const { id = '', matchers, duration, comment, createdBy = actor } = body
  if (typeof id !== 'string' || typeof comment !== 'string' || typeof createdBy !== 'string') throw new AndonError('bad_body', 'comment must be a text, and id and createdBy too where they are given.')
  const startsAt = timeIn(body, 'startsAt', now) ?? now
  const endsAt = timeIn(body, 'endsAt', now) ?? (typeof duration === 'string' ? startsAt + parseDuration('duration', duration) : undefined)
  if (endsAt === undefined) throw new AndonError('bad_body', 'Say how long: endsAt, or duration such as "2h".')
  return { id, matchers: matchersOf(matchers), startsAt, endsAt, createdBy, comment }
}

/** GET /api/alerts, /api/alerts/history and /api/silences, POST /api/silences, DELETE /api/silences/:id. */
export function registerAlerts(app: FastifyInstance, { alerts, guard, clock }: AlertsDeps): void {
  app.get<{ Querystring: Query }>('/api/alerts', LIVE, async ({ query }) => {
    const isWanted = allMatch(texts(query, 'filter').map(parseMatcher))
    const service = text(query, 'service')
    const views = (await alerts.active()).filter(({ held }) => isWanted(held.alert.labels) && (service === undefined || serviceOf(held.alert.labels) === service))
    return { now: clock.now(), alerts: views.toSorted((a, b) => b.held.alert.startsAt - a.held.alert.startsAt).map(alertJson) }
  })
  app.get<{ Querystring: Query }>('/api/alerts/history', { config: { role: 'viewer' } }, async ({ query }) => {
    const range = timeRange(query, clock.now())
    const limit = whole(query, 'limit', { min: 1, max: 10_000, otherwise: 1000 })
    const isWanted = allMatch(texts(query, 'filter').map(parseMatcher))
    const changes = await alerts.history(range, limit)
    return { from: range.start, to: range.end, changes: changes.filter(({ held }) => isWanted(held.alert.labels)).map(changeJson) }
  })
  app.get('/api/silences', LIVE, () => {
    const now = clock.now()
    return { now, silences: alerts.silences.list().map((silence) => silenceJson(silence, now)) }
  })
  app.post('/api/silences', { config: { role: 'editor' }, bodyLimit: BODY_LIMIT }, async (request) => {
    const now = clock.now()
    const id = await alerts.silences.set(wantedSilence(request.body, guard.actor(request).name, now))
    const silence = alerts.silences.get(id)
    if (silence === undefined) throw new AndonError('not_found', `The silence ${id} is gone.`)
    return silenceJson(silence, now)
  })
  app.delete<{ Params: { id: string } }>('/api/silences/:id', { config: { role: 'editor' } }, async (request, reply) => {
    await alerts.silences.expire(request.params.id, guard.actor(request).name)
    return reply.code(204).send()
  })
}
