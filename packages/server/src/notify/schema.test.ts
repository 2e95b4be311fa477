import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { AndonError } from '@andon/model'
import { parse } from 'yaml'
import { readNotify } from './schema.ts'
import { readAlertmanagerReceivers } from './schema-alertmanager.ts'
import { Secret } from './secret.ts'

const OWN = `
allow_hosts: [hooks.internal, 10.0.0.0/8]
fallback: oncall.pagerduty
smtp: { host: mail.example.com, from: andon@example.com, user: andon, password: { env: SMTP_PASSWORD } }
heartbeat: { url: { env: BEAT }, interval_ms: 30000 }
receivers:
  - name: oncall
    channels:
      - slack: { webhook_url: { env: SLACK } }
      - slack: { token: { env: TOKEN }, channel: '#ops', thread: false }
      - pagerduty: { routing_key: { file: /run/secrets/pd } }
  - name: team
    fallback: oncall.slack
    channels:
      - email: { to: [a@example.com, 'B <b@example.com>'], send_resolved: false }
      - webhook: { name: hook, url: 'https://hooks.internal/x', secret: { env: SIGN }, body: andon }
`

const receiver = (channel: unknown): unknown => ({ receivers: [{ name: 'a', channels: [channel] }] })
const read = (document: unknown, isPrivate = false): ReturnType<typeof readAlertmanagerReceivers> => readAlertmanagerReceivers(document, { file: 'am.yml', isPrivate, warn: () => undefined })

function refused(value: unknown): string {
  try {
    readNotify(value)
  } catch (error) {
    if (error instanceof AndonError && error.code === 'bad_config') return `${error.message} ${error.hint}`
    throw error
  }
  return 'taken'
}

test('receivers are read with their channels, and secrets by where they stand', () => {
  const options = readNotify(parse(OWN), { env: { SLACK: 'https://hooks.slack.com/services/T/B/X\n' } })
  assert.deepEqual(options.receivers.map(({ name, fallback, channels }) => [name, fallback, channels.map((channel) => [channel.name, channel.type, channel.sendResolved])]), [
    ['oncall', undefined, [['oncall.slack', 'slack', true], ['oncall.slack.2', 'slack-bot', true], ['oncall.pagerduty', 'pagerduty', true]]],
    ['team', 'oncall.slack', [['team.email', 'email', false], ['hook', 'webhook', true]]],
  ])
  const [slack] = options.receivers[0]?.channels ?? []
  assert.ok(slack?.type === 'slack')
  assert.equal(slack.url.read(), 'https://hooks.slack.com/services/T/B/X')
  assert.equal(JSON.stringify({ url: slack.url, text: String(slack.url) }), '{"url":"[redacted]","text":"[redacted]"}')
  assert.throws(() => new Secret({ env: 'NOT_THERE' }, {}).read(), /NOT_THERE is empty or not there/)
  const email = options.receivers[1]?.channels[0]
  assert.ok(email?.type === 'email' && email.smtp.tls === 'starttls' && email.smtp.port === 587)
  assert.deepEqual(readNotify(undefined).receivers, [])
})

test('what does not fit is named by its path', () => {
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [receiver({ slack: { webhook_url: 'https://hooks.slack.com/x' } }), /notify\.receivers\[0\]\.channels\[0\]\.slack\.webhook_url holds a secret in plain text.*\{env: NAME\}/],
    [receiver({ slack: { webhook_url: { env: 'A' }, token: { env: 'B' } } }), /either webhook_url or token/],
    [receiver({ email: { to: ['a@b.c'] } }), /has no server/],
    [receiver({ webhook: { url: 'ftp://x' } }), /must be an address/],
    [receiver({ webhook: { url: 'https://u:p@x' } }), /holds a password/],
    [receiver({ teams: {} }), /channels\[0\]\.teams is not known here/],
    [receiver({ pagerduty: { routing_key: { env: 'A', file: 'B' } } }), /must be \{env: NAME\} or \{file: PATH\}/],
    [{ receivers: [{ name: 'a', fallback: 'nobody', channels: [] }] }, /names no channel: "nobody"/],
    [{ receivers: [{ name: 'a' }, { name: 'a' }] }, /notify\.receivers must not hold "a" twice/],
    [{ fallback_after_ms: 1 }, /fallback_after_ms must be a whole number from 1000/],
    [{ recievers: [] }, /notify\.recievers is not known here/],
    [[], /notify must hold names and values/],
  ]
  for (const [value, expected] of wrong) assert.match(refused(value), expected)
})

