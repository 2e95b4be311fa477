// Objectives as Andon's own files say them.
import { type Agreement, CALENDAR_UNITS, type CalendarUnit, type Indicator, type MaintenanceWindow, type Objective, type ObjectiveWindow } from '@andon/model'
import { requestCounts } from './counts.ts'
import type { Reading } from '../runtime/reading.ts'
import { readExpression, readLabels, readPercent, readTime, readTimeZone } from './values.ts'

const ID = /^[\w.-]{1,100}$/
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
const DAY = 86_400_000
const WINDOW_MAX = 366 * DAY
export const WINDOWS_MAX = 8
const MAINTENANCE_MAX = 1000

function calendarWindow(unit: CalendarUnit, timeZone: string): ObjectiveWindow {
  return { kind: 'calendar', name: timeZone === 'UTC' ? unit : `${unit} (${timeZone})`, unit, timeZone }
}

function readWindow(source: Reading): ObjectiveWindow {
  const unit = CALENDAR_UNITS.find((each) => each === source.value)
  if (unit !== undefined) return calendarWindow(unit, 'UTC')
  if (typeof source.value === 'string') {
    const lengthMs = source.duration({ least: 1 })
    if (lengthMs < 3_600_000 || lengthMs > WINDOW_MAX) return source.refuse('must be from 1h to 366d')
    return { kind: 'rolling', name: source.value, lengthMs }
  }
  source.only('calendar', 'time_zone')
  return calendarWindow(source.at('calendar').word(CALENDAR_UNITS), readTimeZone(source.at('time_zone')))
}

function readWindows(source: Reading): ObjectiveWindow[] {
  const windows = source.list().map(readWindow)
  if (windows.length > WINDOWS_MAX) return source.refuse(`must not be more than ${WINDOWS_MAX}`)
  source.refuseTwice(windows.map(({ name }) => name))
  return windows.length === 0 ? [{ kind: 'rolling', name: '28d', lengthMs: 28 * DAY }] : windows
}

function minuteOf(source: Reading): number {
  const [, hour, minute] = /^([01]?\d|2[0-4]):([0-5]\d)$/.exec(source.name()) ?? []
  const at = Number(hour) * 60 + Number(minute)
  return hour !== undefined && at <= 1440 ? at : source.refuse('must be a time of the day such as 02:30')
}

function readOneMaintenance(source: Reading): MaintenanceWindow {
  source.only('start', 'end', 'days', 'from', 'to', 'time_zone', 'comment')
  const comment = source.at('comment').name('')
  if (!source.at('start').isAbsent) {
    const [start, end] = [readTime(source.at('start')), readTime(source.at('end'))]
    return start < end ? { kind: 'once', start, end, comment } : source.at('end').refuse('must be after start')
  }
  const days = source.at('days').list().map((each) => DAYS.indexOf(each.word(DAYS)))
  if (days.length === 0) return source.refuse('needs start and end, or days, from and to')
  const [startMinute, endMinute] = [minuteOf(source.at('from')), minuteOf(source.at('to'))]
  // What ends no later than it begins ends on the next day.
  const minutes = endMinute > startMinute ? endMinute - startMinute : endMinute + 1440 - startMinute
  return { kind: 'weekly', days, startMinute, minutes, timeZone: readTimeZone(source.at('time_zone')), comment }
}

export function readMaintenance(source: Reading): MaintenanceWindow[] {
  const windows = source.list().map(readOneMaintenance)
  return windows.length > MAINTENANCE_MAX ? source.refuse(`must not be more than ${MAINTENANCE_MAX}`) : windows
}

function readCounts(source: Reading): Indicator {
  source.only('good', 'bad', 'total', 'counter')
  const [good, bad] = [source.at('good'), source.at('bad')]
  if (good.isAbsent === bad.isAbsent) return source.refuse('needs either good or bad, and total')
  return {
    kind: 'counts',
    good: good.isAbsent ? undefined : readExpression(good),
    bad: bad.isAbsent ? undefined : readExpression(bad),
    total: readExpression(source.at('total')),
    counter: source.at('counter').flag(true),
  }
}

const FROM = ['spans', 'metrics'] as const

/** Names, whose last character may be `*`, as a regular expression. */
function pattern(names: readonly string[]): string {
  return names.map((name) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replace(/\\\*$/, '.*')).join('|')
}

