// The configuration of an Alertmanager, from its own file or the section `alerting` of andon.yaml.
// @see https://prometheus.io/docs/alerting/latest/configuration/
import { readFileSync } from 'node:fs'
import { AndonError, type LabelMatcher, type Milliseconds, UNSERVED_INTEGRATIONS } from '@andon/model'
import { parseDocument, stringify } from 'yaml'
import { type Origin, Reading } from '../runtime/reading.ts'
import { type InhibitRule, readInhibitRule } from './inhibit-rule.ts'
import { matcherText } from './matcher.ts'
import { readTimeInterval, type TimeIntervals } from './mute-time.ts'
import { defaultRoute, readDuration, readRoute, type RouteConfig } from './route-config.ts'

/** A receiver: its name is known here, its channels are read where they are served. */
export interface ReceiverSection {
  readonly name: string
  /** As it stands in the file, with `name`. */
  readonly raw: Readonly<Record<string, unknown>>
  /** Where it stands, for errors. */
  readonly path: string
}

export interface AlertingConfig {
  readonly route: RouteConfig
  readonly inhibitRules: readonly InhibitRule[]
  readonly timeIntervals: TimeIntervals
  readonly receivers: readonly ReceiverSection[]
  /** As it stands: what channels have in common. */
  readonly global: Readonly<Record<string, unknown>>
  /** How long an alert of another Prometheus is believed that does not say it. */
  readonly resolveTimeoutMs: Milliseconds
  /** Whether an alert of a service is held back while a service that it depends on has one of no lesser severity. */
  readonly isTopologyUsed: boolean
  /** What stands in the file and has no effect here. */
  readonly warnings: readonly string[]
  /** As YAML that amtool reads, without any secret. */
  readonly original: string
}

const ALERTING: Origin = { hint: 'docs/reference/alertmanager.md shows what is understood; the rest is as in https://prometheus.io/docs/alerting/latest/configuration/.' }
const FILE_MAX = 1024 * 1024
const RECEIVERS_MAX = 1000
const RESOLVE_TIMEOUT: Milliseconds = 300_000
const KEYS = ['global', 'templates', 'route', 'inhibit_rules', 'receivers', 'time_intervals', 'mute_time_intervals', 'tracing', 'config_file', 'topology_inhibition'] as const

function receiversOf(reading: Reading, warnings: string[]): ReceiverSection[] {
  const found = reading.list().map((one): ReceiverSection => {
    const raw = one.record()
    const name = one.at('name').name()
    for (const key of Object.keys(raw)) if (UNSERVED_INTEGRATIONS.has(key)) warnings.push(`${one.join(key)} has no effect: Andon does not serve this integration`)
    return { name, path: one.path, raw: Object.fromEntries(Object.entries(raw).filter(([key]) => !UNSERVED_INTEGRATIONS.has(key))) }
  })
  if (found.length > RECEIVERS_MAX) reading.refuse(`must not hold more than ${RECEIVERS_MAX}`)
  reading.refuseTwice(found.map(({ name }) => name))
  return found
}

function intervalsOf(...readings: readonly Reading[]): TimeIntervals {
  const found = new Map<string, ReturnType<typeof readTimeInterval>[]>()
  for (const reading of readings) {
    for (const one of reading.list()) {
      const given = one.fields(['name', 'time_intervals'])
      const name = given.name.name()
      if (found.has(name)) one.refuse(`has the name "${name}", which stands twice`)
      found.set(name, given.time_intervals.list().map(readTimeInterval))
    }
  }
  return found
}

function checkNames(route: RouteConfig, receivers: ReadonlySet<string>, intervals: TimeIntervals): void {
  const at = new Reading(undefined, route.path, ALERTING)
  if (!receivers.has(route.receiver)) at.refuse(`names the receiver "${route.receiver}", which is not among the receivers`)
  for (const name of [...route.muteTimes, ...route.activeTimes]) if (!intervals.has(name)) at.refuse(`names the time interval "${name}", which is not among the time_intervals`)
  for (const child of route.routes) checkNames(child, receivers, intervals)
}

const texts = (matchers: readonly LabelMatcher[]): string[] => matchers.map(matcherText)

