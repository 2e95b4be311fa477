// An application under changing load, as the governor sees it, for the tests beside it.
import { costAt, type Load, shareOf } from './cost.ts'
import { type Level, profileFactor, samplingLimit } from './level.ts'

/** What is asked of the application. */
export interface Demand {
  readonly requestsPerSecond: number
  readonly spansPerRequest: number
  /** CPU samples a second that are wanted. */
  readonly rate: number
}

/** What an agent does at a level while such a demand lasts. */
export function loadOf({ requestsPerSecond, spansPerRequest, rate }: Demand, level: Level, elapsed: number): Load {
  const traces = (requestsPerSecond * elapsed) / 1000
  const spans = traces * spansPerRequest
  const { keep, watch } = samplingLimit(level)
  const written = spans * keep
  return {
    elapsed,
    traces,
    recordedTraces: traces * watch,
    spans,
    written,
    measurements: traces * 2,
    sending: { spans: written * 0.001, others: elapsed * 0.0005 },
    posts: elapsed / 2000,
    compressed: 0,
    profile: { wanted: rate, uploads: rate > 0 && profileFactor(level) > 0 ? 0.2 : 0 },
  }
}

/** The share of one core that it costs. */
export function shareAt(demand: Demand, level: Level): number {
  const load = loadOf(demand, level, 5000)
  return shareOf(costAt(load, 1, level, level), load.elapsed)
}
