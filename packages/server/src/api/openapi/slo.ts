import { anything, boolean, list, measured, number, object, oneOf, type Operations, orNull, query, record, type Schema, text, time } from './schema.ts'

const COUNTED = { bad: number('By weight: not whole where samples stand for several.'), total: number() }
const BURN_RATES = record(measured(), 'How many times as fast as allowed the budget is spent, over 5m, 30m, 1h, 2h, 6h, 1d and 3d.')

const WINDOW: Schema = object({
  name: text('Such as 28d or month.'),
  from: time(),
  to: time('Up to when it is counted.'),
  ends: orNull(time(), 'When the period of a calendar ends.'),
  ...COUNTED,
  attainment: measured('The share that was good.'),
  allowed: number('How many may be bad of what was counted.'),
  remaining: measured('Of what is allowed; negative where it is overspent.'),
  outageMinutes: measured('What is left, in minutes in which all would fail.'),
  exhaustedInMs: measured('Until nothing is left, if it goes on as in the last hour; 0 where nothing is left, null where it lasts.'),
})

const SUMMARY = {
  id: text(),
  name: text(),
  description: text(),
  service: text(),
  environment: text("'' for all of them."),
  kind: oneOf(['availability', 'latency', 'counts', 'ratio']),
  target: number('A share.'),
  isDefault: boolean('Whether Andon made it, because no file says one for the service.'),
  customer: orNull({ type: 'string' }, 'Of an agreement.'),
  state: oneOf(['ok', 'page', 'ticket', 'no-data']),
  since: orNull(time()),
  lastData: orNull(time()),
  countedTo: time(),
  lastError: text("Why it could not be counted; '' where it could."),
  windows: list(WINDOW),
  burnRates: BURN_RATES,
}

const LEDGER: Schema = list(
  object({ key: text("An incident's id, a route or a version; '' for what belongs to none."), title: text(), ...COUNTED, share: number('Of all that was bad.'), budget: measured('Of what is allowed.') }),
  'They add up to all that was bad.',
)

const REPORT: Schema = object({
  id: text(),
  name: text(),
  customer: text(),
  service: text(),
  environment: text(),
  consequence: text('What follows when it is broken.'),
  period: text('Such as 2026-11.'),
  timeZone: text(),
  from: time(),
  to: time('The end of the period.'),
  countedTo: time(),
  isFinal: boolean('Whether the period is over and what came late is counted.'),
  madeAt: time(),
  kept: orNull({ type: 'boolean' }, 'Null where nothing was counted.'),
  target: number(),
  attainment: measured(),
  margin: measured('The attainment less the target.'),
  ...COUNTED,
  allowed: number(),
  spent: measured('Of what is allowed.'),
  days: list(object({ day: text(), ...COUNTED, attainment: measured() })),
  incidents: list(object({ key: text(), title: text(), ...COUNTED, share: number(), budget: measured(), start: time(), end: orNull(time()) })),
  outsideIncidents: number('What was bad outside of incidents.'),
  maintenance: list(object({ start: time(), end: time(), comment: text(), ...COUNTED }), 'Left out.'),
  evidence: object({
    indicator: anything('What is counted, and when it is good.'),
    objective: number(),
    minutes: number(),
    minutesWithData: number(),
    minutesWithBad: number(),
    worst: list(object({ time: time(), ...COUNTED })),
  }),
})

const OF_WINDOW = query('window', 'One of the windows of the objective; the first when absent.')

/** Objectives, error budgets and agreements. */
export const SLO: Operations = {
  'GET /api/objectives': {
    summary: 'All objectives with their budgets and burn rates, those that are worst off first.',
    parameters: [query('service', 'Of this service alone.')],
    answer: { schema: object({ objectives: list(object(SUMMARY)) }) },
  },
  'GET /api/objectives/:id': {
    summary: 'One objective: as it is written, its alerts, and what the end of the month will bring.',
    answer: {
      schema: object({
        ...SUMMARY,
        objective: anything('As it is read from its file.'),
        expression: orNull({ type: 'string' }, 'The share of bad ones, as PromQL.'),
        alerts: record(anything()),
        month: object({ end: time(), attainment: measured(), spent: measured('Of what will be allowed.'), kept: orNull({ type: 'boolean' }) }),
        maintenance: list(object({ start: time(), end: time(), comment: text() })),
      }),
    },
    errors: ['not_found'],
  },
  'GET /api/objectives/:id/burn-down': {
    summary: 'What was left of the budget after each step of a window, beside the line of even spending.',
    parameters: [OF_WINDOW],
    answer: {
      schema: object({ window: text(), from: time(), to: time(), ends: time(), stepMs: number(), points: list(object({ time: time(), ...COUNTED, remaining: number(), ideal: number() })) }),
    },
    errors: ['not_found'],
  },
  'GET /api/objectives/:id/ledger': {
    summary: 'Which incidents, routes and releases spent the budget of a window.',
    parameters: [OF_WINDOW],
    answer: { schema: object({ window: text(), from: time(), to: time(), ...COUNTED, allowed: number(), byIncident: LEDGER, byRoute: LEDGER, byRelease: LEDGER }) },
    errors: ['not_found'],
  },
  'GET /api/objectives/:id/what-if': {
    summary: 'How the windows would stand with another target, and whether the last twelve months would have kept it.',
    parameters: [query('target', 'In percent, such as 99.9.')],
    answer: {
      schema: object({ target: number(), windows: list(WINDOW), burnRates: BURN_RATES, months: list(object({ month: text(), attainment: measured(), kept: orNull({ type: 'boolean' }) })) }),
    },
    errors: ['not_found'],
  },
  'GET /api/agreements/:id/report': {
    summary: 'Whether an agreement was kept in a period, by how much, with the evidence; also as Markdown (md) and CSV.',
    parameters: [query('month', 'The period, such as 2026-11, 2026-Q4 or 2026; the one under way when absent.'), query('format', 'json when absent.', { type: 'string', enum: ['json', 'md', 'csv'] })],
    answer: { schema: REPORT },
    errors: ['not_found'],
  },
}
