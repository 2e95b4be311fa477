// What all of Prometheus' routes read of a request, and the envelope of their answers.
import { AndonError, type LabelMatcher, type Milliseconds, type TimeRange } from '@andon/model'
import { parse, parseDuration } from '@andon/promql'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { QueryResult } from '../query/engine.ts'
import { type Query, text, texts } from './parameters.ts'

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

const FOREVER: TimeRange = { start: 0, end: 8.64e15 }

/** `start` and `end` of a request for metadata; all times when absent. */
export function rangeOf(query: Query): TimeRange {
  const start = text(query, 'start')
  const end = text(query, 'end')
  return { start: start === undefined ? FOREVER.start : timeOf('start', start), end: end === undefined ? FOREVER.end : timeOf('end', end) }
}

/** The selectors of `match[]`. */
export function matchersOf(query: Query): (readonly LabelMatcher[])[] {
  return texts(query, 'match[]').map((selector) => {
    const expr = parse(selector)
    if (expr.kind !== 'selector') throw new AndonError('bad_parameter', `invalid parameter "match[]": "${selector.slice(0, 100)}" is not a selector`)
    return expr.matchers
  })
}

export async function union<T>(selectors: readonly (readonly LabelMatcher[])[], read: (matchers: readonly LabelMatcher[]) => Promise<readonly T[]>): Promise<T[]> {
  const found = await Promise.all((selectors.length === 0 ? [[]] : selectors).map(read))
  return found.flat()
}

export function success(reply: FastifyReply, data: unknown, { infos = [], warnings = [] }: Partial<Pick<QueryResult, 'infos' | 'warnings'>> = {}): FastifyReply {
  return reply.send({ status: 'success', data, ...(warnings.length > 0 && { warnings }), ...(infos.length > 0 && { infos }) })
}
