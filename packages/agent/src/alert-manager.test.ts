// Whom broken thresholds and errors are told to: an alert manager of the caller's own, ours, and the server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diag } from '@opentelemetry/api'
import { decodeExceptions } from '@andon/wire'
import { type AlertManager, type AlertSignal, ApplicationPerformanceMonitor, start, ThresholdAlerts, type ThresholdRule } from './index.ts'
import { startReceiver } from './otlp-receiver.test.ts'
import { setRunningParts } from './running.ts'

const RULE: ThresholdRule = { id: 'slow', metric: 'board.load', operator: 'gt', threshold: 500, severity: 'warning', message: 'boards load slowly' }

/** The alerts of an agent that runs until the end of the test. */
function runAgent(t: { after: (end: () => void) => void }) {
  const told: string[] = []
  const clock = { ms: 0 }
  const alerts = new ThresholdAlerts([RULE], ({ rule, type }) => told.push(rule ?? type), () => clock.ms, ({ rule, type }, course) => told.push(`${rule ?? type} ${course}`))
  const recorded: string[] = []
  setRunningParts({ alerts, record: ({ message }) => recorded.push(message), flush: async () => void recorded.push('flushed') })
  t.after(() => setRunningParts(undefined))
  return { alerts, told, recorded, clock }
}

function monitorWith(manager?: AlertManager): ApplicationPerformanceMonitor {
  return new ApplicationPerformanceMonitor(undefined, undefined, undefined, manager)
}

test('an alert manager of the caller’s own is triggered by each measurement above a threshold; the server is told once', (t) => {
  const { told } = runAgent(t)
  const triggered: AlertSignal[] = []
  const errors: unknown[] = []
  const monitor = monitorWith({ triggerAlert: (alert) => triggered.push(alert), checkErrorRate: (error, context) => errors.push(error.message, context) })
  for (const value of [400, 501, 900, 300, 700]) monitor.recordMetric('board.load', value, { board: 7 })
  const [first] = triggered
  const { message, rule, ...asked } = first ?? assert.fail()
  assert.deepEqual(asked, { type: 'PERFORMANCE_THRESHOLD_EXCEEDED', metric: 'board.load', value: 501, threshold: 500, severity: 'warning', tags: { board: '7' } })
  assert.deepEqual([message, rule], ['boards load slowly', 'slow'])
  assert.deepEqual(triggered.map(({ value }) => value), [501, 900, 700])
  assert.deepEqual(told, ['slow', 'slow ended', 'slow'])
  monitor.recordError(new Error('x'), { route: '/a' })
  assert.deepEqual(errors, ['x', { route: '/a' }])
})

test('a manager’s own rules are asked of it, and what it throws or rejects reaches nobody', async (t) => {
  runAgent(t)
  const checked: unknown[] = []
  const manager: AlertManager = {
    checkMetric: (name, value, tags) => {
      checked.push(name, value, tags)
      throw new Error('no rules today')
    },
    triggerAlert: async () => await Promise.reject(new Error('no Slack today')),
    checkErrorRate: async () => await Promise.reject(new Error('nor mail')),
  }
  const monitor = monitorWith(manager)
  monitor.recordMetric('board.load', 501)
  monitor.recordError(new Error('x'))
  assert.deepEqual(checked, ['board.load', 501, {}])
  // A rejection that nobody takes would end the test by now.
  await new Promise((resolve) => setImmediate(resolve))
})

test('ours raises by triggerAlert, whoever looks at it or takes its place', () => {
  const alerts = new ThresholdAlerts([RULE], () => undefined)
  const triggered: string[] = []
  alerts.triggerAlert = ({ type }) => void triggered.push(type)
  const monitor = monitorWith(alerts)
  monitor.recordMetric('board.load', 501)
  for (let error = 0; error < 11; error += 1) monitor.recordError(new Error('x'))
  assert.deepEqual(triggered, ['PERFORMANCE_THRESHOLD_EXCEEDED', 'ERROR_RATE_EXCEEDED'])
})

