import { boolean, integer, list, measured, number, object, oneOf, type Operations, orNull, query, RANGE, rangeParameters, type Schema, text, time } from './schema.ts'

const STATE: Schema = oneOf(['learning', 'silent', 'ticket', 'page'], 'How far it is trusted.')
const SUMMARY = {
  id: text('16 hexadecimal digits.'),
  service: text(),
  environment: text("'' where the telemetry names none."),
  signal: text('Such as errors, p95 or cpu.'),
  key: text("Which edge; '' where a service has one such series."),
  title: text(),
  unit: text('seconds, ratio, per second or bytes.'),
  family: text('Signals of one family are not two witnesses.'),
  isIndicator: boolean('It may page without a second witness.'),
  state: STATE,
  because: text('Why it is in this state.'),
  slices: integer('Of 15 seconds, that it has taken.'),
  time: time('Start of the newest slice.'),
  value: measured(),
  expected: measured(),
  low: measured('What is usual, at least.'),
  high: measured('What is usual, at most.'),
  p: measured('How likely such a slice is where nothing is wrong.'),
  statistic: measured('The evidence that something is, as a natural logarithm.'),
  threshold: measured('The evidence at which it is an alarm, by its own history.'),
  effect: measured('The change in what would matter: 1 and more does.'),
  firing: boolean(),
  since: orNull(time()),
  onset: orNull(time('When it is estimated to have begun.')),
  held: text("Why there is no alarm although the evidence would suffice; '' otherwise."),
}
const EPISODE: Schema = object({ start: time(), end: orNull(time()), onset: orNull(time()), peak: measured(), isExplained: boolean('Another family agreed, or a person called it real.') })
const DEPLOY: Schema = object({ id: text(), service: text(), environment: text(), version: text(), at: time(), source: oneOf(['seen', 'told']), actor: text(), note: text() })
const WINDOW: Schema = object({ start: time(), end: time() })
const COMPARED: Schema = object({
  id: object({ service: text(), environment: text(), signal: text(), key: text() }),
  title: text(),
  unit: text(),
  before: measured('The median of minutes.'),
  after: measured('The median of minutes.'),
  change: measured('A factor minus 1, or a difference in the unit.'),
  low: measured(),
  high: measured(),
  kind: oneOf(['factor', 'difference']),
  verdict: oneOf(['worse', 'better', 'changed a little', 'no difference', 'too few data']),
})

export const DETECTORS: Operations = {
  'GET /api/detectors': {
    summary: 'Every series that is watched: what is expected of it, what it is, and how far it is trusted.',
    parameters: [query('service', 'Of this service alone.'), query('state', 'In this state alone.'), query('firing', 'true: those that alarm.'), query('limit', '1000 when absent.', { type: 'integer', minimum: 1, maximum: 10_000 })],
    answer: { schema: object({ now: time(), until: time('How far the slices have been read.'), replaying: boolean('It is still reading what was stored before.'), total: integer(), detectors: list(object(SUMMARY)) }) },
  },
  'GET /api/detectors/:id': {
    summary: 'One series, with its alarms of the last days.',
    answer: {
      schema: object({ ...SUMMARY, firstSeen: time(), model: text('The prediction that fits best.'), slowLimit: orNull(number('Seconds from which on a request is slow.')), expression: text('PromQL.'), episodes: list(EPISODE, 'The newest first.') }),
    },
    errors: ['not_found'],
  },
  'POST /api/deploys': {
    summary: 'Marks a release; the same said twice is one.',
    body: { type: 'application/json', schema: object({ service: text(), version: text(), environment: text(), at: { type: ['integer', 'string'], description: 'Now when absent.' }, note: text('Such as a commit or the address of a build.') }, ['environment', 'at', 'note']) },
    answer: { schema: DEPLOY },
    errors: ['bad_body'],
  },
  'GET /api/deploys': {
    summary: 'Releases, the newest first: told, or seen as a new service.version.',
    parameters: [...rangeParameters('now-7d'), query('service', 'Of this service alone.'), query('limit', '100 when absent.', { type: 'integer', minimum: 1, maximum: 1000 })],
    answer: { schema: object({ ...RANGE, deploys: list(DEPLOY) }) },
  },
  'GET /api/deploys/:id': {
    summary: 'An hour before a release against up to half an hour after it.',
    answer: { schema: object({ marker: DEPLOY, before: WINDOW, after: WINDOW, isPreliminary: boolean('More data will come.'), series: list(COMPARED, 'What is worse comes first.') }) },
    errors: ['not_found'],
  },
}
