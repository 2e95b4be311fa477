import { ALERT_VERDICTS, INCIDENT_STATES, TIMELINE_KINDS } from '@andon/model'
import { anything, boolean, integer, list, measured, number, object, oneOf, type Operations, orNull, query, RANGE, rangeParameters, record, type Schema, text, time } from './schema.ts'

const STATE = oneOf(INCIDENT_STATES)
const VERDICT = oneOf(ALERT_VERDICTS)
const SOURCE = oneOf(['rule', 'objective', 'detector', 'telemetry', 'application', 'api', 'andon'])
const MARK: Schema = object({ at: time(), actor: text('`andon` where nobody did it.') })
const FIGURES = {
  mttdMs: number('From the estimated onset to the detection.'),
  mttaMs: measured('From the detection to the first acknowledgement.'),
  mttmMs: measured('From the onset to the mitigation.'),
  mttrMs: measured('From the onset to the resolution.'),
}
const OPENED_BY: Schema = object({ kind: oneOf(['alert', 'person']), name: text() })
const OBJECTIVES: Schema = object({ detectMs: integer(), acknowledgeMs: orNull(integer()), resolveMs: integer() })

const ALERT: Schema = object({
  fingerprint: text(),
  rule: text(),
  status: oneOf(['firing', 'resolved']),
  severity: text(),
  source: SOURCE,
  service: text(),
  labels: record(text()),
  annotations: record(text()),
  startsAt: time(),
  endsAt: orNull(time()),
  onsetAt: time('When what is wrong is estimated to have begun.'),
  value: measured(),
  expression: orNull(text('The PromQL of what it watches.')),
  generatorUrl: text(),
  fired: integer('How often it has begun to fire in this incident.'),
})

const INCIDENT: Schema = object({
  id: text(),
  revision: integer('Grows by one with each change of state.'),
  title: text(),
  state: STATE,
  severity: text(),
  service: text(),
  environment: text(),
  services: list(text()),
  openedBy: OPENED_BY,
  onsetAt: time('Estimated.'),
  marks: object(Object.fromEntries(INCIDENT_STATES.map((state) => [state, MARK])), INCIDENT_STATES.filter((state) => state !== 'detected')),
  firstAcknowledgedAt: orNull(time()),
  touchedAt: time('When somebody last did something about it.'),
  firedAt: time('When an alert of it last began to fire.'),
  reopened: integer(),
  alerts: list(ALERT),
  forgottenAlerts: integer(),
  steps: list(object({ runbook: text(), step: integer(), text: text(), at: time(), actor: text() })),
  verdicts: record(object({ verdict: VERDICT, at: time(), actor: text() })),
  pages: list(object({ rule: text(), service: text(), source: SOURCE, at: time() })),
  escalation: orNull(object({ policy: text(), run: integer(), round: integer(), step: integer(), nextAt: orNull(time()), resting: boolean(), told: list(text()) })),
  evidenceAt: object({ opened: orNull(time()), resolved: orNull(time()) }),
})

const ROW: Schema = object({
  id: text(),
  revision: integer(),
  title: text(),
  state: STATE,
  severity: text(),
  service: text(),
  environment: text(),
  services: list(text()),
  openedBy: OPENED_BY,
  onsetAt: time(),
  detectedAt: time(),
  acknowledged: orNull(MARK),
  resolvedAt: orNull(time()),
  reopened: integer(),
  alerts: integer(),
  firing: integer(),
  rules: list(text()),
  figures: object(FIGURES),
})

const ENTRY: Schema = object({ id: text(), at: time(), kind: oneOf(TIMELINE_KINDS), actor: text(), text: text(), detail: record(anything()) })
const EVIDENCE = { name: text(), kind: oneOf(['trace', 'errors', 'statements', 'series']), title: text(), at: time(), cut: boolean('Some of it was left out because it is too large.') }
const MATCHED: Schema = object({ name: text('Empty where only an address is known.'), title: text(), url: text(), rule: text() })
const SUMMARY: Schema = object({ count: integer(), p50Ms: measured(), p90Ms: measured(), objectiveMs: orNull(integer()), within: measured('The share of them within the objective.') })
const SHIFT: Schema = object({ person: text(), receiver: text(), from: time(), to: time(), override: boolean() })
const CHECKS: Schema = list(object({ title: text(), query: text() }))
const RUNBOOK: Schema = object({ name: text(), title: text(), alerts: list(text()), labels: record(text()), severity: text(), owner: text(), checks: CHECKS, actions: list(text()), text: text('Markdown.'), from: oneOf(['andon', 'own']) })
const RESULT: Schema = object({ title: text(), query: text(), samples: list(object({ labels: record(text()), value: measured() })), more: integer(), error: text() })
const STEP: Schema = object({ kind: oneOf(['wait', 'notify', 'on-call']), ms: integer(), receiver: text(), schedule: text() }, ['ms', 'receiver', 'schedule'])
const POLICY: Schema = object({
  name: text(),
  match: object({ severity: list(text()), service: list(text()), environment: list(text()) }),
  steps: list(STEP),
  rounds: integer(),
  staleMs: orNull(integer()),
})

const POSTMORTEM: Schema = object({
  incident: text(),
  figures: object(FIGURES),
  impact: object({ requests: measured(), failed: measured(), budgets: list(object({ objective: text(), burned: number('A share of the whole error budget.') })) }),
  suspects: list(object({ kind: oneOf(['deploy', 'change']), at: time(), text: text(), beforeOnsetMs: number() })),
  actions: list(object({ title: text(), owner: text(), origin: oneOf(['person', 'proposed']), incident: text() })),
  markdown: text(),
})

const changed = { answer: { schema: INCIDENT }, errors: ['bad_body', 'not_found', 'overloaded'] } as const
const json = (schema: Schema): { readonly type: string; readonly schema: Schema } => ({ type: 'application/json', schema })