test('one made by hand sends through the agent, and says nothing twice that the agent has said', (t) => {
  const { told } = runAgent(t)
  const monitor = monitorWith(new ThresholdAlerts([RULE, { ...RULE, id: 'slower', threshold: 800 }]))
  for (const value of [900, 901, 700, 100]) monitor.recordMetric('board.load', value)
  assert.deepEqual(told, ['slow', 'slower', 'slower ended', 'slow ended'].toSorted((a, b) => told.indexOf(a) - told.indexOf(b)))
  assert.equal(told.length, 4)
})

test('a monitor without a manager of its own, or of before the start, uses the running agent', async (t) => {
  const early = monitorWith()
  early.recordMetric('board.load', 501)
  const { told, recorded } = runAgent(t)
  early.recordMetric('board.load', 501)
  early.recordError(new Error('x'))
  await early.flush()
  for (let error = 0; error < 10; error += 1) early.recordError(new Error('y'))
  assert.deepEqual(told, ['slow', 'ERROR_RATE_EXCEEDED'])
  assert.deepEqual(recorded.slice(0, 2), ['x', 'flushed'])
})

test('what is triggered by hand is told once while it goes on, and again when it was silent for five minutes', (t) => {
  const { alerts, told, clock } = runAgent(t)
  const alert: AlertSignal = { type: 'NO_PAPER', severity: 'info', rule: 'printer' }
  for (const at of [0, 10_000, 200_000, 450_000, 749_999, 1_050_000]) {
    clock.ms = at
    alerts.triggerAlert(alert)
  }
  assert.deepEqual(told, ['printer', 'printer lasting', 'printer lasting', 'printer lasting', 'printer'])
  // The server's rules, whatever they are, say nothing of it.
  alerts.setServerRules([])
  assert.equal(alerts.getActiveAlerts().length, 1)
  clock.ms += 300_000
  assert.deepEqual(alerts.getActiveAlerts(), [])
})

test('what is no finite number neither raises nor ends an alert, and is said once', (t) => {
  const said: string[] = []
  const say = (message: string): void => void said.push(message)
  diag.setLogger({ error: say, warn: say, info: say, debug: say, verbose: say }, { suppressOverrideMessage: true })
  t.after(() => diag.disable())
  const { alerts, told } = runAgent(t)
  const checked: number[] = []
  const triggered: (number | undefined)[] = []
  const monitor = monitorWith({ triggerAlert: ({ value }) => triggered.push(value), checkErrorRate: () => undefined, checkMetric: (_name, value) => checked.push(value) })
  for (const value of [Infinity, 501, Number.NaN, -Infinity, '9' as never, undefined as never]) {
    monitor.recordMetric('board.load', value)
    alerts.checkMetric('board.load', value)
  }
  assert.deepEqual([told, checked, triggered], [['slow'], [501], [501]])
  assert.equal(alerts.getActiveAlerts()[0]?.value, 501)
  assert.equal(said.filter((line) => line.includes('thresholds')).length, 1)
})

test('thresholds of the options reach the server and a manager of a monitor made by hand', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const signals = Object.fromEntries((['traces', 'metrics', 'logs'] as const).map((name) => [name, { url: `${receiver.url}/v1/${name}`, headers: {}, timeoutMs: 5000 }]))
  const agent = start({ thresholds: [RULE], signals: signals as never, profile: { enabled: false, rate: 50 } })
  const triggered: AlertSignal[] = []
  const monitor = monitorWith({ triggerAlert: (alert) => triggered.push(alert), checkErrorRate: () => undefined })
  monitor.recordMetric('board.load', 600)
  monitor.recordMetric('board.load', 601)
  monitor.recordError(new TypeError('by hand'))
  await monitor.flush()
  await agent.stop()
  assert.deepEqual(triggered.map(({ value }) => value), [600, 601])
  const events = receiver.of('/v1/logs').flatMap(({ body }) => decodeExceptions(body).events)
  assert.deepEqual(events.filter(({ name }) => name.startsWith('andon.threshold')).map(({ name, attributes }) => [name, attributes['andon.threshold.rule'], attributes['andon.threshold.value']]), [['andon.threshold.exceeded', 'slow', 600]])
  assert.deepEqual(receiver.exceptions.map(({ type, message }) => [type, message]), [['TypeError', 'by hand']])
})
