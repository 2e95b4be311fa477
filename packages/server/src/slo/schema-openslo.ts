// Objectives as OpenSLO v1 says them.
// @see https://github.com/OpenSLO/OpenSLO
import type { CalendarUnit, Indicator, Milliseconds, Objective, ObjectiveWindow } from '@andon/model'
import type { Reading } from '../runtime/reading.ts'
import { SLICE_MS } from './detection.ts'
import { checkedId } from './schema-native.ts'
import { ofTimeSlices, TIME_SLICE_MAX } from './time-slices.ts'
import { readExpression, readNumber, readPercent, readTimeZone } from './values.ts'

const DAY = 86_400_000
const ROLLING: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: DAY, w: 7 * DAY, M: 30 * DAY, Q: 90 * DAY, Y: 365 * DAY }
const CALENDAR: Readonly<Record<string, CalendarUnit>> = { w: 'week', M: 'month', Q: 'quarter', Y: 'year' }
const METHODS = ['Occurrences', 'Timeslices', 'RatioTimeslices'] as const
type Method = (typeof METHODS)[number]
const KINDS = ['SLO', 'SLI', 'Service', 'DataSource', 'AlertPolicy', 'AlertCondition', 'AlertNotificationTarget'] as const

function readWindow(source: Reading): ObjectiveWindow {
  const [, count, unit = ''] = /^(\d+)([mhdwMQY])$/.exec(source.at('duration').name()) ?? []
  if (count === undefined || Number(count) === 0) return source.at('duration').refuse('must be a duration such as 28d, 4w or 1M')
  if (source.at('isRolling').flag(true)) {
    const lengthMs = Number(count) * (ROLLING[unit] ?? DAY)
    return { kind: 'rolling', name: source.at('duration').name(), lengthMs }
  }
  const found = CALENDAR[unit]
  if (found === undefined || count !== '1') return source.at('duration').refuse('must be 1w, 1M, 1Q or 1Y for a window of the calendar')
  const calendar = source.at('calendar')
  const timeZone = calendar.isAbsent ? 'UTC' : readTimeZone(calendar.at('timeZone'))
  return { kind: 'calendar', name: timeZone === 'UTC' ? found : `${found} (${timeZone})`, unit: found, timeZone }
}

function queryOf(source: Reading): string {
  const spec = source.at('metricSource').at('spec')
  return readExpression(spec.at(spec.at('query').isAbsent && !spec.at('promql').isAbsent ? 'promql' : 'query'))
}

const OPERATORS: Readonly<Record<string, string>> = { lt: '<', lte: '<=', gt: '>', gte: '>=' }

/** A measurement within a threshold is a good one. */
function threshold(metric: Reading, objective: Reading): Exclude<Indicator, { kind: 'spans' }> {
  const query = queryOf(metric)
  const operator = OPERATORS[objective.at('op').word(['lt', 'lte', 'gt', 'gte'])] ?? '<='
  return { kind: 'counts', good: `sum((${query}) ${operator} bool ${readNumber(objective.at('value'))})`, bad: undefined, total: `count(${query})`, counter: false }
}

