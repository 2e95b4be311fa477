// The section `notify` of andon.yaml.
import { readFileSync, statSync } from 'node:fs'
import { AndonError, type Milliseconds } from '@andon/model'
import { parse } from 'yaml'
import { Reading } from '../runtime/reading.ts'
import { channelName, type ChannelOptions, PAGERDUTY_URL, type ReceiverOptions, SLACK_API } from './channel-options.ts'
import type { SmtpOptions } from './email.ts'
import { readAlertmanagerReceivers } from './schema-alertmanager.ts'
import { Secret } from './secret.ts'
import { notifyOrigin, readList, readSecret, readUrl } from './values.ts'

export interface HeartbeatOptions {
  readonly url: Secret
  readonly intervalMs: Milliseconds
}

export interface NotifyOptions {
  readonly receivers: readonly ReceiverOptions[]
  /** Private addresses that may be spoken to. */
  readonly allowHosts: readonly string[]
  readonly fallback: string | undefined
  readonly fallbackAfterMs: Milliseconds
  readonly giveUpAfterMs: Milliseconds
  readonly heartbeat: HeartbeatOptions | undefined
  /** What was understood and is not used, to be logged. */
  readonly warnings: readonly string[]
}

export const defaultNotify: NotifyOptions = { receivers: [], allowHosts: [], fallback: undefined, fallbackAfterMs: 300_000, giveUpAfterMs: 86_400_000, heartbeat: undefined, warnings: [] }

/** Of all receivers. */
const CHANNELS_MAX = 500
const TYPES = ['slack', 'email', 'pagerduty', 'webhook'] as const

export interface NotifySources {
  /** The section `alerting` of the same file, whose receivers may have channels; absent where it has none. */
  readonly alerting?: unknown
  readonly env?: Readonly<Record<string, string | undefined>>
}

function smtpOf(given: Reading | undefined): SmtpOptions | undefined {
  if (given === undefined) return undefined
  given.only('host', 'port', 'tls', 'verify', 'user', 'password', 'from', 'hello')
  const port = given.at('port').whole({ least: 1, most: 65_535 }, 587)
  return {
    host: given.at('host').text(),
    port,
    tls: given.at('tls').word(['starttls', 'implicit', 'none'], port === 465 ? 'implicit' : 'starttls'),
    verify: given.at('verify').flag(true),
    user: given.at('user').text(undefined),
    password: given.at('password').or(undefined, readSecret),
    from: given.at('from').text(),
    hello: given.at('hello').text(undefined),
  }
}

/** What all channels of one receiver have. */
interface Base {
  readonly name: string
  readonly receiver: string
  readonly sendResolved: boolean
}

function slackOf(given: Reading, base: Base): ChannelOptions {
  given.only('webhook_url', 'token', 'channel', 'thread', 'api_url', 'send_resolved', 'name')
  if (given.has('token') === given.has('webhook_url')) given.refuse('must have either webhook_url or token')
  if (given.has('webhook_url')) return { type: 'slack', ...base, url: readSecret(given.at('webhook_url')), channel: given.at('channel').text(undefined) }
  return { type: 'slack-bot', ...base, token: readSecret(given.at('token')), channel: given.at('channel').text(), thread: given.at('thread').flag(true), apiUrl: readUrl(given.at('api_url'), SLACK_API) }
}

function emailOf(given: Reading, base: Base, smtp: SmtpOptions | undefined): ChannelOptions {
  given.only('to', 'smtp', 'headers', 'send_resolved', 'name')
  const to = readList(given.at('to'))
  if (to.length === 0 || to.length > 50 || to.some((one) => !/^[^\s@<>]+@[^\s@<>]+$|<[^\s@<>]+@[^\s@<>]+>$/.test(one))) given.at('to').refuse('must be a list of 1 to 50 addresses')
  const headers = given.at('headers').orNone()
  const entries = (headers?.keys() ?? []).map((key): [string, string] => [key, headers?.at(key).text() ?? ''])
  return { type: 'email', ...base, to, smtp: smtpOf(given.at('smtp').orNone()) ?? smtp ?? given.refuse('has no server', 'Set notify.smtp, or smtp of this channel.'), headers: Object.fromEntries(entries) }
}

function pagerDutyOf(given: Reading, base: Base): ChannelOptions {
  given.only('routing_key', 'url', 'severity', 'send_resolved', 'name')
  return { type: 'pagerduty', ...base, routingKey: readSecret(given.at('routing_key')), url: readUrl(given.at('url'), PAGERDUTY_URL), severity: given.at('severity').text(undefined) }
}

function webhookOf(given: Reading, base: Base): ChannelOptions {
  given.only('url', 'secret', 'bearer', 'body', 'max_alerts', 'send_resolved', 'name')
  const bearer = given.at('bearer').or(undefined, readSecret)
  return {
    type: 'webhook',
    ...base,
    url: addressOf(given.at('url')),
    secret: given.at('secret').or(undefined, readSecret),
    authorization: bearer === undefined ? undefined : { scheme: 'Bearer', credentials: bearer },
    body: given.at('body').word(['alertmanager', 'andon'], 'alertmanager'),
    maxAlerts: given.at('max_alerts').whole({ least: 0, most: 10_000 }, 0),
  }
}

