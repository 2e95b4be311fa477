import { EDGE_KINDS } from '@andon/model'
import { boolean, integer, list, measured, number, object, oneOf, type Operations, orNull, query, RANGE, rangeParameters, record, type Schema, text, time, values } from './schema.ts'

const LIMIT = (otherwise: number, maximum: number): ReturnType<typeof query> => query('limit', `${otherwise} when absent.`, { type: 'integer', minimum: 1, maximum })
const OF_SERVICE = [query('service', 'Of this service alone.'), query('env', 'In this environment alone.')]

const NODE: Schema = object({
  name: text(),
  kind: oneOf(['service', 'database', 'cache', 'queue', 'external']),
  source: oneOf(['metrics', 'spans', 'calls'], 'Where the figures come from.'),
  rate: measured('Per second.'),
  errorRatio: measured(),
  p50: measured('Seconds.'),
  p95: measured('Seconds.'),
})
const EDGE: Schema = object({
  client: text(),
  server: text(),
  kind: oneOf([...EDGE_KINDS, 'external']),
  env: text(),
  calls: number('By weight: may be a fraction.'),
  rate: number('Per second.'),
  errorRatio: number(),
  p50: measured('Seconds, as the client saw it.'),
  p95: measured('Seconds, as the client saw it.'),
  serverP50: measured('Seconds, as the server saw it.'),
  serverP95: measured('Seconds, as the server saw it.'),
})

const COST = {
  calls: number('By weight: may be a fraction.'),
  rate: number('Per second.'),
  errorRatio: measured(),
  totalSeconds: number(),
  meanSeconds: measured(),
  p50: measured('Seconds.'),
  p95: measured('Seconds.'),
  waits: number('Calls that are known to have waited for a connection.'),
  waitSeconds: number('The sum of what they waited.'),
  serverMeanSeconds: measured('Between question and answer on the wire.'),
  rowsMean: measured('Returned rows.'),
  perTraceMax: integer('The most executions within one trace.'),
}
const STATEMENT = { id: text('xxHash64 of the text, unsigned in decimal.'), system: text(), text: text('Without values.'), operation: text(), collections: list(text()) }
const EXAMPLE: Schema = object({ traceId: text(), spanId: text(), time: time(), seconds: number(), perTrace: integer('Executions by this service within the trace.'), isFailed: boolean() })

const GROUP = {
  id: text('Unsigned in decimal.'),
  service: text(),
  type: text(),
  message: text('Of the latest in the range.'),
  count: number('In the range, by weight.'),
  unhandled: number('Of these, those that nothing caught.'),
  firstSeen: time('Also before the range.'),
  lastSeen: time(),
  routes: list(text()),
  versions: list(object({ version: text(), firstSeen: time(), lastSeen: time(), count: number() }), 'The earliest first.'),
  newIn: orNull({ type: 'string' }, 'The version that brought it.'),
  isNew: boolean(),
}
const EVENT: Schema = object({
  time: time(),
  service: text(),
  env: text(),
  version: text(),
  instance: text(),
  route: text(),
  type: text(),
  message: text(),
  stack: text(),
  handled: boolean(),
  weight: number(),
  traceId: text("'' where it is not known."),
  spanId: text(),
  attributes: record(text()),
})

/** Who calls whom, database statements, and errors. */
export const CALLS: Operations = {
  'GET /api/service-map': {
    summary: 'Who calls whom, how often, how fast, and with how many errors.',
    parameters: [...rangeParameters(), query('service', 'Only this one with what it calls and what calls it.')],
    answer: { schema: object({ ...RANGE, nodes: list(NODE), edges: list(EDGE) }) },
    errors: ['query_too_large'],
  },
  'GET /api/statements': {
    summary: 'What database statements cost, those that took the most time first.',
    parameters: [...rangeParameters(), ...OF_SERVICE, LIMIT(100, 1000)],
    answer: { schema: object({ ...RANGE, totalSeconds: number('Of all statements.'), statements: list(object({ ...STATEMENT, service: text(), ...COST, share: measured('Of the time that all statements took.') })) }) },
  },
  'GET /api/statements/:id': {
    summary: 'One statement: its course, routes, callers, versions and slowest executions.',
    parameters: [...rangeParameters(), ...OF_SERVICE],
    answer: {
      schema: object({
        ...RANGE,
        ...STATEMENT,
        ...COST,
        t: list(time()),
        course: object({ rate: values(), errorRatio: values(), meanSeconds: values(), p95: values() }),
        routes: list(object({ ...COST, route: text() })),
        callers: list(object({ ...COST, caller: text() })),
        versions: list(object({ ...COST, version: text() })),
        examples: list(EXAMPLE),
      }),
    },
    errors: ['not_found'],
  },
  'GET /api/errors': {
    summary: 'Errors by group.',
    parameters: [...rangeParameters(), ...OF_SERVICE, query('version', 'In this version alone.'), query('since', 'Only what this version or a later one brought.'), LIMIT(100, 1000)],
    answer: { schema: object({ ...RANGE, groups: list(object(GROUP)) }) },
  },
  'GET /api/errors/:id': {
    summary: 'One group: its course, routes and newest errors.',
    parameters: [...rangeParameters(), ...OF_SERVICE, query('version', 'In this version alone.'), LIMIT(20, 200)],
    answer: {
      schema: object({ ...RANGE, ...GROUP, t: list(time()), counts: list(number()), byRoute: list(object({ route: text(), count: number() })), events: list(EVENT) }),
    },
    errors: ['not_found'],
  },
}
