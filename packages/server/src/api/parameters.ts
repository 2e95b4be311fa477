import { AndonError, type Milliseconds, type TimeRange } from '@andon/model'

// What the routes of our own JSON read from their query string, and nothing else: each wrong value is named.

/** A parsed query string: absent, once, or several times. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

const UNIT_MS: Readonly<Record<string, Milliseconds>> = {
  ns: 1e-6,
  us: 1e-3,
  'µs': 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

const bad = (name: string, value: string, what: string): AndonError => new AndonError('bad_parameter', `${name}="${value.slice(0, 100)}" is not ${what}.`)

/** All values of a parameter, in order. */
export function texts(query: Query, name: string): readonly string[] {
  const value = query[name]
  if (value === undefined) return []
  return typeof value === 'string' ? [value] : value
}

/** The one value of a parameter; undefined when it is absent or empty. @throws AndonError bad_parameter when it is there twice */
export function text(query: Query, name: string): string | undefined {
  const [first, ...more] = texts(query, name)
  if (more.length > 0) throw new AndonError('bad_parameter', `${name} may be given once.`)
  return first === '' ? undefined : first
}

/**
 * A length of time such as `100ms`, `1.5s`, `2h45m`, as milliseconds.
 *
 * @param name - of the parameter, for the message
 * @throws AndonError bad_parameter
 */
export function parseDuration(name: string, value: string): Milliseconds {
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w)/g)]
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== value) throw bad(name, value, 'a duration such as 100ms, 1.5s or 2h')
  return parts.reduce((sum, part) => sum + Number(part[1]) * (UNIT_MS[part[2] ?? ''] ?? 0), 0)
}

/** A duration parameter, or undefined. */
export function duration(query: Query, name: string): Milliseconds | undefined {
  const value = text(query, name)
  return value === undefined ? undefined : parseDuration(name, value)
}

/** `now`, `now-15m`, milliseconds since the epoch, or ISO 8601. @throws AndonError bad_parameter */
export function parseTime(name: string, value: string, now: Milliseconds): Milliseconds {
  const relative = /^now(?:([+-])(.+))?$/.exec(value)
  if (relative !== null) {
    const offset = relative[2] === undefined ? 0 : parseDuration(name, relative[2])
    return Math.floor(relative[1] === '-' ? now - offset : now + offset)
  }
  const time = /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : Date.parse(value)
  // ±8.64e15 is what a JavaScript date can hold.
  if (!Number.isFinite(time) || Math.abs(time) > 8.64e15) throw bad(name, value, 'a time: milliseconds since 1970, ISO 8601, now or now-15m')
  return Math.floor(time)
}

/** The longest range that one request may ask for. */
export const RANGE_MS_MAX: Milliseconds = 400 * 86_400_000

/**
 * `from` and `to` of a request; the last 15 minutes when absent.
 *
 * @throws AndonError bad_parameter when one is no time, `from` is not before `to`, or they are more than 400 days apart
 */
export function timeRange(query: Query, now: Milliseconds): TimeRange {
  const start = parseTime('from', text(query, 'from') ?? 'now-15m', now)
  const end = parseTime('to', text(query, 'to') ?? 'now', now)
  if (start >= end) throw new AndonError('bad_parameter', 'from must be before to.')
  if (end - start > RANGE_MS_MAX) throw new AndonError('bad_parameter', 'from and to are more than 400 days apart.')
  return { start, end }
}

/** A whole number within bounds, or `otherwise` when absent. @throws AndonError bad_parameter */
export function whole(query: Query, name: string, bounds: { min: number; max: number; otherwise: number }): number {
  const value = text(query, name)
  if (value === undefined) return bounds.otherwise
  const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN
  if (!(number >= bounds.min && number <= bounds.max)) throw bad(name, value, `a whole number from ${bounds.min} to ${bounds.max}`)
  return number
}

/** One of some words, or undefined. @throws AndonError bad_parameter */
export function oneOf<T extends string>(query: Query, name: string, words: readonly T[]): T | undefined {
  const value = text(query, name)
  if (value === undefined) return undefined
  const word = words.find((one) => one === value)
  if (word === undefined) throw bad(name, value, `one of ${words.join(', ')}`)
  return word
}

/** An unsigned 64-bit id in decimal, as statements and groups of errors have. @throws AndonError bad_parameter */
export function parseId(value: string): string {
  if (!/^\d{1,20}$/.test(value) || BigInt(value) >= 1n << 64n) throw bad('id', value, 'an unsigned 64-bit number in decimal')
  return String(BigInt(value))
}

/** A trace id as 32 lower-case hex digits; shorter ones are filled with zeros on the left, as Jaeger does. @throws AndonError bad_parameter */
export function parseTraceId(value: string): string {
  if (!/^[\da-f]{1,32}$/i.test(value)) throw bad('trace id', value, 'up to 32 hex digits')
  return value.toLowerCase().padStart(32, '0')
}

/** The last day, as Jaeger and Zipkin look back for calls between services. */
const CALLS_LOOKBACK: Milliseconds = 86_400_000

/** `endTs` and `lookback`, milliseconds, as Jaeger and Zipkin ask for calls between services. @throws AndonError bad_parameter */
export function callRange(query: Query, now: Milliseconds): TimeRange {
  const end = whole(query, 'endTs', { min: 0, max: 8.64e15, otherwise: now })
  return { start: end - whole(query, 'lookback', { min: 1, max: RANGE_MS_MAX, otherwise: CALLS_LOOKBACK }), end }
}
