// Objectives as OpenSLO v1 says them.
// @see https://github.com/OpenSLO/OpenSLO
import type { CalendarUnit, Indicator, Objective, ObjectiveWindow } from '@andon/model'
import { checkedId } from './schema-native.ts'
import type { Source } from './source.ts'

const DAY = 86_400_000
const ROLLING: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: DAY, w: 7 * DAY, M: 30 * DAY, Q: 90 * DAY, Y: 365 * DAY }
const CALENDAR: Readonly<Record<string, CalendarUnit>> = { w: 'week', M: 'month', Q: 'quarter', Y: 'year' }
const KINDS = ['SLO', 'SLI', 'Service', 'DataSource', 'AlertPolicy', 'AlertCondition', 'AlertNotificationTarget'] as const

function readWindow(source: Source): ObjectiveWindow {
  const [, count, unit = ''] = /^(\d+)([mhdwMQY])$/.exec(source.at('duration').text()) ?? []
  if (count === undefined || Number(count) === 0) return source.at('duration').fail('must be a duration such as 28d, 4w or 1M')
  if (source.at('isRolling').flag(true)) {
    const lengthMs = Number(count) * (ROLLING[unit] ?? DAY)
    return { kind: 'rolling', name: source.at('duration').text(), lengthMs }
  }
  const found = CALENDAR[unit]
  if (found === undefined || count !== '1') return source.at('duration').fail('must be 1w, 1M, 1Q or 1Y for a window of the calendar')
  const calendar = source.at('calendar')
  const timeZone = calendar.isAbsent ? 'UTC' : calendar.at('timeZone').timeZone()
  return { kind: 'calendar', name: timeZone === 'UTC' ? found : `${found} (${timeZone})`, unit: found, timeZone }
}

function queryOf(source: Source): string {
  const spec = source.at('metricSource').at('spec')
  return spec.at(spec.at('query').isAbsent && !spec.at('promql').isAbsent ? 'promql' : 'query').expression()
}

const OPERATORS: Readonly<Record<string, string>> = { lt: '<', lte: '<=', gt: '>', gte: '>=' }

/** A measurement within a threshold is a good one. */
function threshold(metric: Source, objective: Source): Indicator {
  const query = queryOf(metric)
  const operator = OPERATORS[objective.at('op').oneOf(['lt', 'lte', 'gt', 'gte'])] ?? '<='
  return { kind: 'counts', good: `sum((${query}) ${operator} bool ${objective.at('value').number()})`, bad: undefined, total: `count(${query})`, counter: false }
}

function readIndicator(spec: Source, objective: Source): Indicator {
  const [ratio, metric] = [spec.at('ratioMetric'), spec.at('thresholdMetric')]
  if (!metric.isAbsent) return threshold(metric, objective)
  if (ratio.isAbsent) return spec.fail('needs ratioMetric or thresholdMetric')
  const [good, bad, raw] = [ratio.at('good'), ratio.at('bad'), ratio.at('raw')]
  if (!raw.isAbsent) {
    const isBad = ratio.at('rawType').isAbsent ? false : ratio.at('rawType').oneOf(['success', 'failure']) === 'failure'
    const query = queryOf(raw)
    return { kind: 'ratio', bad: isBad ? query : `1 - (${query})` }
  }
  if (good.isAbsent === bad.isAbsent) return ratio.fail('needs either good or bad, and total')
  const [part, total] = [queryOf(good.isAbsent ? bad : good), queryOf(ratio.at('total'))]
  // A rate is of a counter, whatever the file says.
  const counter = ratio.at('counter').flag(false) || /\b(?:rate|increase|irate)\s*\(/.test(total)
  return { kind: 'counts', ...(good.isAbsent ? { good: undefined, bad: part } : { good: part, bad: undefined }), total, counter }
}

function targetOf(source: Source): number {
  const target = source.at('target')
  if (target.isAbsent) return source.at('targetPercent').percent()
  const value = target.number()
  return value > 0 && value < 1 ? value : target.fail('must be greater than 0 and less than 1; targetPercent says percent')
}

function readSlo(source: Source, indicators: ReadonlyMap<string, Source>): Objective[] {
  const [name, spec] = [source.at('metadata').at('name').text(), source.at('spec')]
  const method = spec.at('budgetingMethod')
  if (!method.isAbsent && method.value !== 'Occurrences') method.fail('must be Occurrences: what is counted is every request, not every slice of time')
  const reference = spec.at('indicatorRef')
  const given = spec.at('indicator')
  const indicator = given.isAbsent ? indicators.get(reference.text()) : given.at('spec')
  if (indicator === undefined) return reference.fail(`names no SLI of this file: ${reference.text()}`)
  const windows = spec.at('timeWindow').list().map(readWindow)
  const objectives = spec.at('objectives').list()
  if (objectives.length === 0) spec.at('objectives').fail('must hold at least one')
  return objectives.map((objective, index) => {
    const title = objective.at('displayName').text('')
    return {
      id: checkedId(source.at('metadata').at('name'), objectives.length === 1 ? name : `${name}-${index + 1}`),
      name: [source.at('metadata').at('displayName').text(name), ...(objectives.length > 1 && title !== '' ? [title] : [])].join(': '),
      description: spec.at('description').text(''),
      service: spec.at('service').text(),
      environment: '',
      indicator: readIndicator(indicator, objective),
      target: targetOf(objective),
      windows: windows.length === 0 ? [{ kind: 'rolling', name: '28d', lengthMs: 28 * DAY } as const] : windows,
      maintenance: [],
      agreement: undefined,
      labels: {},
      annotations: {},
      runbook: '',
      alerts: { page: true, ticket: true, fast: true },
      file: source.file,
    }
  })
}

/** All objectives of the documents of a file. What notifies and where data lie is read and left to Andon. */
export function readOpenSlo(documents: readonly Source[]): Objective[] {
  const indicators = new Map<string, Source>()
  for (const each of documents) if (each.at('kind').oneOf(KINDS) === 'SLI') indicators.set(each.at('metadata').at('name').text(), each.at('spec'))
  return documents.filter((each) => each.at('kind').value === 'SLO').flatMap((each) => readSlo(each, indicators))
}
