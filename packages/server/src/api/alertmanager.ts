// Alertmanager's API v2, as Prometheus, amtool and Grafana speak it.
// @see https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
import { type Alert, AndonError, type Labels, type MatchOperator, type Milliseconds, type Silence } from '@andon/model'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RE2JS } from 're2js'
import type { AlertManager } from '../alerts/manager.ts'
import { allMatch, matcherOf, parseMatcher } from '../alerts/matcher.ts'
import { silenceState } from '../alerts/silence.ts'
import { type AlertView, stateOf } from '../alerts/views.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { prepareError } from './errors.ts'
import { parameters } from './metrics-request.ts'
import { type Query, text, texts } from './parameters.ts'

export interface AlertmanagerDeps {
  readonly alerts: AlertManager
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly version: string
  readonly startedAt: Milliseconds
}

const VIEWER = { config: { role: 'viewer' } } as const
/** What finds alerts has the token of what sends telemetry. */
const SOURCE = { config: { role: 'ingest' }, bodyLimit: 8 * 1024 * 1024 } as const
const EDITOR = { config: { role: 'editor' }, bodyLimit: 262_144 } as const
const ALERTS_MAX = 10_000
const LABELS_MAX = 128
const TEXT_MAX = 16_384
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i

/** An answer of the framework that Alertmanager is made with. */
class Unprocessable extends Error {
  readonly code: number
  readonly status: number

  constructor(code: number, message: string, status = 422) {
    super(message)
    this.code = code
    this.status = status
  }
}

const timeText = (time: Milliseconds): string => new Date(time).toISOString()

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Go's time of what never was is no time. */
function timeOf(value: unknown, where: string): Milliseconds | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN
  if (Number.isNaN(time)) throw new Unprocessable(400, `parsing ${where} failed, because it is no date-time`, 400)
  return time <= -62_135_596_800_000 ? undefined : time
}

function labelsOf(value: unknown, where: string): Labels {
  if (value === undefined || value === null) return {}
  if (!isRecord(value)) throw new Unprocessable(600, `${where} in body must be of type object`)
  const pairs = Object.entries(value).map(([name, label]): [string, string] => {
    if (typeof label !== 'string') throw new Unprocessable(600, `${where}.${name} in body must be of type string`)
    return [name, label]
  })
  return Object.fromEntries(pairs.filter(([, label]) => label !== ''))
}

/** What is wrong with the labels of an alert; '' where nothing is. */
function labelFault(labels: Labels, what: string): string {
  const names = Object.keys(labels)
  if (names.length > LABELS_MAX) return `invalid ${what}: more than ${LABELS_MAX}`
  if (names.includes('')) return `invalid ${what}: invalid name ""`
  const long = names.find((name) => name.length > TEXT_MAX || (labels[name] ?? '').length > TEXT_MAX)
  return long === undefined ? '' : `invalid ${what}: "${long.slice(0, 100)}" is longer than ${TEXT_MAX}`
}

/** An alert that was posted, or what is wrong with it. */
function postedAlert(value: unknown, index: number, { now, resolveMs }: { readonly now: Milliseconds; readonly resolveMs: Milliseconds }): Alert | string {
  if (!isRecord(value)) throw new Unprocessable(600, `alerts.${index} in body must be of type object`)
  if (value['labels'] === undefined || value['labels'] === null) throw new Unprocessable(602, `${index}.labels in body is required`)
  const labels = labelsOf(value['labels'], `${index}.labels`)
  const annotations = labelsOf(value['annotations'], `${index}.annotations`)
  const given = timeOf(value['endsAt'], 'endsAt')
  const startsAt = timeOf(value['startsAt'], 'startsAt') ?? given ?? now
  const endsAt = given ?? now + resolveMs
  const generatorUrl = value['generatorURL']
  if (endsAt < startsAt && given !== undefined) return 'start time must be before end time'
  if (Object.keys(labels).length === 0) return 'at least one label pair required'
  const fault = labelFault(labels, 'label set') || labelFault(annotations, 'annotations')
  if (fault !== '') return fault
  return { labels, annotations, source: 'api', startsAt, endsAt, generatorUrl: typeof generatorUrl === 'string' ? generatorUrl.slice(0, TEXT_MAX) : '', value: undefined, expression: undefined, onsetAt: undefined }
}

function flag(query: Query, name: string): boolean {
  const value = text(query, name)
  if (value === undefined || value === 'true' || value === '1') return true
  if (value === 'false' || value === '0') return false
  throw new Unprocessable(601, `${name} in query must be of type boolean: "${value.slice(0, 100)}"`)
}

