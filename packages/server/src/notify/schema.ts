// The section `notify` of andon.yaml.
import { readFileSync, statSync } from 'node:fs'
import { AndonError, type Milliseconds } from '@andon/model'
import { parse } from 'yaml'
import { channelName, type ChannelOptions, PAGERDUTY_URL, type ReceiverOptions, SLACK_API } from './channel-options.ts'
import type { SmtpOptions } from './email.ts'
import { readAlertmanagerReceivers } from './schema-alertmanager.ts'
import { checkedUrl, Fields, itemsOf, refuse } from './schema-fields.ts'
import { Secret } from './secret.ts'

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
  readonly env?: Readonly<Record<string, string | undefined>>
}

function smtpOf(given: Fields | undefined): SmtpOptions | undefined {
  if (given === undefined) return undefined
  given.only(['host', 'port', 'tls', 'verify', 'user', 'password', 'from', 'hello'])
  const port = given.whole('port', { min: 1, max: 65_535, otherwise: 587 })
  return {
    host: given.needed('host'),
    port,
    tls: given.word('tls', ['starttls', 'implicit', 'none'], port === 465 ? 'implicit' : 'starttls'),
    verify: given.flag('verify', true),
    user: given.text('user'),
    password: given.secret('password'),
    from: given.needed('from'),
    hello: given.text('hello'),
  }
}

/** What all channels of one receiver have. */
interface Base {
  readonly name: string
  readonly receiver: string
  readonly sendResolved: boolean
}

function slackOf(given: Fields, base: Base): ChannelOptions {
  given.only(['webhook_url', 'token', 'channel', 'thread', 'api_url', 'send_resolved', 'name'])
  if (given.has('token') === given.has('webhook_url')) refuse(given.path, 'must have either webhook_url or token')
  if (given.has('webhook_url')) return { type: 'slack', ...base, url: given.neededSecret('webhook_url'), channel: given.text('channel') }
  return { type: 'slack-bot', ...base, token: given.neededSecret('token'), channel: given.needed('channel'), thread: given.flag('thread', true), apiUrl: checkedUrl(given.text('api_url') ?? SLACK_API, given.at('api_url')) }
}

function emailOf(given: Fields, base: Base, smtp: SmtpOptions | undefined): ChannelOptions {
  given.only(['to', 'smtp', 'headers', 'send_resolved', 'name'])
  const to = given.texts('to')
  if (to.length === 0 || to.length > 50 || to.some((one) => !/^[^\s@<>]+@[^\s@<>]+$|<[^\s@<>]+@[^\s@<>]+>$/.test(one))) refuse(given.at('to'), 'must be a list of 1 to 50 addresses')
  const headers = given.fields('headers')
  const entries = (headers?.keys ?? []).map((key): [string, string] => [key, headers?.needed(key) ?? ''])
  return { type: 'email', ...base, to, smtp: smtpOf(given.fields('smtp')) ?? smtp ?? refuse(given.path, 'has no server', 'Set notify.smtp, or smtp of this channel.'), headers: Object.fromEntries(entries) }
}

function pagerDutyOf(given: Fields, base: Base): ChannelOptions {
  given.only(['routing_key', 'url', 'severity', 'send_resolved', 'name'])
  return { type: 'pagerduty', ...base, routingKey: given.neededSecret('routing_key'), url: checkedUrl(given.text('url') ?? PAGERDUTY_URL, given.at('url')), severity: given.text('severity') }
}

function webhookOf(given: Fields, base: Base): ChannelOptions {
  given.only(['url', 'secret', 'bearer', 'body', 'max_alerts', 'send_resolved', 'name'])
  const bearer = given.secret('bearer')
  return {
    type: 'webhook',
    ...base,
    url: addressOf(given, 'url'),
    secret: given.secret('secret'),
    authorization: bearer === undefined ? undefined : { scheme: 'Bearer', credentials: bearer },
    body: given.word('body', ['alertmanager', 'andon'], 'alertmanager'),
    maxAlerts: given.whole('max_alerts', { min: 0, max: 10_000, otherwise: 0 }),
  }
}

/** An address may stand in the file; one that holds a secret is named like one. */
function addressOf(given: Fields, key: string): Secret {
  if (typeof given.value(key) !== 'string') return given.neededSecret(key)
  const text = checkedUrl(given.needed(key), given.at(key))
  if (new URL(text).password !== '') refuse(given.at(key), 'holds a password', 'Write {env: NAME} or {file: PATH} in its place.')
  return new Secret({ text })
}

