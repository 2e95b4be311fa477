import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readObjectives, readObjectivesOptions } from './schema.ts'

const NATIVE = `
maintenance:
  - { days: [sat, sun], from: "23:00", to: "01:00", time_zone: Europe/Berlin, comment: backup }
objectives:
  - id: checkout-works
    service: shop
    environment: production
    indicator:
      availability: { routes: ["POST /orders", "GET /cart*"], except_routes: [/health] }
    target: 99.9
    windows: [28d, 7d, month, { calendar: quarter, time_zone: Asia/Tokyo }]
    agreement: { customer: Example GmbH, consequence: 10 % of the fee is given back, time_zone: Europe/Berlin, target: 99.5 }
  - id: fast
    service: shop
    indicator: { latency: { under: 300ms } }
    target: 95%
    alerts: { ticket: false }
  - id: mails
    service: mailer
    indicator:
      counts:
        bad: sum(mails_total{result="bounced"})
        total: sum(mails_total)
    target: 99
  - id: measured
    service: shop
    indicator: { availability: { from: metrics, routes: ["/orders*"] } }
    target: 99.99
`

test('a file says availability, latency and counts, windows, maintenance and agreements', () => {
  const [works, fast, mails, measured, ...more] = readObjectives(NATIVE, 'o.yaml')
  assert.deepEqual(more, [])
  assert.deepEqual(works, {
    id: 'checkout-works',
    name: 'checkout-works',
    description: '',
    service: 'shop',
    environment: 'production',
    indicator: { kind: 'spans', service: 'shop', environment: 'production', routes: ['POST /orders', 'GET /cart*'], exceptRoutes: ['/health'], underMs: undefined },
    target: 0.999,
    windows: [
      { kind: 'rolling', name: '28d', lengthMs: 28 * 86_400_000 },
      { kind: 'rolling', name: '7d', lengthMs: 7 * 86_400_000 },
      { kind: 'calendar', name: 'month', unit: 'month', timeZone: 'UTC' },
      { kind: 'calendar', name: 'quarter (Asia/Tokyo)', unit: 'quarter', timeZone: 'Asia/Tokyo' },
    ],
    maintenance: [{ kind: 'weekly', days: [6, 0], startMinute: 1380, minutes: 120, timeZone: 'Europe/Berlin', comment: 'backup' }],
    agreement: { customer: 'Example GmbH', unit: 'month', timeZone: 'Europe/Berlin', consequence: '10 % of the fee is given back', target: 0.995 },
    labels: {},
    annotations: {},
    runbook: 'error-burst',
    alerts: { page: true, ticket: true, fast: true },
    file: 'o.yaml',
  })
  assert.deepEqual([fast?.target, fast?.indicator.kind === 'spans' && fast.indicator.underMs, fast?.alerts, fast?.windows.map(({ name }) => name)], [0.95, 300, { page: true, ticket: false, fast: true }, ['28d']])
  assert.deepEqual(mails?.indicator, { kind: 'counts', good: undefined, bad: 'sum(mails_total{result="bounced"})', total: 'sum(mails_total)', counter: true })
  assert.ok(measured?.indicator.kind === 'counts' && measured.indicator.total === 'sum by (http_route, service_version) (http_server_request_duration_seconds_count{service_name="shop",http_route=~"/orders.*"})')
})

