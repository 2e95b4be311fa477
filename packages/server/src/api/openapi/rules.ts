import { boolean, integer, list, measured, number, object, type Operations, orNull, query, record, type Schema, text, time } from './schema.ts'

const DEFINITION: Schema = { type: 'object', additionalProperties: true, description: 'The simple form (metric, operator, threshold, …) or, with expr, as Prometheus writes an alerting rule.' }

const OWN_RULE: Schema = object({
  id: text(),
  definition: DEFINITION,
  alert: text('The name of its alerts.'),
  expression: text('The PromQL that it is evaluated as.'),
  recovery: orNull(text(), 'What must hold of what fires already, so that it fires on.'),
  forMs: integer('How long it must hold before it fires, milliseconds.'),
  keepFiringForMs: integer('How long it fires on, milliseconds.'),
  labels: record(text()),
  annotations: record(text()),
  revision: integer('0 where it is not stored.'),
  actor: text('Who made it so.'),
  updatedAt: time(),
})

const BACKTEST: Schema = object({
  alert: text(),
  expression: text(),
  from: time(),
  to: time(),
  intervalMs: integer('Between two evaluations, milliseconds.'),
  dataFrom: orNull(time(), 'Since when there are data; null where there are none.'),
  isShorter: boolean('The history is shorter than what was asked for.'),
  count: integer('How often an alert would have begun to fire.'),
  perWeek: measured('Of the time for which there are data.'),
  firingShare: measured('The share of that time in which at least one alert fired.'),
  episodes: list(
    object({
      labels: record(text()),
      activeAt: time('Since when the expression held.'),
      start: time('When it began to fire.'),
      end: orNull(time(), 'null where it still fired at the end.'),
      peak: orNull(number(), 'The worst value; null where it is no finite number.'),
    }),
  ),
  areEpisodesCut: boolean('There were more.'),
})

const DRY = [query('dry_run', 'true: nothing is stored, and the answer says what the rule would have told.'), query('days', 'How far back a dry run looks; 14 when absent.', { type: 'integer', minimum: 1, maximum: 90 })]
const SENT = { type: 'application/json', schema: DEFINITION, description: 'One rule.' }
const MADE = { schema: object({ rule: OWN_RULE, backtest: orNull(BACKTEST, 'Of a dry run.') }) }
const ERRORS = ['bad_body', 'bad_rules', 'overloaded', 'query_failed', 'query_too_large', 'query_timeout'] as const

export const RULES: Operations = {
  'GET /api/rules/own': { summary: 'Rules that were made by API or page.', answer: { schema: object({ rules: list(OWN_RULE) }) } },
  'GET /api/rules/own/:id': { summary: 'One of them.', answer: { schema: OWN_RULE }, errors: ['not_found'] },
  'POST /api/rules/own': { summary: 'Makes a rule; with dry_run only says what it would have told.', parameters: DRY, body: SENT, answer: MADE, errors: ERRORS },
  'PUT /api/rules/own/:id': { summary: 'Makes or replaces a rule; with dry_run only says what it would have told.', parameters: DRY, body: SENT, answer: MADE, errors: ERRORS },
  'DELETE /api/rules/own/:id': { summary: 'Removes a rule; its alerts are over.', answer: 'nothing', errors: ['not_found'] },
  'POST /api/rules/backtest': {
    summary: 'What alerting rules would have told of the past.',
    body: {
      type: 'application/json',
      schema: object(
        { rules: text('The text of a file of rules.'), file: text('By which errors call it.'), rule: DEFINITION, only: text('The name of the one rule of the file that is wanted.'), days: number('14 when absent, at most 90.'), interval: text('Between two evaluations, such as 1m; the rule’s own when absent.') },
        ['rules', 'file', 'rule', 'only', 'days', 'interval'],
      ),
    },
    answer: { schema: object({ results: list(BACKTEST) }) },
    errors: ERRORS,
  },
}
