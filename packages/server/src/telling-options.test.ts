// Who is told, where routes and channels stand in one section, in two, or in a file of Alertmanager.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AndonError } from '@andon/model'
import { parse } from 'yaml'
import { checkConfig } from './config.ts'
import { readTold } from './telling-options.ts'

const INLINE = `
global: { slack_api_url_file: /run/secrets/slack }
route: { receiver: ops, routes: [{ matchers: ['severity="info"'], receiver: quiet }] }
receivers:
  - name: ops
    slack_configs: [{ channel: '#ops' }]
    telegram_configs: [{ chat_id: 1 }]
  - name: quiet
`

const told = (alerting: string, notify?: unknown): ReturnType<typeof readTold> => readTold(parse(alerting), notify, {})
const channelsOf = ({ notify }: ReturnType<typeof readTold>): unknown[] => notify.receivers.map(({ name, channels }) => [name, channels.map(({ type }) => type)])

test('an alertmanager.yml that is pasted as the section alerting has its channels', () => {
  const found = told(INLINE)
  assert.deepEqual(channelsOf(found), [['ops', ['slack']]])
  assert.deepEqual(found.alerting.receivers.map(({ name }) => name), ['ops', 'quiet'])
  assert.deepEqual(found.alerting.warnings, ['alerting.receivers[0].telegram_configs has no effect: Andon does not serve this integration'])
  // Names alone have their channels in the other section.
  const both = told(INLINE, { receivers: [{ name: 'quiet', channels: [{ webhook: { url: 'http://127.0.0.1:9' } }] }] })
  assert.deepEqual(channelsOf(both), [['quiet', ['webhook']], ['ops', ['slack']]])
})

test('what is wrong of such channels is refused with its path', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    [INLINE.replace('slack_configs', 'slak_configs'), /alerting\.receivers\[0\]\.slak_configs is no kind of receiver/],
    [INLINE.replace('slack_api_url_file: /run/secrets/slack', 'slack_api_url: https://hooks.slack.com/x'), /alerting\.global\.slack_api_url holds a secret in plain text/],
    [INLINE.replace("channel: '#ops'", "chanel: '#ops'"), /alerting\.receivers\[0\]\.slack_configs\[0\]\.chanel/],
    [INLINE.replace("slack_configs: [{ channel: '#ops' }]", 'opsgenie_configs: [{}]'), /opsgenie_configs is a kind of receiver that is not spoken/],
  ]
  for (const [text, expected] of wrong) {
    assert.throws(
      () => told(text),
      (error) => error instanceof AndonError && error.code === 'bad_config' && expected.test(error.message),
      text,
    )
  }
})

const file = (incidents: string): string => `
notify: { receivers: [{ name: ops, channels: [{ webhook: { url: 'http://127.0.0.1:9' } }] }] }
incidents:
${incidents}
`
const escalation = (receiver: string): string => `  escalation: [{ name: all, steps: [{ notify: ${receiver} }] }]`
const onCall = (receiver: string): string => `  on_call: [{ name: week, time_zone: UTC, people: [{ name: Ann, receiver: ${receiver} }], start: 2026-01-05T09:00 }]`

test('whom an escalation or somebody on call is told by must be there', () => {
  assert.ok(checkConfig(file(`${escalation('ops')}\n${onCall('ops')}`), 'andon.yaml').size > 0)
  for (const [text, path] of [[escalation('opps'), 'incidents.escalation'], [onCall('ann'), 'incidents.on_call']] as const) {
    assert.throws(
      () => checkConfig(file(text), 'andon.yaml'),
      (error) => error instanceof AndonError && error.code === 'bad_config' && error.message.includes(path) && /names the receiver "\w+", which has no channels/.test(error.message) && /ops/.test(error.hint),
      text,
    )
  }
})