function readOccurrences(spec: Reading, objective: Reading): Exclude<Indicator, { kind: 'spans' }> {
  const [ratio, metric] = [spec.at('ratioMetric'), spec.at('thresholdMetric')]
  if (!metric.isAbsent) return threshold(metric, objective)
  if (ratio.isAbsent) return spec.refuse('needs ratioMetric or thresholdMetric')
  const [good, bad, raw] = [ratio.at('good'), ratio.at('bad'), ratio.at('raw')]
  if (!raw.isAbsent) {
    const isBad = ratio.at('rawType').isAbsent ? false : ratio.at('rawType').word(['success', 'failure']) === 'failure'
    const query = queryOf(raw)
    return { kind: 'ratio', bad: isBad ? query : `1 - (${query})` }
  }
  if (good.isAbsent === bad.isAbsent) return ratio.refuse('needs either good or bad, and total')
  const [part, total] = [queryOf(good.isAbsent ? bad : good), queryOf(ratio.at('total'))]
  // A rate is of a counter, whatever the file says.
  const counter = ratio.at('counter').flag(false) || /\b(?:rate|increase|irate)\s*\(/.test(total)
  return { kind: 'counts', ...(good.isAbsent ? { good: undefined, bad: part } : { good: part, bad: undefined }), total, counter }
}

/** @throws AndonError bad_config */
function sliceLength(source: Reading): Milliseconds {
  const bounds = { least: SLICE_MS, most: TIME_SLICE_MAX }
  // A number is of minutes.
  const length = typeof source.value === 'number' ? Math.round(source.value * 60_000) : source.duration(bounds)
  return length >= SLICE_MS && length <= TIME_SLICE_MAX && length % SLICE_MS === 0 ? length : source.refuse('must be a multiple of 15s, at most 5m')
}

function sliceTarget(source: Reading): number {
  const target = readNumber(source)
  return target > 0 && target <= 1 ? target : source.refuse('must be greater than 0 and at most 1')
}

function readIndicator(spec: Reading, objective: Reading, method: Method): Indicator {
  const occurrences = readOccurrences(spec, objective)
  if (method === 'Occurrences') return occurrences
  const lengthMs = sliceLength(objective.at('timeSliceWindow'))
  return ofTimeSlices(occurrences, { lengthMs, target: method === 'Timeslices' ? sliceTarget(objective.at('timeSliceTarget')) : undefined })
}

function targetOf(source: Reading): number {
  const target = source.at('target')
  if (target.isAbsent) return readPercent(source.at('targetPercent'))
  const value = readNumber(target)
  return value > 0 && value < 1 ? value : target.refuse('must be greater than 0 and less than 1; targetPercent says percent')
}

function readSlo(source: Reading, indicators: ReadonlyMap<string, Reading>): Objective[] {
  const [name, spec] = [source.at('metadata').at('name').name(), source.at('spec')]
  const method = spec.at('budgetingMethod').isAbsent ? 'Occurrences' : spec.at('budgetingMethod').word(METHODS)
  const reference = spec.at('indicatorRef')
  const given = spec.at('indicator')
  const indicator = given.isAbsent ? indicators.get(reference.name()) : given.at('spec')
  if (indicator === undefined) return reference.refuse(`names no SLI of this file: ${reference.name()}`)
  const windows = spec.at('timeWindow').list().map(readWindow)
  const objectives = spec.at('objectives').list()
  if (objectives.length === 0) spec.at('objectives').refuse('must hold at least one')
  return objectives.map((objective, index) => {
    const title = objective.at('displayName').name('')
    return {
      id: checkedId(source.at('metadata').at('name'), objectives.length === 1 ? name : `${name}-${index + 1}`),
      name: [source.at('metadata').at('displayName').name(name), ...(objectives.length > 1 && title !== '' ? [title] : [])].join(': '),
      description: spec.at('description').name(''),
      service: spec.at('service').name(),
      environment: '',
      indicator: readIndicator(indicator, objective, method),
      target: targetOf(objective),
      windows: windows.length === 0 ? [{ kind: 'rolling', name: '28d', lengthMs: 28 * DAY } as const] : windows,
      maintenance: [],
      agreement: undefined,
      labels: {},
      annotations: {},
      runbook: '',
      alerts: { page: true, ticket: true, fast: true },
      file: source.origin.file ?? '',
    }
  })
}

/** All objectives of the documents of a file. What notifies and where data lie is read and left to Andon. */
export function readOpenSlo(documents: readonly Reading[]): Objective[] {
  const indicators = new Map<string, Reading>()
  for (const each of documents) if (each.at('kind').word(KINDS) === 'SLI') indicators.set(each.at('metadata').at('name').name(), each.at('spec'))
  return documents.filter((each) => each.at('kind').value === 'SLO').flatMap((each) => readSlo(each, indicators))
}
