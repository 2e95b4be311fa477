import { SEVERITIES, type Severity } from './alert.ts'
import type { ThresholdOperator } from './threshold.ts'
import type { Milliseconds, Ratio } from './units.ts'

/** What a profile shows: where time goes, who holds memory, or where memory is allocated, held or not. */
export const PROFILE_KINDS = ['cpu', 'heap', 'allocation'] as const
export type ProfileKind = (typeof PROFILE_KINDS)[number]

/** Profiling that is wanted of an agent. */
export interface ControlProfile {
  /** When it ends by itself, since the Unix epoch by the server's clock. */
  readonly until: Milliseconds
  /** CPU samples per second, 1 to 1,000. */
  readonly rate: number
  readonly kinds: readonly ProfileKind[]
}

/** A limit that an agent holds measurements against in the process. */
export interface ControlThreshold {
  /** The id of the rule that it comes from: rule and breach are one alert. */
  readonly rule: string
  readonly metric: string
  readonly operator: ThresholdOperator
  /** In the unit of the metric. */
  readonly value: number
  /** Of the rule; `warning` where none was given. */
  readonly severity: Severity
  /** Of the rule; where it is empty the agent tells the limit. */
  readonly message: string
  /** It holds for measurements that carry all of these with these values. */
  readonly tags: Readonly<Record<string, string>>
}

/** What an agent is wanted to do beside its own defaults. A state, not a command: nothing in it can name code. */
export interface ControlSettings {
  /** The share of traces that are kept; null leaves it to the agent. */
  readonly sampling: Ratio | null
  /** null: none is wanted. */
  readonly profile: ControlProfile | null
  readonly thresholds: readonly ControlThreshold[]
  /** When the agent returns to its defaults, since the Unix epoch by the server's clock. */
  readonly expires: Milliseconds
}

/** The settings as an agent is given them. */
export interface ControlState extends ControlSettings {
  /** Another number whenever anything is different; 0 where nothing is wanted. */
  readonly revision: number
}

/** A state lasts at least this long, and at most CONTROL_MS_MAX: what nobody remembers must end. */
export const CONTROL_MS_MIN: Milliseconds = 10_000
export const CONTROL_MS_MAX: Milliseconds = 7 * 86_400_000
/** A profile at a raised rate is bounded more narrowly. */
export const PROFILE_MS_MAX: Milliseconds = 3_600_000
export const THRESHOLDS_MAX = 200

const MAX_TEXT = 200
const MAX_MESSAGE = 1000
const MAX_TAGS = 20
const OPERATORS: readonly ThresholdOperator[] = ['gt', 'gte', 'lt', 'lte', 'eq']

type Fields = Readonly<Record<string, unknown>>

/** What is wrong with a value; thrown within this file only. */
class Wrong extends Error {}

function fail(where: string, what: string): never {
  throw new Wrong(`${where} must be ${what}`)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An object with no other keys than these. */
function fields(where: string, value: unknown, keys: readonly string[]): Fields {
  if (!isFields(value)) return fail(where, 'an object')
  const unknown = Object.keys(value).find((key) => !keys.includes(key))
  if (unknown !== undefined) fail(where, `without the key "${unknown.slice(0, 50)}"; it knows ${keys.join(', ')}`)
  return value
}

function amount(where: string, value: unknown, [min, max]: readonly [number, number]): number {
  if (typeof value !== 'number' || !(value >= min && value <= max)) return fail(where, `a number from ${min} to ${max}`)
  return value
}

function shortText(where: string, value: unknown, most: number = MAX_TEXT): string {
  if (typeof value !== 'string' || value.trim() === '' || value.length > most || /\p{Cc}/u.test(value)) return fail(where, `a text of 1 to ${most} characters`)
  return value
}

function tagsOf(where: string, value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {}
  if (!isFields(value)) return fail(where, 'an object of texts')
  const entries = Object.entries(value)
  if (entries.length > MAX_TAGS) fail(where, `an object of at most ${MAX_TAGS} texts`)
  return Object.fromEntries(entries.map(([key, each]) => [shortText(`a key of ${where}`, key), shortText(`${where}.${key.slice(0, 50)}`, each)]))
}

function thresholdOf(where: string, value: unknown): ControlThreshold {
  const given = fields(where, value, ['rule', 'metric', 'operator', 'value', 'severity', 'message', 'tags'])
  const severity = SEVERITIES.find((each) => each === (given['severity'] ?? 'warning')) ?? fail(`${where}.severity`, `one of ${SEVERITIES.join(', ')}`)
  const operator = OPERATORS.find((each) => each === given['operator']) ?? fail(`${where}.operator`, `one of ${OPERATORS.join(', ')}`)
  return {
    rule: shortText(`${where}.rule`, given['rule']),
    metric: shortText(`${where}.metric`, given['metric']),
    operator,
    value: amount(`${where}.value`, given['value'], [-Number.MAX_VALUE, Number.MAX_VALUE]),
    severity,
    message: (given['message'] ?? '') === '' ? '' : shortText(`${where}.message`, given['message'], MAX_MESSAGE),
    tags: tagsOf(`${where}.tags`, given['tags']),
  }
}

function list(where: string, value: unknown, max: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > max) return fail(where, `a list of at most ${max}`)
  return value
}

