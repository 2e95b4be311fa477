import { PROFILE_TYPES, STALL_KINDS } from '@andon/model'
import { integer, list, number, object, oneOf, type Operations, orNull, query, RANGE, rangeParameters, type Schema, text, time } from './schema.ts'

const CHOICE = [
  ...rangeParameters(),
  { ...query('service', 'Whose profile it is.'), required: true },
  query('type', 'cpu when absent.', { type: 'string', enum: PROFILE_TYPES }),
  query('instance', 'Of this instance alone.'),
  query('version', 'Of this version alone.'),
  query('route', 'While this route was served.'),
  query('trace', 'Within this trace.'),
  query('span', 'Within this span, 16 hex digits.'),
]

const NODE: Schema = { $ref: '#/components/schemas/FlameNode' }

/** Schemas that other schemas name. */
export const PROFILE_SCHEMAS: Readonly<Record<string, Schema>> = {
  FlameNode: object({ name: text(), file: text(), line: integer('From 1; 0 when it is not known.'), self: number('While it ran itself.'), total: number('With all that it called.'), children: list(NODE) }),
}

const FLAME: Schema = object({
  ...RANGE,
  type: oneOf(PROFILE_TYPES),
  unit: oneOf(['nanoseconds', 'bytes', 'objects']),
  profiles: integer('How many were merged. Of heaps in use the mean is shown, of all else the sum.'),
  rollup: orNull(object({ start: time(), end: time() }), 'The part that was read from 5-minute sums.'),
  infos: list(text()),
  other: object({ stacks: integer(), nodes: integer(), value: number() }),
  root: NODE,
})

const STALL: Schema = object({
  time: time('When it ended.'),
  seconds: number(),
  cpuSeconds: number('CPU time of the process meanwhile.'),
  kind: oneOf(STALL_KINDS),
  stack: text("Lines of `at function (file:line)`; '' where no profile was taken meanwhile."),
  share: number('Of its samples that hold this stack.'),
  samples: integer(),
  route: text(),
  traceId: text(),
  spanId: text(),
  env: text(),
  version: text(),
  instance: text(),
})

export const PROFILES: Operations = {
  'POST /api/profiles': {
    summary: 'Takes a profile as pprof, gzipped or not; answered when it is stored.',
    parameters: [{ ...query('service', 'Who sends it.'), required: true }, query('env', 'Its environment.'), query('version', 'Its version.'), query('instance', 'Its instance.')],
    body: { type: 'application/x-protobuf', description: 'perftools.profiles.Profile; also application/octet-stream, application/vnd.google.protobuf, application/gzip.' },
    answer: { schema: object({ samples: integer('That were stored.') }) },
    errors: ['bad_body', 'unsupported_media_type', 'too_large', 'overloaded'],
  },
  'GET /api/profiles': {
    summary: 'Which kinds of profiles were sent by whom.',
    parameters: [...rangeParameters(), query('service', 'Of this service alone.'), query('instance', 'Of this instance alone.')],
    answer: { schema: object({ ...RANGE, sets: list(object({ service: text(), type: text(), profiles: integer(), samples: integer(), first: time('Start of the first.'), last: time('Start of the last.'), until: time('End of the latest.') })) }) },
  },
  'GET /api/profiles/flame': { summary: 'One tree of all samples.', parameters: CHOICE, answer: { schema: FLAME } },
  'GET /api/profiles/pprof': { summary: 'The same as gzipped pprof.', parameters: CHOICE, answer: { type: 'application/octet-stream' }, errors: ['not_found'] },
  'GET /api/service/:name/stalls': {
    summary: 'Blocks of the event loops of a service, the newest first.',
    parameters: [...rangeParameters(), query('limit', '100 when absent.', { type: 'integer', minimum: 1, maximum: 1000 })],
    answer: { schema: object({ ...RANGE, stalls: list(STALL) }) },
  },
}
