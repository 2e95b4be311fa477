// Any receiver that takes JSON: Alertmanager's body, or one that says all that is known; signed as Standard Webhooks wants it.
// @see https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
// @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
import { createHmac } from 'node:crypto'
import type { Milliseconds, NotifiedAlert } from '@andon/model'
import type { Channel, ChannelType, OutMessage, Outcome, SendContext } from './channel.ts'
import { type OutboundAnswer, type OutboundHttp, retryAfterMs } from './http.ts'
import type { Secret } from './secret.ts'
import { digestOf } from './slack-webhook.ts'
import type { Pace } from './token-bucket.ts'
import { clip, commonOf, isUnannounced, linksOf, titleOf } from './words.ts'

export interface WebhookOptions {
  readonly name: string
  readonly receiver: string
  readonly sendResolved: boolean
  readonly url: Secret
  /** Signs what is sent; undefined: it is not signed. */
  readonly secret: Secret | undefined
  /** Of the header `authorization`. */
  readonly authorization: { readonly scheme: string; readonly credentials: Secret } | { readonly username: string; readonly password: Secret } | undefined
  readonly body: 'alertmanager' | 'andon'
  /** Alerts in one body; 0: all. */
  readonly maxAlerts: number
  readonly externalUrl: string
}

const WEBHOOK_PACE: Pace = { perSecond: 10, burst: 20 }
/** Alertmanager's time of what has none. */
const NEVER = '0001-01-01T00:00:00Z'

const timeOf = (time: Milliseconds | undefined): string => (time === undefined ? NEVER : new Date(time).toISOString())

function alertJson({ status, labels, annotations, startsAt, endsAt, generatorUrl, fingerprint }: NotifiedAlert): object {
  return { status, labels, annotations, startsAt: timeOf(startsAt), endsAt: timeOf(endsAt), generatorURL: generatorUrl, fingerprint }
}

/** The body that Alertmanager sends, version 4; what we know besides stands in keys of our own. */
export function alertmanagerBody(message: OutMessage, externalUrl: string, maxAlerts: number): object {
  const { notification, earlier } = message
  const { groupKey, status, receiver, groupLabels, reason, alerts, truncated } = notification
  const told = maxAlerts > 0 ? alerts.slice(0, maxAlerts) : alerts
  return {
    version: '4',
    groupKey,
    truncatedAlerts: truncated + alerts.length - told.length,
    status,
    receiver,
    groupLabels,
    commonLabels: commonOf(alerts.map(({ labels }) => labels)),
    commonAnnotations: commonOf(alerts.map(({ annotations }) => annotations)),
    externalURL: externalUrl,
    notification_reason: reason,
    alerts: told.map(alertJson),
    ...(message.unannounced.size > 0 && { unannounced: told.filter(({ fingerprint }) => message.unannounced.has(fingerprint)).map(({ fingerprint }) => fingerprint) }),
    ...(earlier.length > 0 && { earlier: earlier.map(alertJson) }),
    ...(message.insteadOf !== '' && { insteadOf: message.insteadOf }),
  }
}

/** All that is known, in our own words. */
export function andonBody(message: OutMessage, externalUrl: string): object {
  const { id, notification, earlier, earlierLeftOut, insteadOf } = message
  const { reason, status, incident, receiver, groupKey, groupLabels, alerts, truncated, decidedAt } = notification
  const json = (alert: NotifiedAlert): object => ({ ...alert, endsAt: alert.endsAt ?? null, value: alert.value ?? null, expression: alert.expression ?? null, unannounced: message.unannounced.has(alert.fingerprint) })
  return {
    version: 'andon/1',
    id,
    title: titleOf(message),
    status,
    reason,
    firedAndResolved: isUnannounced(message),
    incident: incident ?? null,
    receiver,
    groupKey,
    groupLabels,
    decidedAt,
    alerts: alerts.map(json),
    truncated,
    earlier: earlier.map(json),
    earlierLeftOut,
    insteadOf,
    links: Object.fromEntries(Object.entries(linksOf(message, externalUrl)).filter(([, url]) => url !== undefined)),
  }
}

/**
 * A signature of Standard Webhooks.
 *
 * @param secret - `whsec_` and base64, or any text
 * @param seconds - since the Unix epoch
 */
export function signatureOf(secret: string, id: string, seconds: number, body: string): string {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret, 'utf8')
  return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`
}

/** What an answer of a receiver means. */
export function webhookOutcome({ status, headers, body }: OutboundAnswer, now: Milliseconds): Outcome {
  if (status >= 200 && status < 300) return { state: 'delivered' }
  const detail = `the receiver answered ${status} ${clip(body.trim(), 200)}`.trim()
  if (status === 408 || status === 425 || status === 429 || status >= 500) return { state: 'retry', detail, afterMs: retryAfterMs(headers['retry-after'], now) }
  if (status === 410) return { state: 'disabled', detail }
  if (status >= 300 && status < 400) return { state: 'refused', detail: `${detail}; redirects are not followed` }
  return { state: 'refused', detail }
}

export class Webhook implements Channel {
  readonly type: ChannelType = 'webhook'
  readonly name: string
  readonly receiver: string
  readonly sendResolved: boolean
  readonly destination: string
  readonly target: string
  readonly pace: Pace = WEBHOOK_PACE
  readonly #options: WebhookOptions
  readonly #http: Pick<OutboundHttp, 'send'>

  /** @throws AndonError bad_config when there is no address */
  constructor(options: WebhookOptions, http: Pick<OutboundHttp, 'send'>) {
    const { host } = new URL(options.url.read())
    this.name = options.name
    this.receiver = options.receiver
    this.sendResolved = options.sendResolved
    this.destination = `webhook ${digestOf(options.url.read())}`
    this.target = host
    this.#options = options
    this.#http = http
  }

  async send(message: OutMessage, { signal, now }: SendContext): Promise<Outcome> {
    const { url, secret, body: form, maxAlerts, externalUrl } = this.#options
    const body = JSON.stringify(form === 'andon' ? andonBody(message, externalUrl) : alertmanagerBody(message, externalUrl, maxAlerts))
    const seconds = Math.floor(now / 1000)
    const answer = await this.#http.send({
      url: url.read(),
      headers: {
        'content-type': 'application/json',
        'idempotency-key': message.id,
        'webhook-id': message.id,
        'webhook-timestamp': String(seconds),
        ...(secret !== undefined && { 'webhook-signature': signatureOf(secret.read(), message.id, seconds, body) }),
        ...this.#authorization(),
      },
      body,
      signal,
    })
    return webhookOutcome(answer, now)
  }

  #authorization(): Readonly<Record<string, string>> {
    const { authorization } = this.#options
    if (authorization === undefined) return {}
    if ('credentials' in authorization) return { authorization: `${authorization.scheme} ${authorization.credentials.read()}` }
    return { authorization: `Basic ${Buffer.from(`${authorization.username}:${authorization.password.read()}`).toString('base64')}` }
  }
}