const ALERTMANAGER = `
global:
  smtp_smarthost: mail.example.com:465
  smtp_from: am@example.com
  smtp_auth_username: u
  smtp_auth_password: secret
  slack_api_url: https://hooks.slack.com/services/T/B/X
  pagerduty_url: https://events.eu.pagerduty.com/v2/enqueue
route: { receiver: team }
templates: ['*.tmpl']
receivers:
  - name: 'null'
  - name: team
    slack_configs:
      - channel: '#alerts'
        send_resolved: true
        title: '{{ .CommonAnnotations.summary }}'
      - api_url: https://slack.com/api/chat.postMessage
        channel: C123
        http_config: { authorization: { credentials: xoxb-1 } }
    email_configs:
      - to: 'a@example.com, b@example.com'
    pagerduty_configs:
      - routing_key: 0123456789abcdef0123456789abcdef
        severity: '{{ .CommonLabels.severity }}'
    webhook_configs:
      - url: http://hook.internal:9095/x
        max_alerts: 10
        http_config: { basic_auth: { username: u, password: p }, follow_redirects: false }
`

test("Alertmanager's receivers are read as they are, with its defaults", () => {
  const warnings: string[] = []
  const receivers = readAlertmanagerReceivers(parse(ALERTMANAGER), { file: 'am.yml', isPrivate: true, warn: (warning) => void warnings.push(warning) })
  assert.deepEqual(receivers.map(({ name, channels }) => [name, channels.map((channel) => [channel.name, channel.type, channel.sendResolved])]), [
    ['null', []],
    ['team', [['team.slack', 'slack', true], ['team.slack.2', 'slack-bot', false], ['team.email', 'email', false], ['team.pagerduty', 'pagerduty', true], ['team.webhook', 'webhook', true]]],
  ])
  const [slack, bot, email, pager, hook] = receivers[1]?.channels ?? []
  assert.ok(slack?.type === 'slack' && bot?.type === 'slack-bot')
  assert.deepEqual([slack.url.read(), slack.channel, bot.apiUrl, bot.token.read()], ['https://hooks.slack.com/services/T/B/X', '#alerts', 'https://slack.com/api', 'xoxb-1'])
  assert.ok(email?.type === 'email' && email.to.length === 2)
  assert.deepEqual([email.smtp.host, email.smtp.port, email.smtp.tls, email.smtp.password?.read()], ['mail.example.com', 465, 'implicit', 'secret'])
  assert.ok(pager?.type === 'pagerduty')
  assert.deepEqual([pager.url, pager.severity], ['https://events.eu.pagerduty.com/v2/enqueue', undefined])
  assert.ok(hook?.type === 'webhook')
  assert.deepEqual([hook.maxAlerts, Reflect.get(hook.authorization ?? {}, 'username')], [10, 'u'])
  assert.deepEqual(warnings, ['am.yml.receivers[1].slack_configs[0]: title is not used'])
})

test('a file that others may read holds no secrets; a receiver that is not spoken is not dropped in silence', () => {
  assert.throws(() => read(parse(ALERTMANAGER)), (error: AndonError) => /holds a secret in plain text/.test(error.message) && /chmod 600 am\.yml/.test(error.hint))
  assert.throws(() => read({ receivers: [{ name: 'a', opsgenie_configs: [] }] }), /am\.yml\.receivers\[0\]\.opsgenie_configs is a kind of receiver that is not spoken, and this receiver has no other/)
  assert.throws(() => read({ receivers: [{ name: 'a', slak_configs: [] }] }), /am\.yml\.receivers\[0\]\.slak_configs is no kind of receiver/)
  assert.deepEqual(read({ receivers: [{ name: 'a', opsgenie_configs: [{}], webhook_configs: [{ url: 'http://x' }] }] }).map(({ channels }) => channels.length), [1])
  assert.throws(() => read({ receivers: [{ name: 'a', pagerduty_configs: [{ service_key: 'x' }] }] }, true), /Events API v1/)
  const dir = mkdtempSync(join(tmpdir(), 'andon-notify-'))
  try {
    const file = join(dir, 'am.yml')
    writeFileSync(file, ALERTMANAGER, { mode: 0o644 })
    assert.match(refused({ alertmanager_file: file }), /holds a secret in plain text/)
    chmodSync(file, 0o600)
    const { receivers, warnings } = readNotify({ alertmanager_file: file, receivers: [{ name: 'own', fallback: 'team.pagerduty', channels: [] }] })
    assert.deepEqual(receivers.map(({ name }) => name), ['own', 'null', 'team'])
    assert.equal(warnings.length, 1)
    assert.match(refused({ alertmanager_file: join(dir, 'none.yml') }), /alertmanager_file cannot be read/)
  } finally {
    rmSync(dir, { recursive: true })
  }
})