function profileOf(value: unknown, now: Milliseconds): ControlProfile | null {
  if (value === undefined || value === null) return null
  const given = fields('profile', value, ['until', 'rate', 'kinds'])
  const kinds = list('profile.kinds', given['kinds'], PROFILE_KINDS.length).map((each) => PROFILE_KINDS.find((kind) => kind === each) ?? fail('profile.kinds', `a list of ${PROFILE_KINDS.join(', ')}`))
  if (kinds.length === 0) fail('profile.kinds', 'a list of at least one')
  return { until: amount('profile.until', given['until'], [now, now + PROFILE_MS_MAX]), rate: amount('profile.rate', given['rate'], [1, 1000]), kinds: [...new Set(kinds)] }
}

function thresholdsOf(value: unknown): ControlThreshold[] {
  const thresholds = list('thresholds', value ?? [], THRESHOLDS_MAX).map((each, index) => thresholdOf(`thresholds[${index}]`, each))
  const rules = new Set(thresholds.map(({ rule }) => rule))
  if (rules.size < thresholds.length) fail('thresholds', 'of different rules')
  return thresholds
}

const KEYS = ['sampling', 'profile', 'thresholds', 'expires']

function settingsOf(given: Fields, now: Milliseconds, shortest: Milliseconds): ControlSettings {
  return {
    sampling: given['sampling'] === undefined || given['sampling'] === null ? null : amount('sampling', given['sampling'], [0, 1]),
    profile: profileOf(given['profile'], now),
    thresholds: thresholdsOf(given['thresholds']),
    expires: amount('expires', given['expires'], [now + shortest, now + CONTROL_MS_MAX]),
  }
}

function caught<T>(read: () => T): T | string {
  try {
    return read()
  } catch (error) {
    if (error instanceof Wrong) return error.message
    throw error
  }
}

/**
 * Settings from JSON that someone sent, with every field checked and bounded; unknown keys are refused.
 *
 * @param now - milliseconds since the Unix epoch; `expires` lies 10 seconds to 7 days after it
 * @returns the settings, or what is wrong as a text
 */
export function readControlSettings(value: unknown, now: Milliseconds): ControlSettings | string {
  return caught(() => settingsOf(fields('the body', value, KEYS), now, CONTROL_MS_MIN))
}

/** What GET …/control answers: the state, and the server's time, so that clocks need not agree. */
export interface ControlAnswer extends Omit<ControlState, 'expires'> {
  /** null where nothing is wanted. */
  readonly expires: Milliseconds | null
  readonly now: Milliseconds
}

/**
 * A server's answer, checked as narrowly as what an editor sends: an agent trusts no server.
 *
 * @returns the answer with the ends in the server's time, or what is wrong as a text
 */
export function readControlAnswer(value: unknown): ControlAnswer | string {
  return caught(() => {
    const { revision, now, ...given } = fields('the answer', value, [...KEYS, 'revision', 'now'])
    const at = amount('now', now, [0, Number.MAX_SAFE_INTEGER])
    const number = amount('revision', revision, [0, Number.MAX_SAFE_INTEGER])
    if (number === 0) return { revision: 0, now: at, sampling: null, profile: null, thresholds: [], expires: null }
    return { revision: number, now: at, ...settingsOf(given, at, 0) }
  })
}

/** The answer where nothing is wanted. */
export function noControl(now: Milliseconds): ControlAnswer {
  return { revision: 0, now, sampling: null, profile: null, thresholds: [], expires: null }
}