function receiverFilter(query: Query): (receivers: readonly string[]) => boolean {
  const given = text(query, 'receiver')
  if (given === undefined) return () => true
  let pattern: RE2JS
  try {
    pattern = RE2JS.compile(`^(?:${given})$`)
  } catch (error) {
    throw new AndonError('bad_parameter', `failed to parse receiver param: ${error instanceof Error ? error.message : String(error)}`)
  }
  return (receivers) => receivers.some((name) => pattern.matches(name))
}

/** The alerts that a request asks for. */
function alertFilter(query: Query): (view: AlertView) => boolean {
  const matches = allMatch(texts(query, 'filter').map(parseMatcher))
  const [active, silenced, inhibited] = [flag(query, 'active'), flag(query, 'silenced'), flag(query, 'inhibited')]
  flag(query, 'unprocessed')
  return (view) => {
    if (!active && stateOf(view) === 'active') return false
    if (!silenced && view.mute.silencedBy.length > 0) return false
    if (!inhibited && view.mute.inhibitedBy.length > 0) return false
    return matches(view.held.alert.labels)
  }
}

function alertJson(view: AlertView, resolveMs: Milliseconds): object {
  const { held, mute, mutedBy, receivers } = view
  const { labels, annotations, startsAt, endsAt, generatorUrl } = held.alert
  return {
    annotations,
    // Of a source that says it when it ends: until then as long as one that must say it again.
    endsAt: timeText(endsAt ?? held.updatedAt + resolveMs),
    fingerprint: held.fingerprint,
    receivers: receivers.map((name) => ({ name })),
    startsAt: timeText(startsAt),
    status: { inhibitedBy: mute.inhibitedBy, mutedBy, silencedBy: mute.silencedBy, state: stateOf(view) },
    updatedAt: timeText(held.updatedAt),
    ...(generatorUrl !== '' && { generatorURL: generatorUrl }),
    labels,
  }
}

function silenceJson({ id, matchers, startsAt, endsAt, updatedAt, createdBy, comment }: Silence, now: Milliseconds): object {
  return {
    id,
    status: { state: silenceState({ startsAt, endsAt }, now) },
    updatedAt: timeText(updatedAt),
    comment,
    createdBy,
    endsAt: timeText(endsAt),
    matchers: matchers.map(({ name, operator, value }) => ({ isEqual: !operator.startsWith('!'), isRegex: operator.endsWith('~'), name, value })),
    startsAt: timeText(startsAt),
  }
}

function field(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name]
  if (value === undefined || value === null) throw new Unprocessable(602, `${name} in body is required`)
  if (typeof value !== 'string') throw new Unprocessable(600, `${name} in body must be of type string`)
  return value
}

function postedMatcher(value: unknown): ReturnType<typeof matcherOf> {
  if (!isRecord(value)) throw new Unprocessable(600, 'matchers in body must be of type object')
  const { isRegex, isEqual = true } = value
  if (typeof isRegex !== 'boolean') throw new Unprocessable(602, 'matchers.isRegex in body is required')
  const operator: MatchOperator = isEqual === false ? (isRegex ? '!~' : '!=') : isRegex ? '=~' : '='
  return matcherOf(field(value, 'name'), operator, field(value, 'value'))
}

function postedSilence(body: unknown): Parameters<AlertManager['silences']['set']>[0] {
  if (!isRecord(body)) throw new Unprocessable(602, 'silence in body is required')
  const { matchers } = body
  if (!Array.isArray(matchers) || matchers.length === 0) throw new Unprocessable(matchers === undefined ? 602 : 612, matchers === undefined ? 'matchers in body is required' : 'matchers in body should have at least 1 items')
  const [startsAt, endsAt] = [timeOf(field(body, 'startsAt'), 'startsAt') ?? 0, timeOf(field(body, 'endsAt'), 'endsAt') ?? 0]
  const id = body['id']
  return { id: typeof id === 'string' ? id : '', matchers: matchers.map(postedMatcher), startsAt, endsAt, createdBy: field(body, 'createdBy'), comment: field(body, 'comment') }
}

function silenceId(request: FastifyRequest): string {
  const value: unknown = isRecord(request.params) ? request.params['id'] : undefined
  if (typeof value !== 'string' || !UUID.test(value)) throw new Unprocessable(601, `silenceID in path must be of type uuid: "${String(value).slice(0, 100)}"`)
  return value.toLowerCase()
}

