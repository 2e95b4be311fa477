// What all of Prometheus' routes read of a request, and the envelope of their answers.
import { AndonError, type LabelMatcher, type Milliseconds, type TimeRange } from '@andon/model'
import { parse, parseDuration } from '@andon/promql'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { QueryResult } from '../query/engine.ts'
import { type Query, text, texts, whole } from './parameters.ts'

/** Parameters of the address and, for a POST, of the form in the body; the body's come first. */
export function parameters(request: FastifyRequest): Query {
  const query: Record<string, string | string[]> = {}
  const add = (name: string, value: string): void => {
    const held = query[name]
    query[name] = held === undefined ? value : [...(typeof held === 'string' ? [held] : held), value]
  }
  const search = new URLSearchParams(request.url.split('?').slice(1).join('?'))
  const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
  for (const [name, value] of form) add(name, value)
  for (const [name, value] of search) if (!form.has(name)) add(name, value)
  return query
}

export function required(query: Query, name: string): string {
  const value = text(query, name)
  if (value === undefined) throw new AndonError('bad_parameter', `invalid parameter "${name}": it is missing`)
  return value
}

/** Seconds since the epoch with fractions, or RFC 3339. */
export function timeOf(name: string, value: string): Milliseconds {
  const ms = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(value) ? Number(value) * 1000 : Date.parse(value)
  if (!Number.isFinite(ms)) throw new AndonError('bad_parameter', `invalid parameter "${name}": cannot parse "${value.slice(0, 100)}" to a valid timestamp`)
  return Math.round(ms)
}

export function stepOf(value: string): Milliseconds {
  const step = parseDuration(value)
  if (step === undefined || !(step > 0)) throw new AndonError('bad_parameter', `invalid parameter "step": "${value.slice(0, 100)}" is not a duration greater than 0`)
  return step
}

/** A signal that is aborted when the one who asked goes away. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) controller.abort(new AndonError('query_failed', 'the client went away'))
  })
  return controller.signal
}

/** A query may be asked to take no longer than `timeout`; the server's own limit holds as well. */
const TIMEOUT_MAX: Milliseconds = 86_400_000

/** The signal of one query: aborted when the one who asked goes away, or when the time is over that it gave. */
export function querySignal(reply: FastifyReply, query: Query): AbortSignal {
  const gone = goneSignal(reply)
  const timeout = text(query, 'timeout')
  if (timeout === undefined) return gone
  const ms = parseDuration(timeout)
  if (ms === undefined || !(ms > 0)) throw new AndonError('bad_parameter', `invalid parameter "timeout": "${timeout.slice(0, 100)}" is not a duration greater than 0`)
  const late = new AbortController()
  const timer = AbortSignal.timeout(Math.min(ms, TIMEOUT_MAX))
  timer.addEventListener('abort', () => late.abort(new AndonError('query_timeout', `the query took longer than its timeout of ${timeout.slice(0, 100)}`)), { once: true })
  return AbortSignal.any([gone, late.signal])
}

/** `limit`: how many of a list are answered; 0 and absent are all. */
export function limitOf(query: Query): number {
  return whole(query, 'limit', { min: 0, max: Number.MAX_SAFE_INTEGER, otherwise: 0 }) || Infinity
}

/** Names, values and series that are answered at most, whatever `limit` says: what a browser still takes, and some megabytes here. */
const ANSWERS_MAX = 100_000

function answersOf(query: Query): number {
  return Math.min(limitOf(query), ANSWERS_MAX)
}

/** How many names, values or series are to be read: one more than are answered says whether there are more. */
export function mostOf(query: Query): number {
  return answersOf(query) + 1
}

/** Said where a limit left something out, as Prometheus says it. */
const TRUNCATED = ['results truncated due to limit']

/** Names, values or series up to their limit, answered with a warning where there are more. */
export function limited(reply: FastifyReply, query: Query, list: readonly unknown[]): FastifyReply {
  const limit = answersOf(query)
  return list.length > limit ? success(reply, list.slice(0, limit), { warnings: TRUNCATED }) : success(reply, list)
}

/** The result of a query with at most `limit` series. */
export function limitedResult(query: Query, result: QueryResult): QueryResult {
  const limit = limitOf(query)
  const warnings = [...result.warnings, ...TRUNCATED]
  if (result.type === 'vector' && result.samples.length > limit) return { ...result, samples: result.samples.slice(0, limit), warnings }
  if (result.type === 'matrix' && result.series.length > limit) return { ...result, series: result.series.slice(0, limit), warnings }
  return result
}

const FOREVER: TimeRange = { start: 0, end: 8.64e15 }

/** `start` and `end` of a request for metadata; all times when absent. */
export function rangeOf(query: Query): TimeRange {
  const start = text(query, 'start')
  const end = text(query, 'end')
  return { start: start === undefined ? FOREVER.start : timeOf('start', start), end: end === undefined ? FOREVER.end : timeOf('end', end) }
}

/** A metric's type as Prometheus calls it. */
export function typeName(type: string): string {
  return type === 'updown' ? 'gauge' : type
}

/** A selector, which has no time of its own, of a parameter. @throws AndonError bad_parameter where it is something else */
export function selectorOf(name: string, selector: string): readonly LabelMatcher[] {
  const expr = parse(selector)
  if (expr.kind === 'selector' && expr.offset === 0 && expr.at === undefined && expr.extended === undefined) return expr.matchers
  throw new AndonError('bad_parameter', `invalid parameter "${name}": "${selector.slice(0, 100)}" is not a selector`)
}

/** The selectors of `match[]`. */
export function matchersOf(query: Query): (readonly LabelMatcher[])[] {
  return texts(query, 'match[]').map((selector) => selectorOf('match[]', selector))
}

export async function union<T>(selectors: readonly (readonly LabelMatcher[])[], read: (matchers: readonly LabelMatcher[]) => Promise<readonly T[]>): Promise<T[]> {
  const found = await Promise.all((selectors.length === 0 ? [[]] : selectors).map(read))
  return found.flat()
}

export function success(reply: FastifyReply, data: unknown, { infos = [], warnings = [] }: Partial<Pick<QueryResult, 'infos' | 'warnings'>> = {}): FastifyReply {
  return reply.send({ status: 'success', data, ...(warnings.length > 0 && { warnings }), ...(infos.length > 0 && { infos }) })
}
