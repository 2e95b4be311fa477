// What a tree of routes looks like, each with what it takes from the one above it.
import type { LabelMatcher, Milliseconds } from '@andon/model'
import type { Reading } from '../runtime/reading.ts'
import { readMatchers } from './inhibit-rule.ts'
import { sortedMatchers } from './matcher.ts'

export interface RouteConfig {
  readonly receiver: string
  /** Names of labels; `all` for `...`. */
  readonly groupBy: readonly string[] | 'all'
  /** How long the first message of a group waits for further alerts. */
  readonly groupWaitMs: Milliseconds
  /** The same for an alert that is to wake a person, also in a group that was told of before; undefined where it waits as others do. */
  readonly pageWaitMs: Milliseconds | undefined
  readonly groupIntervalMs: Milliseconds
  readonly repeatIntervalMs: Milliseconds
  /** In Alertmanager's order. */
  readonly matchers: readonly LabelMatcher[]
  readonly isContinued: boolean
  readonly muteTimes: readonly string[]
  readonly activeTimes: readonly string[]
  readonly routes: readonly RouteConfig[]
  /** Where it stands, for errors. */
  readonly path: string
}

const KEYS = [
  'receiver',
  'group_by',
  'group_wait',
  'page_wait',
  'group_interval',
  'repeat_interval',
  'match',
  'match_re',
  'matchers',
  'continue',
  'mute_time_intervals',
  'active_time_intervals',
  'routes',
] as const
const DURATION = /^(?:0|(?:\d+(?:ms|[smhdwy]))+)$/
const ROUTES_MAX = 10_000
const DEPTH_MAX = 20

const ROOT: Omit<RouteConfig, 'receiver' | 'path'> = {
  groupBy: [],
  groupWaitMs: 30_000,
  pageWaitMs: undefined,
  groupIntervalMs: 300_000,
  repeatIntervalMs: 4 * 3_600_000,
  matchers: [],
  isContinued: false,
  muteTimes: [],
  activeTimes: [],
  routes: [],
}

/**
 * The route where none is configured: grouped by service and environment, as an incident is (Prometheus calls a service `job`); pages do
 * not wait.
 */
export function defaultRoute(path: string, receiver: string): RouteConfig {
  return { ...ROOT, path, receiver, groupBy: ['service_name', 'deployment_environment_name', 'job'], pageWaitMs: 0 }
}

/** As Alertmanager takes it: a number without a unit is no seconds, unless it is 0. @throws AndonError bad_config */
export function readDuration(reading: Reading, least: Milliseconds): Milliseconds {
  return typeof reading.value === 'string' && !DURATION.test(reading.value) ? reading.refuse('must be a duration such as 30s or 1h30m') : reading.duration({ least })
}

function groupByOf(reading: Reading): readonly string[] | 'all' | undefined {
  if (reading.isAbsent) return undefined
  const names = reading.names()
  if (names.includes('...')) return names.length === 1 ? 'all' : reading.refuse('must hold either "..." or names of labels')
  reading.refuseTwice(names)
  return names
}

class RouteReader {
  #count = 0

  read(reading: Reading, above: RouteConfig | undefined, depth: number): RouteConfig {
    this.#count += 1
    if (this.#count > ROUTES_MAX || depth > DEPTH_MAX) reading.refuse(`is one of more than ${ROUTES_MAX} routes, or more than ${DEPTH_MAX} deep`)
    const given = reading.fields(KEYS)
    const matchers = sortedMatchers(readMatchers(given.match, given.match_re, given.matchers))
    const [muteTimes, activeTimes] = [given.mute_time_intervals.names(), given.active_time_intervals.names()]
    if (above === undefined) {
      if (matchers.length > 0) reading.refuse('is the root and must not have matchers')
      if (muteTimes.length + activeTimes.length > 0) reading.refuse('is the root and must not have time intervals')
    }
    const inherited = above ?? ROOT
    const receiver = given.receiver.isAbsent ? above?.receiver : given.receiver.name()
    const own: RouteConfig = {
      receiver: receiver ?? reading.refuse('is the root and must name a receiver'),
      path: reading.path,
      groupBy: groupByOf(given.group_by) ?? inherited.groupBy,
      groupWaitMs: given.group_wait.or(inherited.groupWaitMs, (one) => readDuration(one, 0)),
      pageWaitMs: given.page_wait.or(inherited.pageWaitMs, (one) => readDuration(one, 0)),
      groupIntervalMs: given.group_interval.or(inherited.groupIntervalMs, (one) => readDuration(one, 1000)),
      repeatIntervalMs: given.repeat_interval.or(inherited.repeatIntervalMs, (one) => readDuration(one, 1000)),
      matchers,
      isContinued: given.continue.flag(false),
      muteTimes,
      activeTimes,
      routes: [],
    }
    return { ...own, routes: given.routes.list().map((child) => this.read(child, own, depth + 1)) }
  }
}

/** The tree under `route`. @throws AndonError bad_config */
export function readRoute(reading: Reading): RouteConfig {
  return new RouteReader().read(reading, undefined, 0)
}
