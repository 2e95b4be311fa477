// Since when there are data for what an expression reads.
import type { Milliseconds, TimeRange } from '@andon/model'
import { parse, print } from '@andon/promql'
import { type InstantQuery, over, readsOf } from './missing.ts'

/** Data are looked for within so long before each time. */
const WINDOW: Milliseconds = 3_600_000
/** Of that hour the first part with data is told. */
const PART: Milliseconds = 300_000
/** Times that are looked at before the first is narrowed down. */
const PROBES = 16

/** Whether there are data within so long before a time. */
type Has = (time: Milliseconds, window: Milliseconds) => Promise<boolean>

/** The first time, to five minutes, at which a selector has data; undefined where it has none in the range. */
async function firstOf(has: Has, { start, end }: TimeRange): Promise<Milliseconds | undefined> {
  const stride = Math.max(1, (end - start) / PROBES)
  let before = start
  for (let probe = 0; probe <= PROBES; probe += 1) {
    const time = Math.min(end, Math.round(start + probe * stride))
    if (await has(time, WINDOW)) {
      if (probe === 0) return start
      let after = time
      while (after - before > WINDOW) {
        const middle = Math.round((before + after) / 2)
        if (await has(middle, WINDOW)) after = middle
        else before = middle
      }
      let part = after - WINDOW
      while (part + PART < after && !(await has(part + PART, PART))) part += PART
      return Math.max(start, part)
    }
    before = time
  }
  return undefined
}

/**
 * Since when all that an expression reads has data. Asks at most 40 times of each selector, each over an hour at most.
 *
 * @param range - where it is looked for
 * @returns the start of the range where they reach back so far, or where the expression reads nothing; undefined where one of its selectors has no data
 */
export async function firstData(expression: string, range: TimeRange, query: InstantQuery): Promise<Milliseconds | undefined> {
  const selectors = new Map(readsOf(parse(expression)).map(({ selector }) => [print(selector), selector]))
  let first = range.start
  for (const selector of selectors.values()) {
    const found = await firstOf(async (time, window) => (await query(`count(${over('present_over_time', selector, window)})`, time)).length > 0, range)
    if (found === undefined) return undefined
    first = Math.max(first, found)
  }
  return first
}
