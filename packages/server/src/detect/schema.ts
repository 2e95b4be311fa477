// The section `detect` of andon.yaml.
import type { Milliseconds } from '@andon/model'
import { Reading } from '../runtime/reading.ts'

export interface DetectOptions {
  readonly enabled: boolean
  /** How much stored history is replayed at the first start. */
  readonly historyMs: Milliseconds
  /** Series beyond this are not watched, and counted. */
  readonly maxSeries: number
}

export const defaultDetect: DetectOptions = { enabled: true, historyMs: 8 * 86_400_000, maxSeries: 10_000 }

const DAY: Milliseconds = 86_400_000
const DAYS = { least: 1, most: 31 }
const SERIES = { least: 1, most: 100_000 }

/**
 * Reads the section.
 *
 * @param value - as YAML gives it; undefined where it is absent
 * @throws AndonError bad_config with the key that is wrong
 */
export function readDetect(value: unknown): DetectOptions {
  const given = new Reading(value ?? {}, 'detect', { hint: 'docs/reference/detection.md shows the options of detect.' }).fields(['enabled', 'history_days', 'max_series'])
  return {
    enabled: given.enabled.flag(defaultDetect.enabled),
    historyMs: given.history_days.whole(DAYS, defaultDetect.historyMs / DAY) * DAY,
    maxSeries: given.max_series.whole(SERIES, defaultDetect.maxSeries),
  }
}
