import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AndonError } from '@andon/model'
import { parse } from 'yaml'
import { containsTime, readTimeInterval } from './mute-time.ts'
import { Reading } from '../runtime/reading.ts'
import { RouteNode } from './route.ts'
import { readAlerting, readAlertmanagerFile } from './schema.ts'

/** Much of what a real one holds. */
const FILE = `
global:
  resolve_timeout: 2m
  slack_api_url: https://hooks.slack.com/services/SECRET
  smtp_smarthost: mail:25
templates: ['/etc/alertmanager/*.tmpl']
route:
  receiver: default
  group_by: ['alertname', 'cluster']
  group_wait: 10s
  routes:
    - match: {service: files}
      receiver: files
      routes:
        - {matchers: [severity="critical", 'owner=~"a|b"'], receiver: pager, group_by: ['...'], repeat_interval: 30m}
    - matchers: '{team="x", level!="low"}'
      group_interval: 1m30s
      continue: true
      mute_time_intervals: [nights]
receivers:
  - name: default
    slack_configs: [{channel: '#a', api_url: https://hooks.slack.com/services/SECRET}]
  - {name: files, opsgenie_configs: [{api_key: SECRET}]}
  - {name: pager, pagerduty_configs: [{routing_key: SECRET}]}
inhibit_rules:
  - {source_match: {severity: critical}, target_match_re: {severity: warn.*}, equal: [cluster]}
  - {source_matchers: ['a="b"'], target_matchers: ['c!~"d"']}
mute_time_intervals:
  - name: nights
    time_intervals: [{times: [{start_time: '22:00', end_time: '24:00'}], weekdays: ['monday:friday', sunday], days_of_month: ['1:5', '-3:-1'], months: ['1:3', may, 'august:december'], years: ['2026:2030'], location: Europe/Berlin}]
`

test('a file of an Alertmanager is read: routes take from those above, old and new matchers, receivers by name', () => {
  const config = readAlertmanagerFile(FILE, 'am.yml')
  assert.deepEqual([config.resolveTimeoutMs, config.isTopologyUsed], [120_000, true])
  assert.deepEqual(config.receivers.map(({ name, raw }) => [name, Object.keys(raw)]), [['default', ['name', 'slack_configs']], ['files', ['name']], ['pager', ['name', 'pagerduty_configs']]])
  assert.deepEqual(config.warnings, ['receivers[1].opsgenie_configs has no effect: Andon does not serve this integration', 'templates has no effect: Andon has texts of its own'])
  const root = new RouteNode(config.route)
  const [pager] = root.match({ service: 'files', severity: 'critical', owner: 'b' })
  assert.ok(pager)
  const { receiver, groupBy, groupWaitMs, groupIntervalMs, repeatIntervalMs } = pager.config
  assert.deepEqual([receiver, groupBy, groupWaitMs, groupIntervalMs, repeatIntervalMs], ['pager', 'all', 10_000, 300_000, 1_800_000])
  assert.equal(pager.place({ b: '1', a: '"2"' }).groupKey, String.raw`{}/{service="files"}/{owner=~"a|b",severity="critical"}:{a="\"2\"", b="1"}`)
  assert.deepEqual(root.match({ team: 'x' }).map(({ config: one }) => [one.receiver, one.groupIntervalMs, one.muteTimes, one.groupBy]), [['default', 90_000, ['nights'], ['alertname', 'cluster']]])
  assert.deepEqual(root.match({}).map(({ key }) => key), ['{}'])
  assert.deepEqual(config.inhibitRules[0], { source: [{ name: 'severity', operator: '=', value: 'critical' }], target: [{ name: 'severity', operator: '=~', value: 'warn.*' }], equal: ['cluster'] })
})

test('what is shown of it has no secret and is a configuration again', () => {
  const { original } = readAlertmanagerFile(FILE, 'am.yml')
  assert.doesNotMatch(original, /SECRET|smtp|hooks/)
  const again = readAlertmanagerFile(original, 'again.yml')
  assert.equal(again.original, original)
  assert.deepEqual(again.route.routes.map(({ matchers }) => matchers), readAlertmanagerFile(FILE, 'am.yml').route.routes.map(({ matchers }) => matchers))
})

test('without any configuration all goes to one receiver, by service and environment; pages do not wait', () => {
  const { route, receivers, warnings, original } = readAlerting(undefined)
  assert.deepEqual([route.receiver, route.groupBy, route.groupWaitMs, route.pageWaitMs, route.groupIntervalMs, route.repeatIntervalMs], ['default', ['service_name', 'deployment_environment_name', 'job'], 30_000, 0, 300_000, 14_400_000])
  assert.deepEqual([receivers.map(({ name }) => name), warnings], [['default'], []])
  assert.match(original, /receiver: default/)
  // Receivers alone: the first takes all.
  assert.equal(readAlerting({ receivers: [{ name: 'ops' }, { name: 'b' }] }).route.receiver, 'ops')
})

const read = (path: string): string => (path === 'am.yml' ? FILE : assert.fail())

test('the section may name a file, and then nothing else', () => {
  const config = readAlerting({ config_file: 'am.yml', topology_inhibition: false }, read)
  assert.deepEqual([config.receivers.length, config.isTopologyUsed], [3, false])
  assert.throws(() => readAlerting({ config_file: 'am.yml', route: {} }, read), /alerting\.route stands beside/)
  assert.throws(() => readAlerting({ config_file: 'none.yml' }), /alerting\.config_file names none\.yml, which cannot be read/)
})