/** What amtool can load: names instead of channels. */
function originalOf(sections: Readonly<Record<string, unknown>>, route: RouteConfig, inhibitRules: readonly InhibitRule[], receivers: readonly ReceiverSection[]): string {
  const routeOf = (one: RouteConfig): object => ({
    receiver: one.receiver,
    ...(one.groupBy === 'all' ? { group_by: ['...'] } : one.groupBy.length > 0 && { group_by: one.groupBy }),
    ...(one.matchers.length > 0 && { matchers: texts(one.matchers) }),
    ...(one.isContinued && { continue: true }),
    ...(one.muteTimes.length > 0 && { mute_time_intervals: one.muteTimes }),
    ...(one.activeTimes.length > 0 && { active_time_intervals: one.activeTimes }),
    group_wait: `${one.groupWaitMs}ms`,
    group_interval: `${one.groupIntervalMs}ms`,
    repeat_interval: `${one.repeatIntervalMs}ms`,
    ...(one.routes.length > 0 && { routes: one.routes.map(routeOf) }),
  })
  const inhibit = inhibitRules.map(({ source, target, equal }) => ({ source_matchers: texts(source), target_matchers: texts(target), ...(equal.length > 0 && { equal }) }))
  const all = { ...sections, route: routeOf(route), ...(inhibit.length > 0 && { inhibit_rules: inhibit }), receivers: receivers.map(({ name }) => ({ name })) }
  // Go's YAML is 1.1, where 22:00 without quotes is a number.
  return stringify(all, { version: '1.1', aliasDuplicateObjects: false })
}

function configOf(reading: Reading): AlertingConfig {
  const given = reading.fields(KEYS)
  const warnings: string[] = []
  const receivers = given.receivers.isAbsent && given.route.isAbsent ? [{ name: 'default', raw: { name: 'default' }, path: reading.join('receivers[0]') }] : receiversOf(given.receivers, warnings)
  const intervals = intervalsOf(given.mute_time_intervals, given.time_intervals)
  const route = given.route.isAbsent ? defaultRoute(reading.join('route'), receivers[0]?.name ?? given.receivers.refuse('must name one receiver at least')) : readRoute(given.route)
  checkNames(route, new Set(receivers.map(({ name }) => name)), intervals)
  const inhibitRules = given.inhibit_rules.list().map(readInhibitRule)
  const global = given.global.isAbsent ? {} : given.global.record()
  if (!given.templates.isAbsent && given.templates.list().length > 0) warnings.push(`${given.templates.path} has no effect: Andon has texts of its own`)
  if (!given.tracing.isAbsent) warnings.push(`${given.tracing.path} has no effect`)
  const resolveTimeoutMs = given.global.orEmpty().at('resolve_timeout').or(RESOLVE_TIMEOUT, (one) => readDuration(one, 1000))
  const sections = {
    global: { resolve_timeout: `${resolveTimeoutMs}ms` },
    ...(!given.time_intervals.isAbsent && { time_intervals: given.time_intervals.value }),
    ...(!given.mute_time_intervals.isAbsent && { mute_time_intervals: given.mute_time_intervals.value }),
  }
  return {
    route,
    inhibitRules,
    timeIntervals: intervals,
    receivers,
    global,
    resolveTimeoutMs,
    isTopologyUsed: given.topology_inhibition.flag(true),
    warnings,
    original: originalOf(sections, route, inhibitRules, receivers),
  }
}

/**
 * Reads the text of an alertmanager.yml.
 *
 * @param name - by which errors call it
 * @throws AndonError bad_config naming the path of what is wrong
 */
export function readAlertmanagerFile(text: string, name: string): AlertingConfig {
  if (text.length > FILE_MAX) throw new AndonError('bad_config', `${name} is longer than ${FILE_MAX / 1024} KiB`)
  const document = parseDocument(text, { prettyErrors: true, strict: true })
  const [problem] = document.errors
  if (problem !== undefined) throw new AndonError('bad_config', `${name}: ${problem.message.split('\n')[0] ?? ''}`)
  const value: unknown = document.toJS()
  try {
    return configOf(new Reading(value ?? {}, '', ALERTING))
  } catch (error) {
    if (error instanceof AndonError) throw new AndonError(error.code, `${name}: ${error.message}`, { hint: error.hint })
    throw error
  }
}

/**
 * Reads the section `alerting` of andon.yaml: the keys of an alertmanager.yml, or `config_file` that names one.
 *
 * @param value - of YAML; undefined where there is no such section
 * @param readFile - of a path; replaced in tests
 * @throws AndonError bad_config naming the path of what is wrong
 */
export function readAlerting(value: unknown, readFile: (path: string) => string = (path) => readFileSync(path, 'utf8')): AlertingConfig {
  const reading = new Reading(value ?? {}, 'alerting', ALERTING)
  const given = reading.record()
  const file = reading.at('config_file')
  if (file.isAbsent) return configOf(reading)
  const beside = Object.keys(given).find((key) => key !== 'config_file' && key !== 'topology_inhibition')
  if (beside !== undefined) reading.at(beside).refuse('stands beside alerting.config_file; write one of them')
  const path = file.name()
  let text: string
  try {
    text = readFile(path)
  } catch (error) {
    return file.refuse(`names ${path}, which cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  return { ...readAlertmanagerFile(text, path), isTopologyUsed: reading.at('topology_inhibition').flag(true) }
}
