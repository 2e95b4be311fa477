import { SPAN_KINDS, SPAN_STATUSES } from '@andon/model'
import { anything, boolean, integer, list, number, object, oneOf, type Operations, orNull, query, RANGE, rangeParameters, record, type Schema, text, time } from './schema.ts'

const ATTRIBUTES: Schema = record(anything(), 'int64 is a number where a double holds it exactly, else text; bytes are base64.')

const TRACE: Schema = object({
  traceId: text('32 hex digits.'),
  start: time('Of the earliest span.'),
  durationNs: text('From the earliest start to the latest end, nanoseconds.'),
  spans: list(
    object({
      id: text('16 hex digits.'),
      parent: orNull({ type: 'string' }),
      service: text(),
      name: text(),
      kind: oneOf(SPAN_KINDS),
      startOffsetUs: number('From the start of the trace.'),
      durationUs: number(),
      status: oneOf(SPAN_STATUSES),
      statusMessage: text(),
      attributes: ATTRIBUTES,
      resource: integer('Index into `resources`.'),
      scope: object({ name: text(), version: text() }),
      events: list(object({ offsetUs: number(), name: text(), attributes: ATTRIBUTES })),
      links: list(object({ traceId: text(), spanId: text(), attributes: ATTRIBUTES })),
    }),
    'By their start.',
  ),
  resources: list(ATTRIBUTES),
})

const SUMMARY: Schema = object({
  traceId: text('32 hex digits.'),
  start: time('Of its earliest span.'),
  durationNs: number('From the start of its earliest span to the end of its latest.'),
  rootService: text('Of its root, or of its earliest span where the root is not stored.'),
  rootName: text(),
  spanCount: integer(),
  errorCount: integer(),
  matched: integer('Spans that fulfil the conditions.'),
  services: list(object({ name: text(), spans: integer(), errors: integer() })),
})

export const SPANS: Operations = {
  'GET /api/spans/search': {
    summary: 'Traces with a span that fulfils all conditions, those with the newest such span first.',
    parameters: [
      ...rangeParameters(),
      query('service', 'Name of the service.'),
      query('operation', 'Name of the span.'),
      query('kind', 'Kind of the span.', { type: 'string', enum: SPAN_KINDS }),
      query('status', '`ok` is all that is no error.', { type: 'string', enum: ['ok', 'error'] }),
      query('minDuration', 'Of the span: 100ms, 1.5s, 2h.'),
      query('maxDuration', 'Of the span.'),
      query('attr', 'key=value, of the span or its resource; numbers and truth values by their text. May be repeated: all must hold.', { type: 'array', items: { type: 'string' } }),
      query('q', 'TraceQL: {resource.service.name="shop" && duration>1s}; see docs/reference/http.md for what is supported.'),
      query('limit', 'How many traces; 100 when absent.', { type: 'integer', minimum: 1, maximum: 1000 }),
      query('cursor', '`next` of the page before.'),
    ],
    answer: { schema: object({ ...RANGE, traces: list(SUMMARY), truncated: boolean('There are more.'), next: orNull({ type: 'string' }, 'The cursor of the next page; null when there is none.') }) },
    errors: ['bad_query', 'query_failed'],
  },
  'GET /api/spans/facets': {
    summary: 'Services that sent spans, with the names of their operations.',
    parameters: rangeParameters(),
    answer: { schema: object({ ...RANGE, services: list(object({ name: text(), operations: list(text()) })) }) },
  },
  'GET /api/spans/trace/:id': { summary: 'One trace, each span with an id of its own.', answer: { schema: TRACE }, errors: ['not_found'] },
}