test('what is wrong is told with file, line and path', () => {
  const wrong: readonly (readonly [from: string, to: string, message: RegExp])[] = [
    ['target: 99.9\n', 'target: 100\n', /^o\.yaml:10: objectives\[0\]\.target must be a number of percent/],
    ['days: [sat, sun]', 'days: [sat, someday]', /^o\.yaml:3: maintenance\[0\]\.days\[1\] must be one of sun, mon/],
    ['under: 300ms', 'under: soon', /^o\.yaml:15: objectives\[1\]\.indicator\.latency\.under must be a duration/],
    ['sum(mails_total)\n', 'sum(mails_total\n', /^o\.yaml:23: objectives\[2\]\.indicator\.counts\.total cannot be read: /],
    ['time_zone: Asia/Tokyo', 'time_zone: Tokyo', /objectives\[0\]\.windows\[3\]\.time_zone "Tokyo" is not a time zone/],
    ['    target: 99\n', '    target: 99\n    taget: 1\n', /objectives\[2\]\.taget is not known here; there may be id, name/],
    ['customer: Example GmbH, ', '', /objectives\[0\]\.agreement\.customer must be a text/],
    ['id: fast', 'id: "a b"', /objectives\[1\]\.id must be at most 100 letters/],
    ['[28d, 7d,', '[28d, 28d,', /objectives\[0\]\.windows must not hold "28d" twice/],
  ]
  for (const [from, to, message] of wrong) assert.throws(() => readObjectives(NATIVE.replace(from, to), 'o.yaml'), { code: 'bad_config', message }, to)
  assert.throws(() => readObjectives('objectives: [', 'o.yaml'), { code: 'bad_config', message: /^o\.yaml:1: / })
})

// As in the documentation of Sloth, with its home-wifi of the examples.
const SLOTH = `
version: "prometheus/v1"
service: "myservice"
labels:
  owner: "myteam"
  repo: "myorg/myservice"
slos:
  - name: "requests-availability"
    objective: 99.9
    description: "Common SLO based on availability for HTTP request responses."
    labels:
      category: availability
    sli:
      events:
        error_query: sum(rate(http_request_duration_seconds_count{job="myservice",code=~"(5..|429)"}[{{.window}}]))
        total_query: sum(rate(http_request_duration_seconds_count{job="myservice"}[{{.window}}]))
    alerting:
      name: "MyServiceHighErrorRate"
      labels:
        category: "availability"
      annotations:
        summary: "High error rate on 'myservice' requests responses"
      page_alert:
        labels:
          severity: "pageteam"
      ticket_alert:
        disable: true
  - name: "wifi"
    objective: 95
    sli:
      raw:
        error_ratio_query: 1 - (sum(rate(wifi_good_total[{{.window}}])) / sum(rate(wifi_total[{{.window}}])))
`

test('files of Sloth are read as they are, of both kinds', () => {
  const [requests, wifi] = readObjectives(SLOTH, 's.yaml')
  assert.deepEqual([requests?.id, requests?.target, requests?.windows[0]?.name, requests?.alerts], ['myservice-requests-availability', 0.999, '30d', { page: true, ticket: false, fast: true }])
  assert.deepEqual(requests?.labels, { owner: 'myteam', repo: 'myorg/myservice', category: 'availability' })
  assert.ok(requests.indicator.kind === 'counts' && requests.indicator.bad?.includes('(5..|429)') === true)
  assert.equal(wifi?.indicator.kind, 'ratio')
  const [resource] = readObjectives(
    `
apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata: { name: sloth-slo, namespace: monitoring }
spec:
  service: myservice
  slos:
    - name: availability
      objective: 99.5
      sli: { events: { errorQuery: 'sum(rate(e_total[{{.window}}]))', totalQuery: 'sum(rate(t_total[{{.window}}]))' } }
      alerting: { name: X, pageAlert: { disable: true } }
`,
    'k.yaml',
  )
  assert.deepEqual([resource?.id, resource?.target, resource?.alerts], ['myservice-availability', 0.995, { page: false, ticket: true, fast: false }])
  assert.throws(() => readObjectives(SLOTH.replace('events:', 'plugin:'), 's.yaml'), { code: 'bad_config', message: /slos\[0\]\.sli\.plugin is not understood/ })
})

