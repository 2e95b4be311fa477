// Since when there are data for what an expression reads.
import type { Milliseconds, TimeRange } from '@andon/model'
import { parse } from '@andon/promql'
import { type InstantQuery, over, readsOf } from './missing.ts'

/** Data are looked for within so long before each time. */
const WINDOW: Milliseconds = 3_600_000
/** Times that are looked at before the first is narrowed down. */
const PROBES = 16

/** The first time, to the hour, at which a selector has data; undefined where it has none in the range. */
async function firstOf(has: (time: Milliseconds) => Promise<boolean>, { start, end }: TimeRange): Promise<Milliseconds | undefined> {
  const stride = Math.max(1, (end - start) / PROBES)
  let before = start
  for (let probe = 0; probe <= PROBES; probe += 1) {
    const time = Math.min(end, Math.round(start + probe * stride))
    if (await has(time)) {
      if (probe === 0) return start
      let after = time
      while (after - before > WINDOW) {
        const middle = Math.round((before + after) / 2)
        if (await has(middle)) after = middle
        else before = middle
      }
      // What is within the window before it began at its start at the earliest.
      return Math.max(start, after - WINDOW)
    }
    before = time
  }
  return undefined
}

/**
 * Since when all that an expression reads has data. Asks about 20 times of each selector, each over an hour.
 *
 * @param range - where it is looked for
 * @returns the start of the range where they reach back so far, or where the expression reads nothing; undefined where one of its selectors has no data
 */
export async function firstData(expression: string, range: TimeRange, query: InstantQuery): Promise<Milliseconds | undefined> {
  const selectors = new Set(readsOf(parse(expression)).map(({ selector }) => over('present_over_time', selector, WINDOW)))
  let first = range.start
  for (const selector of selectors) {
    const found = await firstOf(async (time) => (await query(`count(${selector})`, time)).length > 0, range)
    if (found === undefined) return undefined
    first = Math.max(first, found)
  }
  return first
}