/** An address may stand in the file; one that holds a secret is named like one. */
function addressOf(reading: Reading): Secret {
  if (typeof reading.value !== 'string') return readSecret(reading)
  const text = readUrl(reading)
  if (new URL(text).password !== '') reading.refuse('holds a password', 'Write {env: NAME} or {file: PATH} in its place.')
  return new Secret({ text })
}

function receiverOf(given: Reading, smtp: SmtpOptions | undefined): ReceiverOptions {
  given.only('name', 'fallback', 'channels')
  const receiver = given.at('name').text()
  const channels: ChannelOptions[] = []
  for (const one of given.at('channels').list()) {
    one.only(...TYPES)
    const type = TYPES.find((each) => one.has(each))
    const fields = type === undefined ? undefined : one.at(type).orNone()
    if (type === undefined || fields === undefined || one.keys().length !== 1) return one.refuse(`must be one of ${TYPES.join(', ')}`)
    const base: Base = { name: fields.at('name').text(undefined) ?? channelName(receiver, type, channels), receiver, sendResolved: fields.at('send_resolved').flag(true) }
    if (type === 'slack') channels.push(slackOf(fields, base))
    else if (type === 'email') channels.push(emailOf(fields, base, smtp))
    else if (type === 'pagerduty') channels.push(pagerDutyOf(fields, base))
    else channels.push(webhookOf(fields, base))
  }
  return { name: receiver, channels, fallback: given.at('fallback').text(undefined) }
}

/** The receivers of a file of Alertmanager's configuration. */
function fromFile(file: string, warnings: string[]): ReceiverOptions[] {
  let text: string
  let isPrivate: boolean
  try {
    text = readFileSync(file, 'utf8')
    isPrivate = (statSync(file).mode & 0o077) === 0
  } catch (error) {
    throw new AndonError('bad_config', `notify.alertmanager_file cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  let document: unknown
  try {
    document = parse(text)
  } catch (error) {
    throw new AndonError('bad_config', `${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  return readAlertmanagerReceivers(document, { file, isPrivate, warn: (warning) => void warnings.push(warning) })
}

/** The channels that stand in the section `alerting` itself, as those of an alertmanager.yml; receivers that are names alone have theirs elsewhere. */
function fromSection(alerting: unknown, warnings: string[]): ReceiverOptions[] {
  const found = readAlertmanagerReceivers(alerting, { file: 'alerting', isSection: true, isPrivate: false, warn: (warning) => void warnings.push(warning) })
  return found.filter(({ channels }) => channels.length > 0)
}

function checked(given: Reading, options: NotifyOptions): NotifyOptions {
  const channels = options.receivers.flatMap((receiver) => receiver.channels)
  const receivers = given.at('receivers')
  if (channels.length > CHANNELS_MAX) receivers.refuse(`have ${channels.length} channels; ${CHANNELS_MAX} are taken`)
  receivers.refuseTwice(options.receivers.map(({ name }) => name))
  receivers.refuseTwice(channels.map(({ name }) => name), 'Give one of these channels another name.')
  const known = `Channels are: ${channels.map(({ name }) => name).join(', ')}.`
  const isUnknown = (fallback: string | undefined): boolean => fallback !== undefined && !channels.some(({ name }) => name === fallback)
  const wrong = options.receivers.find(({ fallback }) => isUnknown(fallback))
  if (wrong !== undefined) receivers.refuse(`hold "${wrong.name}", whose fallback names no channel: "${wrong.fallback ?? ''}"`, known)
  if (isUnknown(options.fallback)) given.at('fallback').refuse(`names no channel: "${options.fallback ?? ''}"`, known)
  return options
}

/**
 * Reads the section `notify`.
 *
 * @param value - as it was parsed from YAML; undefined for none
 * @throws AndonError bad_config naming the path of what is wrong
 */
export function readNotify(value: unknown, { env, alerting }: NotifySources = {}): NotifyOptions {
  if ((value === undefined || value === null) && alerting === undefined) return defaultNotify
  const given = new Reading(value ?? {}, 'notify', notifyOrigin(env))
  given.only('receivers', 'allow_hosts', 'fallback', 'fallback_after_ms', 'give_up_after_ms', 'heartbeat', 'smtp', 'alertmanager_file')
  const smtp = smtpOf(given.at('smtp').orNone())
  const own = given.at('receivers').list().map((one) => receiverOf(one, smtp))
  const heartbeat = given.at('heartbeat').orNone()
  heartbeat?.only('url', 'interval_ms')
  const file = given.at('alertmanager_file').text(undefined)
  const warnings: string[] = []
  const imported = [...(file === undefined ? [] : fromFile(file, warnings)), ...(alerting === undefined ? [] : fromSection(alerting, warnings))]
  return checked(given, {
    receivers: [...own, ...imported],
    allowHosts: readList(given.at('allow_hosts')),
    fallback: given.at('fallback').text(undefined),
    fallbackAfterMs: given.at('fallback_after_ms').whole({ least: 1000, most: 86_400_000 }, defaultNotify.fallbackAfterMs),
    giveUpAfterMs: given.at('give_up_after_ms').whole({ least: 60_000, most: 604_800_000 }, defaultNotify.giveUpAfterMs),
    heartbeat: heartbeat === undefined ? undefined : { url: addressOf(heartbeat.at('url')), intervalMs: heartbeat.at('interval_ms').whole({ least: 10_000, most: 86_400_000 }, 60_000) },
    warnings,
  })
}
