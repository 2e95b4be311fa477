import { AndonError, DETECTOR_STATES, type DetectorDetail, type ListedDetector, type Milliseconds, type SignalId } from '@andon/model'
import type { FastifyInstance } from 'fastify'
import type { WatchedSeries } from '../detect/series.ts'
import { type ServiceFacts, shownExpression } from '../detect/shown.ts'
import type { Clock } from '../runtime/clock.ts'
import { oneOf, type Query, text, whole } from './parameters.ts'

export interface DetectorsDeps {
  readonly series: () => Iterable<WatchedSeries>
  readonly find: (id: string) => WatchedSeries | undefined
  readonly progress: () => { readonly until: Milliseconds; readonly isReplaying: boolean }
  /** What is slow for a service, and what its requests are counted from. */
  readonly factsOf: (service: Pick<SignalId, 'service' | 'environment'>) => ServiceFacts
  readonly clock: Pick<Clock, 'now'>
}

const known = (value: number): number | null => (Number.isFinite(value) ? value : null)

/** What is read of a series in a list. */
function summaryOf({ publicId, id, signal, state, because, slices, verdict, episode }: WatchedSeries): ListedDetector {
  return {
    id: publicId,
    service: id.service,
    environment: id.environment,
    signal: id.signal,
    key: id.key,
    title: signal.title,
    unit: signal.unit,
    family: signal.family,
    isIndicator: signal.isIndicator,
    state,
    because,
    slices,
    time: verdict.time,
    value: known(verdict.value),
    expected: known(verdict.expected),
    low: known(verdict.low),
    high: known(verdict.high),
    p: known(verdict.p),
    statistic: known(verdict.statistic),
    threshold: known(verdict.threshold),
    effect: known(verdict.effect),
    firing: episode !== undefined,
    since: episode?.start ?? null,
    onset: episode === undefined || episode.onset === 0 ? null : episode.onset,
    held: verdict.held,
  }
}

function wholeOf(series: WatchedSeries, facts: ServiceFacts): DetectorDetail {
  const { id, signal, verdict, episodes, firstSeen } = series
  return {
    ...summaryOf(series),
    firstSeen,
    model: verdict.model,
    slowLimit: id.signal === 'slow' ? (facts.slowLimit ?? null) : null,
    expression: shownExpression(signal, id, facts),
    episodes: episodes.map((each) => ({ ...each, end: each.end ?? null, onset: each.onset === 0 ? null : each.onset, peak: known(each.peak) })).toReversed(),
  }
}

const orderOf = ({ id }: WatchedSeries): string => `${id.service}\n${id.environment}\n${id.signal}\n${id.key}`

/** GET /api/detectors: every series that is watched, what is expected of it and how far it is trusted; GET /api/detectors/:id: one with its alarms. */
export function registerDetectorsApi(app: FastifyInstance, { series, find, progress, factsOf, clock }: DetectorsDeps): void {
  app.get<{ Querystring: Query }>('/api/detectors', { config: { role: 'viewer', live: true } }, ({ query }) => {
    const service = text(query, 'service')
    const state = oneOf(query, 'state', DETECTOR_STATES)
    const onlyFiring = oneOf(query, 'firing', ['true', 'false']) === 'true'
    const limit = whole(query, 'limit', { min: 1, max: 10_000, otherwise: 1000 })
    const chosen = [...series()].filter((each) => (service === undefined || each.id.service === service) && (state === undefined || each.state === state) && (!onlyFiring || each.episode !== undefined))
    const detectors = chosen.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1)).slice(0, limit).map(summaryOf)
    const { until, isReplaying } = progress()
    return { now: clock.now(), until, replaying: isReplaying, total: chosen.length, detectors }
  })
  app.get<{ Params: { id: string } }>('/api/detectors/:id', { config: { role: 'viewer', live: true } }, ({ params }) => {
    const found = find(params.id)
    if (found === undefined) throw new AndonError('not_found', `There is no detector "${params.id.slice(0, 100)}".`, { hint: 'GET /api/detectors lists them.' })
    return wholeOf(found, factsOf(found.id))
  })
}
