// The functions over ranges by name, and what holds for each. @see prometheus promql/functions.go
import { AndonError } from '@andon/model'
import { extendedRate } from './extended-rate.ts'
import { OVER_TIME } from './over-time.ts'
import type { RangeFunction } from './range-call.ts'
import { extrapolated, ofLastTwo, type RateKind } from './rate.ts'
import { TREND } from './trend.ts'

function rate(kind: RateKind): RangeFunction {
  const [plain, extended] = [extrapolated(kind), extendedRate(kind)]
  return (window, call) => (call.extended === undefined ? plain(window, call) : extended(window, call))
}

/** Functions that are extrapolated to the edges of their windows. */
export const RATE_KINDS: Readonly<Record<string, RateKind>> = {
  rate: { isCounter: true, isRate: true },
  increase: { isCounter: true, isRate: false },
  delta: { isCounter: false, isRate: false },
}

export const RANGE_FUNCTIONS: Readonly<Record<string, RangeFunction>> = {
  ...OVER_TIME,
  ...TREND,
  ...Object.fromEntries(Object.entries(RATE_KINDS).map(([name, kind]) => [name, rate(kind)])),
  irate: ofLastTwo(true),
  idelta: ofLastTwo(false),
}

/** Functions over ranges whose result keeps the metric's name. */
export const KEEPS_NAME: ReadonlySet<string> = new Set(['last_over_time', 'first_over_time'])

const EXTENDED = { anchored: ['changes', 'delta', 'increase', 'rate', 'resets'], smoothed: ['delta', 'increase', 'rate'] } as const

/** @throws AndonError query_failed when a function does not know ranges that are anchored, or smoothed */
export function checkExtended(name: string, extended: 'anchored' | 'smoothed' | undefined): void {
  if (extended === undefined) return
  const allowed: readonly string[] = EXTENDED[extended]
  if (!allowed.includes(name)) throw new AndonError('query_failed', `${extended} modifier can only be used with: ${allowed.join(', ')} - not with ${name}`)
}