/** Requests by the metric that a service sends of them, which no sampling touches. */
function fromMetrics(source: Reading, { service, environment, routes, exceptRoutes }: Extract<Indicator, { kind: 'spans' }>): Indicator {
  const matchers = [
    ...(routes.length === 0 ? [] : [`http_route=~${JSON.stringify(pattern(routes))}`]),
    ...(exceptRoutes.length === 0 ? [] : [`http_route!~${JSON.stringify(pattern(exceptRoutes))}`]),
  ]
  if (source.steps.at(-1) === 'latency') return source.at('from').refuse('must be spans for latency: a histogram does not say how many took longer than any limit')
  return requestCounts(service, environment, matchers)
}

function readIndicator(source: Reading, service: string, environment: string | undefined): Indicator {
  source.only('availability', 'latency', 'counts')
  const [kind, ...more] = source.keys()
  if (kind === undefined || more.length > 0) return source.refuse('must be one of availability, latency, counts')
  const given = source.at(kind)
  if (kind === 'counts') return readCounts(given)
  const isEmpty = given.isAbsent
  if (!isEmpty) given.only('from', 'routes', 'except_routes', ...(kind === 'latency' ? ['under'] : []))
  if (kind === 'latency' && isEmpty) return given.refuse('needs under')
  const spans = {
    kind: 'spans',
    service,
    environment,
    routes: isEmpty ? [] : given.at('routes').names(),
    exceptRoutes: isEmpty ? [] : given.at('except_routes').names(),
    underMs: kind === 'latency' ? given.at('under').duration({ least: 1 }) : undefined,
  } as const
  const from = isEmpty || given.at('from').isAbsent ? 'spans' : given.at('from').word(FROM)
  return from === 'metrics' ? fromMetrics(given, spans) : spans
}

const AGREEMENT_UNITS = ['month', 'quarter', 'year'] as const

function readAgreement(source: Reading, target: number): Agreement | undefined {
  if (source.isAbsent) return undefined
  source.only('customer', 'period', 'time_zone', 'consequence', 'target')
  const promised = source.at('target')
  return {
    customer: source.at('customer').name(),
    unit: source.at('period').isAbsent ? 'month' : source.at('period').word(AGREEMENT_UNITS),
    timeZone: readTimeZone(source.at('time_zone')),
    consequence: source.at('consequence').name(),
    target: promised.isAbsent ? target : readPercent(promised),
  }
}

function readAlerts(source: Reading): Objective['alerts'] {
  if (source.isAbsent) return { page: true, ticket: true, fast: true }
  source.only('page', 'ticket', 'fast')
  return { page: source.at('page').flag(true), ticket: source.at('ticket').flag(true), fast: source.at('fast').flag(true) }
}

/** An id that stands in addresses and labels. */
export function checkedId(source: Reading, id: string): string {
  return ID.test(id) ? id : source.refuse('must be at most 100 letters, digits, dots, hyphens and underscores')
}

/** One objective of a list. */
export function readObjective(source: Reading, shared: readonly MaintenanceWindow[]): Objective {
  source.only('id', 'name', 'description', 'service', 'environment', 'indicator', 'target', 'windows', 'maintenance', 'agreement', 'alerts', 'runbook', 'labels', 'annotations')
  const id = checkedId(source.at('id'), source.at('id').name())
  const service = source.at('service').name()
  const environment = source.at('environment').isAbsent ? undefined : source.at('environment').name()
  const target = readPercent(source.at('target'))
  const indicator = readIndicator(source.at('indicator'), service, environment)
  return {
    id,
    name: source.at('name').name(id),
    description: source.at('description').name(''),
    service,
    environment: environment ?? '',
    indicator,
    target,
    windows: readWindows(source.at('windows')),
    maintenance: [...shared, ...readMaintenance(source.at('maintenance'))],
    agreement: readAgreement(source.at('agreement'), target),
    labels: readLabels(source.at('labels')),
    annotations: readLabels(source.at('annotations')),
    runbook: source.at('runbook').name(indicator.kind === 'spans' && indicator.underMs !== undefined ? 'quadratic-path' : 'error-burst'),
    alerts: readAlerts(source.at('alerts')),
    file: source.origin.file ?? '',
  }
}