/** Alertmanager answers an error as a text in JSON, and its framework as {code, message}. */
function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): FastifyReply {
  if (error instanceof Unprocessable) return reply.code(error.status).send({ code: error.code, message: error.message })
  const known = prepareError(error, request, reply, log)
  if (known.code === 'bad_body' || known.code === 'unsupported_media_type') return reply.send({ code: known.status, message: known.message })
  return reply.type('application/json').send(JSON.stringify(known.message))
}

function registerAlerts(scope: FastifyInstance, { alerts, clock }: AlertmanagerDeps): void {
  scope.get('/api/v2/alerts', VIEWER, async (request) => {
    const query = parameters(request)
    const [isWanted, isReceived] = [alertFilter(query), receiverFilter(query)]
    return (await alerts.active()).filter((view) => isReceived(view.receivers) && isWanted(view)).map((view) => alertJson(view, alerts.config.resolveTimeoutMs))
  })
  scope.post('/api/v2/alerts', SOURCE, async (request, reply) => {
    const { body } = request
    if (!Array.isArray(body)) throw new Unprocessable(602, 'alerts in body is required')
    const posted: readonly unknown[] = body
    if (posted.length > ALERTS_MAX) throw new AndonError('too_large', `more than ${ALERTS_MAX} alerts in one request`)
    const now = clock.now()
    const read = posted.map((value, index) => postedAlert(value, index, { now, resolveMs: alerts.config.resolveTimeoutMs }))
    // Those that are well formed are taken, whatever the others are.
    await alerts.accept(read.filter((one) => typeof one !== 'string'))
    const faults = read.filter((one) => typeof one === 'string')
    if (faults.length > 0) throw new AndonError('bad_parameter', faults.slice(0, 20).join('; '))
    return reply.code(200).send()
  })
  scope.get('/api/v2/alerts/groups', VIEWER, async (request) => {
    const query = parameters(request)
    const [isWanted, isReceived, muted] = [alertFilter(query), receiverFilter(query), flag(query, 'muted')]
    return (await alerts.groups())
      .filter(({ group, mutedBy }) => isReceived([group.receiver]) && (muted || mutedBy.length === 0))
      .map(({ group, alerts: views }) => ({ alerts: views.filter(isWanted).map((view) => alertJson(view, alerts.config.resolveTimeoutMs)), labels: group.labels, receiver: { name: group.receiver } }))
      .filter((group) => group.alerts.length > 0)
  })
}

function registerSilences(scope: FastifyInstance, { alerts, clock }: AlertmanagerDeps): void {
  scope.get('/api/v2/silences', VIEWER, (request) => {
    const query = parameters(request)
    const wanted = texts(query, 'filter').map(parseMatcher)
    const creators = new Set(texts(query, 'creator'))
    const now = clock.now()
    return alerts.silences
      .list()
      .filter(({ matchers, createdBy }) => (creators.size === 0 || creators.has(createdBy)) && wanted.every(({ name, operator, value }) => matchers.some((one) => one.name === name && one.operator === operator && one.value === value)))
      .map((silence) => silenceJson(silence, now))
  })
  scope.post('/api/v2/silences', EDITOR, async (request) => ({ silenceID: await alerts.silences.set(postedSilence(request.body)) }))
  scope.get('/api/v2/silence/:id', VIEWER, (request, reply) => {
    const silence = alerts.silences.get(silenceId(request))
    return silence === undefined ? reply.code(404).send() : silenceJson(silence, clock.now())
  })
  scope.delete('/api/v2/silence/:id', EDITOR, async (request, reply) => {
    const silence = alerts.silences.get(silenceId(request))
    if (silence === undefined) return reply.code(404).send()
    await alerts.silences.expire(silence.id, '')
    return reply.code(200).send()
  })
}

/** Alertmanager's routes under /api/v2. */
export function registerAlertmanager(app: FastifyInstance, deps: AlertmanagerDeps): void {
  const { alerts, log, version, startedAt } = deps
  void app.register(async (scope) => {
    scope.setErrorHandler((error, request, reply) => answerError(error, request, reply, log))
    scope.addHook('onSend', async (_request, reply) => void reply.header('cache-control', 'no-store'))
    scope.get('/api/v2/status', VIEWER, () => ({
      cluster: { name: '', peers: [], status: 'disabled' },
      config: { original: alerts.config.original },
      uptime: timeText(startedAt),
      versionInfo: { branch: '', buildDate: '', buildUser: '', goVersion: '', revision: '', version },
    }))
    scope.get('/api/v2/receivers', VIEWER, () => alerts.config.receivers.map(({ name }) => ({ name })))
    registerAlerts(scope, deps)
    registerSilences(scope, deps)
  })
}
