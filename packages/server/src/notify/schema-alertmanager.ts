// Receivers as Alertmanager's configuration has them.
// @see https://prometheus.io/docs/alerting/latest/configuration/
import { UNSERVED_INTEGRATIONS } from '@andon/model'
import { Reading } from '../runtime/reading.ts'
import { channelName, type ChannelOptions, PAGERDUTY_URL, type ReceiverOptions, SLACK_API } from './channel-options.ts'
import type { SmtpOptions } from './email.ts'
import { Secret } from './secret.ts'
import { checkedUrl, notifyOrigin, readUrl } from './values.ts'
import type { WebhookOptions } from './webhook.ts'

export interface AlertmanagerFile {
  /** By which errors call it: its path, or the section that it is. */
  readonly file: string
  /** Whether it is a part of another file, whose rights say nothing of it. */
  readonly isSection?: boolean
  /** Nobody but its owner may read it, so it may hold secrets. */
  readonly isPrivate: boolean
  /** Told of what is understood and not used. */
  readonly warn: (warning: string) => void
}

/** Looks: our messages have their own. */
const LOOKS = ['title', 'title_link', 'text', 'pretext', 'color', 'fallback', 'fields', 'short_fields', 'footer', 'image_url', 'thumb_url', 'link_names', 'mrkdwn_in', 'actions', 'callback_id', 'username', 'icon_emoji', 'icon_url', 'message_text', 'update_message']
const PAGERDUTY_LOOKS = ['client', 'client_url', 'description', 'details', 'images', 'links', 'source', 'component', 'class', 'group', 'timeout']
/** Of what is spoken over HTTP; what is spoken here needs none of them. */
const HTTP_IGNORED = ['follow_redirects', 'enable_http2']
const SMTP_KEYS = ['from', 'smarthost', 'hello', 'auth_username', 'auth_password', 'auth_password_file', 'require_tls', 'force_implicit_tls', 'tls_config', 'auth_identity', 'auth_secret', 'auth_secret_file']

class Reader {
  readonly #file: AlertmanagerFile
  readonly #global: Reading

  constructor(file: AlertmanagerFile, global: Reading) {
    this.#file = file
    this.#global = global
  }

  /** A secret by its key, or by the file that its key with `_file` names. */
  #secret(given: Reading, key: string): Secret | undefined {
    const path = given.at(`${key}_file`).text(undefined)
    if (path !== undefined) {
      if (given.has(key)) given.at(key).refuse(`and ${key}_file are given both`)
      return new Secret({ file: path })
    }
    const text = given.at(key).text(undefined)
    if (text === undefined) return undefined
    if (!this.#file.isPrivate) {
      given.at(key).refuse(`holds a secret in plain text${this.#file.isSection === true ? '' : ', and others may read the file'}`, this.#file.isSection === true ? `Name a file that holds it: ${key}_file.` : `Make it readable to its owner only (chmod 600 ${this.#file.file}), or name a file: ${key}_file.`)
    }
    return new Secret({ text })
  }