// As in the repository of OpenSLO.
const OPENSLO = `
apiVersion: openslo/v1
kind: SLI
metadata: { name: errors }
spec:
  ratioMetric:
    counter: true
    bad: { metricSource: { type: Prometheus, spec: { query: 'sum(http_requests_total{code=~"5.."})' } } }
    total: { metricSource: { type: Prometheus, spec: { query: sum(http_requests_total) } } }
---
apiVersion: openslo/v1
kind: SLO
metadata: { name: api-errors, displayName: Errors of the API }
spec:
  service: api
  indicatorRef: errors
  timeWindow: [{ duration: 4w, isRolling: true }, { duration: 1M, isRolling: false, calendar: { startTime: "2026-01-01 00:00:00", timeZone: America/New_York } }]
  budgetingMethod: Occurrences
  objectives: [{ target: 0.995 }]
---
apiVersion: openslo/v1
kind: SLO
metadata: { name: api-fast }
spec:
  service: api
  indicator:
    metadata: { name: p90 }
    spec:
      thresholdMetric: { metricSource: { spec: { query: 'histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))' } } }
  budgetingMethod: Occurrences
  objectives: [{ displayName: fast, op: lte, value: 0.3, targetPercent: 99 }, { displayName: usable, op: lte, value: 2, targetPercent: 99.9 }]
`

test('files of OpenSLO are read as they are', () => {
  const [errors, fast, usable] = readObjectives(OPENSLO, 'o.yaml')
  assert.deepEqual([errors?.id, errors?.name, errors?.target, errors?.windows.map(({ name }) => name)], ['api-errors', 'Errors of the API', 0.995, ['4w', 'month (America/New_York)']])
  assert.deepEqual(errors?.indicator, { kind: 'counts', good: undefined, bad: 'sum(http_requests_total{code=~"5.."})', total: 'sum(http_requests_total)', counter: true })
  assert.deepEqual([fast?.id, usable?.id, usable?.target, usable?.name], ['api-fast-1', 'api-fast-2', 0.999, 'api-fast: usable'])
  assert.ok(usable?.indicator.kind === 'counts' && usable.indicator.good?.endsWith('<= bool 2)') === true && !usable.indicator.counter)
  assert.throws(() => readObjectives(OPENSLO.replace('indicatorRef: errors', 'indicatorRef: nothing'), 'o.yaml'), { message: /spec\.indicatorRef names no SLI of this file: nothing/ })
})

const sliced = (method: string, more: string): string => OPENSLO.replace('budgetingMethod: Occurrences', `budgetingMethod: ${method}`).replace('target: 0.995 }', `target: 0.995${more} }`)

test('slices of time of OpenSLO are read, and refused without what they need', () => {
  const [minutes] = readObjectives(sliced('Timeslices', ', timeSliceTarget: 0.95, timeSliceWindow: 1m'), 'o.yaml')
  assert.ok(minutes?.indicator.kind === 'counts' && minutes.indicator.bad?.includes('> bool 0.05') === true && !minutes.indicator.counter)
  assert.deepEqual(readObjectives(sliced('Timeslices', ', timeSliceTarget: 0.95, timeSliceWindow: 1'), 'o.yaml')[0]?.indicator, minutes.indicator, 'a number is of minutes')
  assert.throws(() => readObjectives(sliced('Timeslices', ', timeSliceWindow: 1m'), 'o.yaml'), { message: /timeSliceTarget must be a number/ })
  assert.throws(() => readObjectives(sliced('RatioTimeslices', ', timeSliceWindow: 20s'), 'o.yaml'), { message: /timeSliceWindow must be a multiple of 15s, at most 5m/ })
  assert.throws(() => readObjectives(sliced('Slices', ''), 'o.yaml'), { message: /^o\.yaml:18: spec\.budgetingMethod must be one of Occurrences, Timeslices, RatioTimeslices/ })
})

test('the section of the configuration is read, and what is wrong in it told by its key', () => {
  assert.deepEqual(readObjectivesOptions({ files: ['a.yaml', 'b/*.yaml'], defaults: false, delay: '30s' }), { files: ['a.yaml', 'b/*.yaml'], defaults: false, delayMs: 30_000, backfillMs: 7 * 86_400_000 })
  assert.throws(() => readObjectivesOptions({ files: 5 }), { code: 'bad_config', message: /^objectives\.files must be/ })
  assert.throws(() => readObjectivesOptions({ delay: 5 }), { message: /^objectives\.delay must be a duration/ })
  assert.throws(() => readObjectivesOptions({ file: 'x' }), { message: /^objectives\.file is not known/ })
})