function receiverOf(given: Fields, smtp: SmtpOptions | undefined): ReceiverOptions {
  given.only(['name', 'fallback', 'channels'])
  const receiver = given.needed('name')
  const channels: ChannelOptions[] = []
  for (const [index, value] of itemsOf(given.value('channels'), given.at('channels')).entries()) {
    const one = given.child(value, `${given.at('channels')}[${index}]`)
    one.only(TYPES)
    const type = TYPES.find((each) => one.has(each))
    const fields = type === undefined ? undefined : one.fields(type)
    if (type === undefined || fields === undefined || one.keys.length !== 1) return refuse(one.path, `must be one of ${TYPES.join(', ')}`)
    const base: Base = { name: fields.text('name') ?? channelName(receiver, type, channels), receiver, sendResolved: fields.flag('send_resolved', true) }
    if (type === 'slack') channels.push(slackOf(fields, base))
    else if (type === 'email') channels.push(emailOf(fields, base, smtp))
    else if (type === 'pagerduty') channels.push(pagerDutyOf(fields, base))
    else channels.push(webhookOf(fields, base))
  }
  return { name: receiver, channels, fallback: given.text('fallback') }
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

const twice = (names: readonly string[]): string | undefined => names.find((name, index) => names.indexOf(name) !== index)

function checked(options: NotifyOptions): NotifyOptions {
  const channels = options.receivers.flatMap((receiver) => receiver.channels)
  if (channels.length > CHANNELS_MAX) refuse('notify.receivers', `have ${channels.length} channels; ${CHANNELS_MAX} are taken`)
  const receiver = twice(options.receivers.map(({ name }) => name))
  if (receiver !== undefined) refuse('notify.receivers', `hold the name "${receiver}" twice`)
  const channel = twice(channels.map(({ name }) => name))
  if (channel !== undefined) refuse('notify.receivers', `hold the channel "${channel}" twice`, 'Give one of them another name.')
  for (const { name, fallback } of [...options.receivers, { name: '', fallback: options.fallback }]) {
    if (fallback !== undefined && !channels.some((one) => one.name === fallback)) {
      refuse(name === '' ? 'notify.fallback' : `the fallback of the receiver "${name}"`, `names no channel: "${fallback}"`, `Channels are: ${channels.map((one) => one.name).join(', ')}.`)
    }
  }
  return options
}

/**
 * Reads the section `notify`.
 *
 * @param value - as it was parsed from YAML; undefined for none
 * @throws AndonError bad_config naming the path of what is wrong
 */
export function readNotify(value: unknown, { env }: NotifySources = {}): NotifyOptions {
  if (value === undefined || value === null) return defaultNotify
  const given = new Fields(value, 'notify', env)
  given.only(['receivers', 'allow_hosts', 'fallback', 'fallback_after_ms', 'give_up_after_ms', 'heartbeat', 'smtp', 'alertmanager_file'])
  const smtp = smtpOf(given.fields('smtp'))
  const own = itemsOf(given.value('receivers'), given.at('receivers')).map((one, index) => receiverOf(given.child(one, `${given.at('receivers')}[${index}]`), smtp))
  const heartbeat = given.fields('heartbeat')
  heartbeat?.only(['url', 'interval_ms'])
  const file = given.text('alertmanager_file')
  const warnings: string[] = []
  const imported = file === undefined ? [] : fromFile(file, warnings)
  return checked({
    receivers: [...own, ...imported],
    allowHosts: given.texts('allow_hosts'),
    fallback: given.text('fallback'),
    fallbackAfterMs: given.whole('fallback_after_ms', { min: 1000, max: 86_400_000, otherwise: defaultNotify.fallbackAfterMs }),
    giveUpAfterMs: given.whole('give_up_after_ms', { min: 60_000, max: 604_800_000, otherwise: defaultNotify.giveUpAfterMs }),
    heartbeat: heartbeat === undefined ? undefined : { url: addressOf(heartbeat, 'url'), intervalMs: heartbeat.whole('interval_ms', { min: 10_000, max: 86_400_000, otherwise: 60_000 }) },
    warnings,
  })
}