  #unused(given: Reading, keys: readonly string[]): void {
    const found = given.keys().filter((key) => keys.includes(key))
    if (found.length > 0) this.#file.warn(`${given.path}: ${found.join(', ')} ${found.length === 1 ? 'is' : 'are'} not used`)
  }

  #authorization(given: Reading): WebhookOptions['authorization'] {
    const http = given.at('http_config').orNone() ?? this.#global.at('http_config').orNone()
    if (http === undefined) return undefined
    http.only('authorization', 'basic_auth', ...HTTP_IGNORED)
    const authorization = http.at('authorization').orNone()
    if (authorization !== undefined) {
      authorization.only('type', 'credentials', 'credentials_file')
      const credentials = this.#secret(authorization, 'credentials') ?? authorization.refuse('has no credentials')
      return { scheme: authorization.at('type').text(undefined) ?? 'Bearer', credentials }
    }
    const basic = http.at('basic_auth').orNone()
    if (basic === undefined) return undefined
    basic.only('username', 'password', 'password_file')
    return { username: basic.at('username').text(), password: this.#secret(basic, 'password') ?? basic.refuse('has no password') }
  }

  slack(given: Reading, receiver: string, name: string): ChannelOptions {
    given.only('send_resolved', 'http_config', 'api_url', 'api_url_file', 'app_token', 'app_token_file', 'app_url', 'channel', 'timeout', ...LOOKS)
    this.#unused(given, [...LOOKS, 'timeout'])
    const base = { name, receiver, sendResolved: given.at('send_resolved').flag(false) }
    const token = this.#secret(given, 'app_token') ?? this.#secretOfGlobal('slack_app_token')
    const authorization = this.#authorization(given)
    const url = this.#secret(given, 'api_url') ?? (token === undefined ? this.#secretOfGlobal('slack_api_url') : undefined)
    // As Alertmanager's users have it who post as a bot: the method as address, its token as authorization.
    const method = url === undefined ? undefined : /^(.*)\/chat\.postMessage$/.exec(readable(url))?.[1]
    const bearer = token ?? bearerOf(authorization)
    if (bearer !== undefined && (url === undefined || method !== undefined)) {
      const apiUrl = method ?? given.at('app_url').text(undefined)?.replace(/\/chat\.postMessage$/, '') ?? SLACK_API
      return { type: 'slack-bot', ...base, token: bearer, channel: given.at('channel').text(), thread: true, apiUrl: checkedUrl(apiUrl, given.at('app_url')) }
    }
    return { type: 'slack', ...base, url: url ?? given.refuse('has no address: neither api_url nor slack_api_url of global'), channel: given.at('channel').text(undefined) }
  }

  #secretOfGlobal(key: string): Secret | undefined {
    return this.#secret(this.#global, key)
  }

  #smtp(given: Reading): SmtpOptions {
    const own = (key: string): string | undefined => given.at(key).text(undefined) ?? this.#global.at(`smtp_${key}`).text(undefined)
    const flag = (key: string, otherwise: boolean): boolean => given.at(key).flag(this.#global.at(`smtp_${key}`).flag(otherwise))
    const smarthost = own('smarthost') ?? given.refuse('has no smarthost, and global no smtp_smarthost')
    const match = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(smarthost) ?? given.at('smarthost').refuse('must be HOST:PORT')
    const port = Number(match[2])
    const tls = given.at('tls_config').orNone() ?? this.#global.at('smtp_tls_config').orNone()
    tls?.only('insecure_skip_verify')
    const isImplicit = port === 465 || flag('force_implicit_tls', false)
    return {
      host: match[1] ?? '',
      port,
      tls: isImplicit ? 'implicit' : flag('require_tls', true) ? 'starttls' : 'none',
      verify: tls?.at('insecure_skip_verify').flag(false) !== true,
      user: own('auth_username'),
      password: this.#secret(given, 'auth_password') ?? this.#secretOfGlobal('smtp_auth_password'),
      from: own('from') ?? given.refuse('has no from, and global no smtp_from'),
      hello: own('hello'),
    }
  }

  email(given: Reading, receiver: string, name: string): ChannelOptions {
    given.only('send_resolved', 'to', 'html', 'text', 'headers', 'threading', 'attachments', ...SMTP_KEYS)
    this.#unused(given, ['html', 'text', 'threading', 'attachments', 'headers', 'auth_identity', 'auth_secret', 'auth_secret_file'])
    return { type: 'email', name, receiver, sendResolved: given.at('send_resolved').flag(false), to: given.at('to').text().split(',').map((one) => one.trim()), smtp: this.#smtp(given), headers: {} }
  }

  pagerDuty(given: Reading, receiver: string, name: string): ChannelOptions {
    given.only('send_resolved', 'http_config', 'routing_key', 'routing_key_file', 'service_key', 'service_key_file', 'url', 'severity', ...PAGERDUTY_LOOKS)
    this.#unused(given, PAGERDUTY_LOOKS)
    if (given.has('service_key') || given.has('service_key_file')) given.at('service_key').refuse('is of the Events API v1, which is not spoken', 'Make an integration of the Events API v2 and give its routing_key.')
    const severity = given.at('severity').text(undefined)
    return {
      type: 'pagerduty',
      name,
      receiver,
      sendResolved: given.at('send_resolved').flag(true),
      routingKey: this.#secret(given, 'routing_key') ?? given.refuse('has no routing_key'),
      url: readUrl(given.at('url'), this.#global.at('pagerduty_url').text(PAGERDUTY_URL)),
      severity: severity?.includes('{{') === true ? undefined : severity,
    }
  }

  webhook(given: Reading, receiver: string, name: string): ChannelOptions {
    given.only('send_resolved', 'http_config', 'url', 'url_file', 'max_alerts', 'timeout')
    this.#unused(given, ['timeout'])
    const address = given.at('url').text(undefined)
    const path = given.at('url_file').text(undefined)
    if ((address === undefined) === (path === undefined)) given.refuse('must have either url or url_file')
    // An address of a receiver in the same network is no secret; one with a password in it is.
    if (address !== undefined && new URL(readUrl(given.at('url'))).password !== '') this.#secret(given, 'url')
    return {
      type: 'webhook',
      name,
      receiver,
      sendResolved: given.at('send_resolved').flag(true),
      url: path === undefined ? new Secret({ text: address ?? '' }) : new Secret({ file: path }),
      secret: undefined,
      authorization: this.#authorization(given),
      body: 'alertmanager',
      maxAlerts: given.at('max_alerts').whole({ least: 0, most: 1_000_000 }, 0),
    }
  }
}

function bearerOf(authorization: WebhookOptions['authorization']): Secret | undefined {
  return authorization !== undefined && 'credentials' in authorization ? authorization.credentials : undefined
}

/** What can be read now; a file may be filled later. */
function readable(secret: Secret): string {
  try {
    return secret.read()
  } catch {
    return ''
  }
}

/**
 * The receivers of a configuration of Alertmanager, with what its section `global` says for them.
 *
 * @param document - as it was parsed from YAML; its other sections are not looked at
 * @throws AndonError bad_config naming the path of what is wrong, also of a receiver of which no channel is spoken: dropping it would lose alerts
 */
export function readAlertmanagerReceivers(document: unknown, file: AlertmanagerFile): ReceiverOptions[] {
  const whole = new Reading(document, file.file, notifyOrigin())
  const reader = new Reader(file, whole.at('global').orEmpty())
  return whole.at('receivers').list().map((given) => {
    const receiver = given.at('name').text()
    const kinds = {
      slack_configs: ['slack', reader.slack.bind(reader)],
      email_configs: ['email', reader.email.bind(reader)],
      pagerduty_configs: ['pagerduty', reader.pagerDuty.bind(reader)],
      webhook_configs: ['webhook', reader.webhook.bind(reader)],
    } as const
    const spoken = `Spoken are ${Object.keys(kinds).join(', ')}; most others can be reached by a webhook.`
    const strange = given.keys().filter((key) => key !== 'name' && !(key in kinds))
    const unknown = strange.find((key) => !UNSERVED_INTEGRATIONS.has(key))
    if (unknown !== undefined) given.at(unknown).refuse('is no kind of receiver', spoken)
    const [unserved] = strange
    // The routing warns of it; alerts that nobody else would be told of are not lost for that.
    if (unserved !== undefined && !Object.keys(kinds).some((key) => given.has(key))) given.at(unserved).refuse('is a kind of receiver that is not spoken, and this receiver has no other', spoken)
    const channels: ChannelOptions[] = []
    for (const [key, [type, make]] of Object.entries(kinds)) {
      for (const one of given.at(key).list()) channels.push(make(one, receiver, channelName(receiver, type, channels)))
    }
    return { name: receiver, channels, fallback: undefined }
  })
}
