// PagerDuty's Events API v2.
// @see https://developer.pagerduty.com/docs/events-api-v2-overview
import { createHash } from 'node:crypto'
import type { Bytes } from '@andon/model'
import type { Channel, ChannelType, OutMessage, Outcome, SendContext } from './channel.ts'
import { type OutboundAnswer, type OutboundHttp, retryAfterMs } from './http.ts'
import { serviceOf, severityOf } from './message.ts'
import type { Secret } from './secret.ts'
import { digestOf } from './slack-webhook.ts'
import type { Pace } from './token-bucket.ts'
import { alertLines, clip, commonOf, insteadText, linksOf, titleOf } from './words.ts'

export interface PagerDutyOptions {
  readonly name: string
  readonly receiver: string
  readonly sendResolved: boolean
  readonly routingKey: Secret
  /** Where events are taken. */
  readonly url: string
  /** What alerts of no severity of their own have. */
  readonly severity: string | undefined
  readonly externalUrl: string
}

/** 120 events in any minute of one key: 12 at once, and as many more as come in between. */
const PAGERDUTY_PACE: Pace = { perSecond: 1.8, burst: 12 }
export const PAGERDUTY_LIMITS = { event: 512_000, summary: 1024, key: 255, source: 255, text: 255 } as const

const SEVERITIES: Readonly<Record<string, string>> = { critical: 'critical', page: 'critical', error: 'error', warning: 'warning', info: 'info', none: 'info' }

interface Memory {
  /** By which it was triggered. */
  readonly key: string
}

function memoryOf(memory: unknown): Memory | undefined {
  const key: unknown = typeof memory === 'object' && memory !== null ? Reflect.get(memory, 'key') : undefined
  return typeof key === 'string' ? { key } : undefined
}

/** The incident; of a group without one, its key, hashed because it may be long. */
export function dedupKeyOf({ notification: { incident, groupKey } }: Pick<OutMessage, 'notification'>): string {
  return clip(incident ?? createHash('sha256').update(groupKey).digest('hex'), PAGERDUTY_LIMITS.key)
}

const isTriggeredAlready = (progress: unknown): boolean => typeof progress === 'object' && progress !== null && Reflect.get(progress, 'triggered') === true

/** Whether there is more to say than that all has ended: what nobody heard of would be dropped in silence, and what other groups of the incident say stays. */
function isNews({ notification, unannounced, earlier }: OutMessage, { othersFire }: SendContext): boolean {
  return notification.status === 'firing' || unannounced.size > 0 || earlier.length > 0 || othersFire
}

type EventBody = Readonly<Record<string, unknown>> & { readonly payload?: Readonly<Record<string, unknown>> }

function within(event: EventBody): string {
  const text = JSON.stringify(event)
  const limit: Bytes = PAGERDUTY_LIMITS.event
  if (Buffer.byteLength(text) <= limit || event.payload === undefined) return text
  return JSON.stringify({ ...event, payload: { ...event.payload, custom_details: { error: `The details are left out: the event had ${Buffer.byteLength(text)} bytes, ${limit} are taken.` } } })
}

export class PagerDuty implements Channel {
  readonly type: ChannelType = 'pagerduty'
  readonly name: string
  readonly receiver: string
  readonly sendResolved: boolean
  readonly destination: string
  readonly target: string
  readonly pace: Pace = PAGERDUTY_PACE
  readonly #options: PagerDutyOptions
  readonly #http: Pick<OutboundHttp, 'send'>

  /** @throws AndonError bad_config when there is no key */
  constructor(options: PagerDutyOptions, http: Pick<OutboundHttp, 'send'>) {
    this.name = options.name
    this.receiver = options.receiver
    this.sendResolved = options.sendResolved
    this.destination = `pagerduty ${digestOf(options.routingKey.read())}`
    this.target = new URL(options.url).host
    this.#options = options
    this.#http = http
  }

