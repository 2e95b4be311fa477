// The section `detect` of andon.yaml.
import { AndonError, type Milliseconds } from '@andon/model'

export interface DetectOptions {
  readonly enabled: boolean
  /** How much stored history is replayed at the first start. */
  readonly historyMs: Milliseconds
  /** Series beyond this are not watched, and counted. */
  readonly maxSeries: number
}

export const defaultDetect: DetectOptions = { enabled: true, historyMs: 8 * 86_400_000, maxSeries: 10_000 }

const KEYS = { enabled: 'enabled', history_days: 'historyMs', max_series: 'maxSeries' } as const
const DAYS_MAX = 31
const SERIES_MAX = 100_000

const bad = (key: string, what: string): AndonError => new AndonError('bad_config', `detect${key === '' ? '' : `.${key}`} must be ${what}.`)

function whole(key: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) throw bad(key, `a whole number from ${min} to ${max}`)
  return value
}

/**
 * Reads the section.
 *
 * @param value - as YAML gives it; undefined where it is absent
 * @throws AndonError bad_config with the key that is wrong
 */
export function readDetect(value: unknown): DetectOptions {
  if (value === undefined || value === null) return defaultDetect
  if (typeof value !== 'object' || Array.isArray(value)) throw bad('', 'keys and values')
  const given = new Map<string, unknown>(Object.entries(value))
  for (const key of given.keys()) if (!Object.hasOwn(KEYS, key)) throw new AndonError('bad_config', `detect.${key}: there is no such key; there are ${Object.keys(KEYS).join(', ')}.`)
  const enabled = given.get('enabled') ?? defaultDetect.enabled
  if (typeof enabled !== 'boolean') throw bad('enabled', 'true or false')
  const history = given.get('history_days')
  const series = given.get('max_series')
  return {
    enabled,
    historyMs: history === undefined ? defaultDetect.historyMs : whole('history_days', history, 1, DAYS_MAX) * 86_400_000,
    maxSeries: series === undefined ? defaultDetect.maxSeries : whole('max_series', series, 1, SERIES_MAX),
  }
}