export const INCIDENTS: Operations = {
  'GET /api/incidents': {
    summary: 'Incidents, the one detected last first.',
    parameters: [
      ...rangeParameters('all that are held'),
      query('state', 'Of these states, separated by commas; `open` for all that are not resolved.'),
      query('service', 'That concern this service.'),
      query('limit', '100 when absent.', { type: 'integer', minimum: 1, maximum: 1000 }),
    ],
    answer: { schema: object({ now: time(), incidents: list(ROW) }) },
  },
  'POST /api/incidents': {
    summary: 'Opens an incident that a person has found.',
    body: json(object({ title: text(), service: text(), environment: text(), severity: text('critical when absent.'), onsetAt: time() }, ['service', 'environment', 'severity', 'onsetAt'])),
    ...changed,
  },
  'GET /api/incidents/:id': {
    summary: 'One incident with its timeline, figures, runbooks and what was kept of it.',
    answer: { schema: object({ now: time(), incident: INCIDENT, figures: object(FIGURES), objectives: OBJECTIVES, timeline: list(ENTRY, 'The oldest first.'), evidence: list(object(EVIDENCE)), runbooks: list(MATCHED) }) },
    errors: ['not_found'],
  },
  'GET /api/incidents/:id/evidence': {
    summary: 'What was kept of an incident beyond the retention of where it comes from.',
    answer: { schema: object({ evidence: list(object({ ...EVIDENCE, data: anything() })) }) },
    errors: ['not_found'],
  },
  'POST /api/incidents/:id/state': {
    summary: 'Sets the state: acknowledged, mitigated, resolved, reviewed; or detected, which opens it again.',
    body: json(object({ state: STATE, revision: integer('The one that was seen; where the incident has another one the answer is 409.'), note: text(), verdicts: record(VERDICT, 'By rule.') }, ['revision', 'note', 'verdicts'])),
    answer: { schema: INCIDENT },
    errors: ['bad_body', 'not_found', 'conflict', 'overloaded'],
  },
  'POST /api/incidents/:id/comments': { summary: 'Notes a comment, or an action item.', body: json(object({ text: text(), action: boolean(), owner: text() }, ['action', 'owner'])), ...changed },
  'POST /api/incidents/:id/steps': { summary: 'Ticks a step of a runbook, or takes the tick back.', body: json(object({ runbook: text(), step: integer('From 0.'), done: boolean() }, ['done'])), answer: { schema: INCIDENT }, errors: ['bad_body', 'not_found', 'overloaded', 'too_large'] },
  'POST /api/incidents/:id/quality': { summary: 'Says what its alerts were good for.', body: json(object({ verdicts: record(VERDICT, 'By rule.') })), ...changed },
  'GET /api/incidents/:id/postmortem': { summary: 'The draft of a post-mortem with its figures and action items.', answer: { schema: POSTMORTEM }, errors: ['not_found'] },
  'GET /api/incidents/:id/postmortem.md': { summary: 'The same as Markdown alone.', answer: { type: 'text/markdown' }, errors: ['not_found'] },
  'GET /api/incidents/figures': {
    summary: 'MTTD, MTTA, MTTM and MTTR: p50 and p90 with counts, against the objectives.',
    parameters: [...rangeParameters('now-28d'), query('service', 'Of this service alone.')],
    answer: {
      schema: object({
        ...RANGE,
        incidents: integer(),
        open: integer(),
        figures: object({ mttd: SUMMARY, mtta: SUMMARY, mttm: SUMMARY, mttr: SUMMARY }),
        each: list(object({ id: text(), title: text(), service: text(), severity: text(), state: STATE, detectedAt: time(), ...FIGURES })),
      }),
    },
  },
  'GET /api/alert-quality': {
    summary: 'How good each rule is at calling people.',
    parameters: [...rangeParameters('now-28d'), query('service', 'Of this service alone.')],
    answer: {
      schema: object({
        ...RANGE,
        budget: orNull(object({ pages: integer(), perMs: integer() })),
        rules: list(
          object({
            rule: text(),
            fired: integer(),
            perWeek: number(),
            pages: integer('Incidents that it opened or made open again.'),
            real: integer(),
            noise: integer(),
            expected: integer(),
            precision: measured('real / (real + noise).'),
            medianAckMs: measured(),
            proposal: orNull(oneOf(['demote'])),
            demotedUntil: orNull(time()),
            reason: text(),
          }),
        ),
      }),
    },
  },
  'GET /api/on-call': {
    summary: 'Who is on call, who is next, and the policies of escalation.',
    answer: { schema: object({ now: time(), schedules: list(object({ name: text(), timeZone: text(), kind: oneOf(['rotation', 'calendar']), current: orNull(SHIFT), next: list(SHIFT) })), policies: list(POLICY) }) },
  },
  'GET /api/runbooks': {
    summary: 'The runbooks that there are.',
    answer: { schema: object({ runbooks: list(object({ name: text(), title: text(), alerts: list(text()), severity: text(), owner: text(), from: oneOf(['andon', 'own']), checks: integer(), actions: integer() })) }) },
  },
  'GET /api/runbooks/:name': {
    summary: 'One runbook; with the answers of its checks where a service or an incident is named.',
    parameters: [query('incident', 'Of which the service is taken, and the ticked steps.'), query('service', 'For which the checks are asked.'), query('at', 'At which time they are asked. now when absent.')],
    answer: {
      schema: object({ runbook: RUNBOOK, at: time(), service: text(), results: orNull(list(RESULT)), ticked: list(object({ runbook: text(), step: integer(), text: text(), at: time(), actor: text() })) }),
    },
    errors: ['not_found'],
  },
}