  async send(message: OutMessage, context: SendContext): Promise<Outcome> {
    const key = memoryOf(context.memory)?.key ?? dedupKeyOf(message)
    const isOver = message.notification.status === 'resolved' && !context.othersFire
    const isTriggered = isTriggeredAlready(context.progress)
    const mustTrigger = !isTriggered && isNews(message, context)
    if (mustTrigger) {
      const told = await this.#event('trigger', key, message, context)
      if (told.state !== 'delivered') return told
    }
    if (!isOver) return { state: 'delivered', memory: { key } }
    if (mustTrigger) await context.pace()
    const resolved = await this.#event('resolve', key, message, context)
    if (resolved.state === 'delivered') return { state: 'delivered', memory: { key } }
    return resolved.state === 'retry' && (mustTrigger || isTriggered) ? { ...resolved, progress: { triggered: true } } : resolved
  }

  async #event(action: 'trigger' | 'resolve', key: string, message: OutMessage, context: SendContext): Promise<Outcome> {
    const { url } = this.#options
    const body = within(await this.#body(action, key, message, context))
    const answer = await this.#http.send({ url, headers: { 'content-type': 'application/json' }, body, signal: context.signal })
    return pagerDutyOutcome(answer, context.now)
  }

  async #body(action: 'trigger' | 'resolve', key: string, message: OutMessage, { picture }: SendContext): Promise<EventBody> {
    const { routingKey, externalUrl, severity } = this.#options
    const base = { routing_key: routingKey.read(), event_action: action, dedup_key: key }
    if (action === 'resolve') return base
    const { open, runbook, source } = linksOf(message, externalUrl)
    const drawn = await picture()
    const links = [
      { href: open, text: 'Andon' },
      { href: runbook, text: 'Runbook' },
      { href: source, text: 'Source' },
    ].filter(({ href }) => href !== undefined)
    const opened = open === undefined ? {} : { href: open }
    return {
      ...base,
      client: 'Andon',
      ...(open !== undefined && { client_url: open }),
      links,
      // PagerDuty shows none that is not served by HTTPS.
      images: drawn?.url?.startsWith('https://') === true ? [{ src: drawn.url, alt: drawn.alt, ...opened }] : [],
      payload: payloadOf(message, severity),
    }
  }
}

/** An optional text of an event; absent where there is none. */
function short(name: string, text: string | undefined): Record<string, string> {
  return text === undefined || text === '' ? {} : { [name]: clip(text, PAGERDUTY_LIMITS.text) }
}

/** @param otherwise - the severity of alerts that say none */
function payloadOf(message: OutMessage, otherwise = ''): Readonly<Record<string, unknown>> {
  const { notification } = message
  const { alerts, groupKey, groupLabels, reason, truncated } = notification
  const labels = commonOf(alerts.map((alert) => alert.labels))
  const service = serviceOf(notification)
  return {
    summary: clip(titleOf(message), PAGERDUTY_LIMITS.summary),
    source: clip(labels['instance'] ?? (service === '' ? 'Andon' : service), PAGERDUTY_LIMITS.source),
    severity: SEVERITIES[severityOf(notification)] ?? SEVERITIES[otherwise] ?? 'error',
    timestamp: new Date(alerts[0]?.startsAt ?? notification.decidedAt).toISOString(),
    ...short('component', service),
    ...short('group', groupLabels['environment'] ?? labels['environment'] ?? groupKey),
    ...short('class', labels['alertname']),
    custom_details: { reason, alerts: alertLines(message, alerts.length + message.earlier.length), left_out: truncated, labels, annotations: commonOf(alerts.map(({ annotations }) => annotations)), ...(message.insteadOf !== '' && { instead: insteadText(message) }) },
  }
}

/** What an answer of the Events API means. */
export function pagerDutyOutcome({ status, headers, body }: OutboundAnswer, now: number): Outcome {
  if (status >= 200 && status < 300) return { state: 'delivered' }
  const detail = `PagerDuty answered ${status} ${clip(body.trim(), 200)}`
  if (status === 429 || status === 408 || status === 425 || status >= 500) return { state: 'retry', detail, afterMs: retryAfterMs(headers['retry-after'], now) }
  // A key that is not known concerns all events, whatever is wrong with one concerns that one.
  return { state: status !== 400 || /routing_key|integration key/i.test(body) ? 'disabled' : 'refused', detail }
}
