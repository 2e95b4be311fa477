import { PROFILE_KINDS, SEVERITIES } from '@andon/model'
import { anything, boolean, integer, list, measured, number, object, oneOf, type Operations, orNull, query, RANGE, rangeParameters, record, type Schema, text, time } from './schema.ts'

const PROFILE: Schema = object({ until: time('When it ends by itself.'), rate: number('CPU samples per second, 1 to 1,000.'), kinds: list(oneOf(PROFILE_KINDS)) })
const THRESHOLD = {
  rule: text('The id of the rule that it comes from.'),
  metric: text(),
  operator: oneOf(['gt', 'gte', 'lt', 'lte', 'eq']),
  value: number('In the unit of the metric.'),
  severity: oneOf(SEVERITIES),
  message: text(),
  tags: record(text()),
}
const SETTINGS = {
  sampling: orNull({ type: 'number', minimum: 0, maximum: 1 }, 'The share of traces that are kept; null leaves it to the agent.'),
  profile: orNull(PROFILE),
  thresholds: list(object(THRESHOLD)),
}
const ENTRY: Schema = object({ ...SETTINGS, expires: time(), revision: integer(), actor: text('Who set it.') })
const WANTED = {
  type: 'application/json',
  description: 'What is wanted; all but `expires` may be absent or null.',
  schema: object({ ...SETTINGS, thresholds: orNull(list(object(THRESHOLD, ['severity', 'message', 'tags']))), expires: time('10 seconds to 7 days from now.') }, ['sampling', 'profile', 'thresholds']),
}
const LIMIT = query('limit', '100 when absent.', { type: 'integer', minimum: 1, maximum: 1000 })
const events = (name: string): Schema => object({ [name]: list({ type: 'object', properties: { written: time() }, required: ['written'], additionalProperties: true }) })

const COVERED: Schema = object({
  kind: oneOf(['route', 'job', 'handler', 'dependency', 'statement']),
  name: text(),
  registered: boolean('False where it is known from spans alone.'),
  metrics: boolean(),
  traces: boolean(),
  objective: anything('null: this version keeps none.'),
  alert: anything('null: this version keeps none.'),
})

const removal = { answer: 'nothing', errors: ['not_found'] } as const

export const AGENTS: Operations = {
  'GET /api/agents': {
    summary: 'The agents that were heard in the last 7 days.',
    answer: {
      schema: object({
        now: time(),
        agents: list(
          object({
            service: text(),
            instance: text(),
            version: text('Of the agent.'),
            revision: integer('Of the state that is applied; 0: its own defaults.'),
            capabilities: list(text()),
            lastSeen: time(),
            stale: boolean('Nothing was heard for five minutes.'),
            wantedRevision: integer(),
          }),
        ),
      }),
    },
  },
  'GET /api/agents/:instance/control': {
    summary: 'What is wanted of an instance; revision 0 where nothing is.',
    answer: { schema: object({ ...SETTINGS, revision: integer(), now: time(), expires: orNull(time()) }) },
  },
  'PUT /api/agents/:instance/control': { summary: 'Sets what is wanted of one instance, in place of what is set for its service.', body: WANTED, answer: { schema: ENTRY }, errors: ['bad_body', 'not_found', 'overloaded'] },
  'DELETE /api/agents/:instance/control': { summary: 'Removes what is set for one instance.', ...removal },
  'GET /api/agents/:instance/breaches': { summary: 'Thresholds that were broken in the process, the newest first.', parameters: [LIMIT], answer: { schema: events('breaches') } },
  'GET /api/agents/:instance/adaptations': { summary: 'What the agent did to keep its budget, the newest first.', parameters: [LIMIT], answer: { schema: events('adaptations') } },
  'GET /api/service/:name/control': { summary: 'What is set for a whole service.', answer: { schema: ENTRY }, errors: ['not_found'] },
  'PUT /api/service/:name/control': { summary: 'Sets what is wanted of all instances of a service.', body: WANTED, answer: { schema: ENTRY }, errors: ['bad_body', 'overloaded'] },
  'DELETE /api/service/:name/control': { summary: 'Removes what is set for a service.', ...removal },
  'GET /api/coverage': {
    summary: 'The critical operations of each service, which of them have metrics or traces, and the share.',
    parameters: [...rangeParameters('now-1d'), query('service', 'Of this service alone.')],
    answer: {
      schema: object({
        ...RANGE,
        services: list(object({ service: text(), reports: boolean('Whether it says what it registers.'), total: integer(), covered: integer(), share: measured(), operations: list(COVERED) })),
      }),
    },
  },
}