test('what is wrong is refused with its path', () => {
  const receivers = [{ name: 'a' }]
  const route = { receiver: 'a' }
  for (const [value, message] of [
    [{ rout: {} }, /^alerting\.rout is not known/],
    [{ route: { receiver: 'b' }, receivers }, /^alerting\.route names the receiver "b"/],
    [{ route: { ...route, routes: [{ receiver: 'c' }] }, receivers }, /^alerting\.route\.routes\[0\] names the receiver "c"/],
    [{ route: { ...route, routes: [{ grup_by: [] }] }, receivers }, /^alerting\.route\.routes\[0\]\.grup_by is not known/],
    [{ route: {}, receivers }, /^alerting\.route is the root and must name a receiver/],
    [{ route: { ...route, matchers: ['a=b'] }, receivers }, /^alerting\.route is the root and must not have matchers/],
    [{ route: { ...route, routes: [{ matchers: ['a=~"("'] }] }, receivers }, /^alerting\.route\.routes\[0\]\.matchers\[0\] is not understood/],
    [{ route: { ...route, group_by: ['...', 'a'] }, receivers }, /^alerting\.route\.group_by must hold either/],
    [{ route: { ...route, group_by: ['a', 'a'] }, receivers }, /^alerting\.route\.group_by must not hold "a" twice/],
    [{ route: { ...route, group_wait: 'soon' }, receivers }, /^alerting\.route\.group_wait must be a duration/],
    [{ route: { ...route, group_wait: 30 }, receivers }, /^alerting\.route\.group_wait must be a duration/],
    [{ route: { ...route, group_interval: '0s' }, receivers }, /^alerting\.route\.group_interval must be a duration of 1s or longer/],
    [{ route: { ...route, routes: [{ mute_time_intervals: ['x'] }] }, receivers }, /^alerting\.route\.routes\[0\] names the time interval "x"/],
    [{ route: { ...route, routes: 1 }, receivers }, /^alerting\.route\.routes must be a list/],
    [{ route, receivers: [{ name: 'a' }, { name: 'a' }] }, /^alerting\.receivers must not hold "a" twice/],
    [{ route, receivers: [{}] }, /^alerting\.receivers\[0\]\.name must be a text/],
    [{ route, receivers, inhibit_rules: [{ sources: [] }] }, /^alerting\.inhibit_rules\[0\]\.sources is not known/],
    [{ route, receivers, time_intervals: [{ name: 'a', time_intervals: [{ times: [{ start_time: '9:00', end_time: '10:00' }] }] }] }, /start_time must be a time/],
    [[], /^alerting must hold names and values/],
  ] as const) assert.throws(() => readAlerting(value), (error) => error instanceof AndonError && error.code === 'bad_config' && message.test(error.message), JSON.stringify(value))
  assert.throws(() => readAlertmanagerFile('route: {receiver: a}\nroute: 1', 'am.yml'), /^am\.yml: Map keys must be unique|am\.yml/)
  assert.throws(() => readAlertmanagerFile('route: {receiver: a}', 'am.yml'), /am\.yml: route names the receiver "a"/)
})

test('a tree of routes that is too deep is refused', () => {
  let route: object = { receiver: 'a' }
  for (let depth = 0; depth < 30; depth += 1) route = { receiver: 'a', routes: [route] }
  assert.throws(() => readAlerting({ route, receivers: [{ name: 'a' }] }), /more than 20 deep/)
})

const inside = (text: string, time: string): boolean => containsTime(readTimeInterval(new Reading(parse(text), 't', { hint: '' })), Date.parse(time))

test('the calendar: ranges, days from the end of the month, zones with summer time', () => {
  for (const [text, time, expected] of [
    ['{times: [{start_time: "09:00", end_time: "17:00"}]}', '2026-01-05T09:00:00Z', true],
    ['{times: [{start_time: "09:00", end_time: "17:00"}]}', '2026-01-05T17:00:00Z', false],
    ['{times: [{start_time: "22:00", end_time: "24:00"}]}', '2026-01-05T23:59:59Z', true],
    ['{weekdays: ["monday:friday"]}', '2026-01-04T12:00:00Z', false],
    ['{weekdays: ["Saturday", sunday]}', '2026-01-04T12:00:00Z', true],
    ['{days_of_month: ["-1"]}', '2026-02-28T12:00:00Z', true],
    ['{days_of_month: ["-1"]}', '2028-02-28T12:00:00Z', false],
    ['{days_of_month: ["29:31"]}', '2026-02-28T12:00:00Z', false],
    ['{days_of_month: ["20:-1"]}', '2026-02-28T12:00:00Z', true],
    ['{months: ["november:december", "1"]}', '2026-01-31T12:00:00Z', true],
    ['{months: ["november:december"]}', '2026-10-31T12:00:00Z', false],
    ['{years: ["2026"]}', '2027-01-01T00:00:00Z', false],
    ['{times: [{start_time: "09:00", end_time: "10:00"}], location: Europe/Berlin}', '2026-01-05T08:30:00Z', true],
    ['{times: [{start_time: "09:00", end_time: "10:00"}], location: Europe/Berlin}', '2026-07-05T07:30:00Z', true],
    ['{weekdays: [monday], location: Pacific/Auckland}', '2026-01-04T12:00:00Z', true],
    ['{}', '2026-01-04T12:00:00Z', true],
  ] as const) assert.equal(inside(text, time), expected, `${text} ${time}`)
  for (const text of ['{weekdays: [friday:monday]}', '{weekdays: ["5"]}', '{months: [undecember]}', '{months: ["0"]}', '{days_of_month: ["0"]}', '{days_of_month: ["-1:5"]}', '{days_of_month: ["40"]}', '{location: Nowhere/Land}', '{times: [{start_time: "10:00", end_time: "09:00"}]}', '{days_of_month: ["5:1"]}']) {
    assert.throws(() => inside(text, '2026-01-04T12:00:00Z'), { code: 'bad_config' }, text)
  }
})
