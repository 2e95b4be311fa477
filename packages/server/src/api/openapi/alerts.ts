import { anything, boolean, list, object, oneOf, type Operation, type Operations, orNull, query, RANGE, rangeParameters, record, text, time } from './schema.ts'

const ALERTMANAGER = 'https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml'
const of = (summary: string): Operation => ({ summary, protocol: ALERTMANAGER, answer: { type: 'application/json' } })
const JSON_BODY = { type: 'application/json' } as const

const LABELS = record(text())
const SEVERITY = oneOf(['info', 'warning', 'critical'], 'What its label severity means; critical where that says page.')
const SOURCE = oneOf(['rule', 'objective', 'detector', 'telemetry', 'application', 'api', 'andon'])
const VALUE = orNull({ type: 'number' }, 'What was measured last, in the unit of what it watches.')
const FILTER = query('filter', 'A matcher such as service_name="shop"; may be given several times.')

const ALERT = object({
  fingerprint: text('16 hexadecimal digits, as Alertmanager makes them of labels.'),
  status: oneOf(['firing', 'resolved'], 'resolved where it flaps and is told as firing until it has calmed down.'),
  state: oneOf(['active', 'suppressed']),
  flapping: boolean(),
  service: text(),
  severity: SEVERITY,
  ticketBecause: orNull(text(), 'Why it is told as a ticket although its label says that it pages.'),
  labels: LABELS,
  annotations: LABELS,
  source: SOURCE,
  startsAt: time(),
  onsetAt: orNull(time(), 'When what is wrong is estimated to have begun.'),
  changedAt: time('When its status changed.'),
  updatedAt: time('When it was handed in last.'),
  value: VALUE,
  expression: orNull(text(), 'PromQL of what it watches.'),
  generatorUrl: text(),
  incident: orNull(text()),
  silencedBy: list(text(), 'Ids of silences.'),
  inhibitedBy: list(text(), 'Fingerprints of alerts that hold it back.'),
  mutedBy: list(text(), 'Names of time intervals.'),
  receivers: list(text()),
})

const CHANGE = object({
  at: time(),
  status: oneOf(['firing', 'resolved']),
  fingerprint: text(),
  service: text(),
  severity: SEVERITY,
  labels: LABELS,
  annotations: LABELS,
  source: SOURCE,
  startsAt: time(),
  value: VALUE,
  incident: orNull(text()),
})

const SILENCE = object({
  id: text(),
  state: oneOf(['pending', 'active', 'expired']),
  matchers: list(object({ name: text(), operator: oneOf(['=', '!=', '=~', '!~']), value: text() })),
  startsAt: time(),
  endsAt: time(),
  updatedAt: time(),
  createdBy: text(),
  comment: text(),
})

const WANTED = object(
  {
    id: text('Of the silence that is to be changed.'),
    matchers: anything('A text such as service_name="shop",severity!="critical", or a list of {name, operator, value}.'),
    startsAt: anything('A time; now when absent.'),
    endsAt: anything('A time.'),
    duration: text('Instead of endsAt, such as 2h.'),
    comment: text('Why.'),
    createdBy: text('The name of the token when absent.'),
  },
  ['id', 'startsAt', 'endsAt', 'duration', 'createdBy'],
)

export const ALERTS: Operations = {
  'GET /api/alerts': {
    summary: 'What fires, with what holds it back and who is told.',
    parameters: [FILTER, query('service', 'Of this service alone.')],
    answer: { schema: object({ now: time(), alerts: list(ALERT) }) },
  },
  'GET /api/alerts/history': {
    summary: 'When alerts began to fire and ceased to, the newest first.',
    parameters: [...rangeParameters(), query('limit', 'Rows that are looked at, 1000 when absent.', { type: 'integer', minimum: 1, maximum: 10_000 }), FILTER],
    answer: { schema: object({ ...RANGE, changes: list(CHANGE) }) },
  },
  'GET /api/silences': { summary: 'Silences: active, pending, and those that expired in the last five days.', answer: { schema: object({ now: time(), silences: list(SILENCE) }) } },
  'POST /api/silences': { summary: 'Makes a silence, or changes one.', body: { ...JSON_BODY, schema: WANTED }, answer: { schema: SILENCE }, errors: ['bad_body', 'not_found', 'overloaded'] },
  'DELETE /api/silences/:id': { summary: 'Ends a silence.', answer: 'nothing', errors: ['not_found'] },
  'GET /api/v2/alerts': of('Alertmanager: what fires.'),
  'POST /api/v2/alerts': { ...of('Alertmanager: takes alerts, as Prometheus sends them.'), body: JSON_BODY, errors: ['bad_body', 'too_large', 'overloaded'] },
  'GET /api/v2/alerts/groups': of('Alertmanager: groups of what fires.'),
  'GET /api/v2/silences': of('Alertmanager: silences.'),
  'POST /api/v2/silences': { ...of('Alertmanager: makes or changes a silence.'), body: JSON_BODY, errors: ['bad_body', 'not_found'] },
  'GET /api/v2/silence/:id': { ...of('Alertmanager: one silence.'), errors: ['not_found'] },
  'DELETE /api/v2/silence/:id': { ...of('Alertmanager: ends a silence.'), errors: ['not_found'] },
  'GET /api/v2/status': of('Alertmanager: version, uptime and configuration without secrets.'),
  'GET /api/v2/receivers': of('Alertmanager: names of receivers.'),
}
