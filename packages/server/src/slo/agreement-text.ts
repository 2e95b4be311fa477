// Reports of agreements for people and for tables.
import type { AgreementReport, Milliseconds, Ratio } from '@andon/model'
import { attainmentOf } from './budget.ts'

/** A share in percent with as many digits as its distance from 100 % needs. */
function percent(share: Ratio | null): string {
  return share === null ? 'unknown' : `${Number((share * 100).toFixed(5))} %`
}

const count = (value: number): string => String(Number(value.toFixed(2)))
const time = (at: Milliseconds): string => new Date(at).toISOString().replace('.000Z', 'Z')
/** Text within a cell of a table of Markdown. */
const cell = (text: string): string => text.replaceAll('|', String.raw`\|`).replaceAll(/\s+/g, ' ')

function table(heads: readonly string[], rows: readonly (readonly string[])[], none: string): string {
  if (rows.length === 0) return none
  return [`| ${heads.join(' | ')} |`, `|${heads.map(() => '---').join('|')}|`, ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`)].join('\n')
}

function verdict({ kept, isFinal, margin, spent }: AgreementReport): string {
  if (kept === null || margin === null) return '**Nothing was counted**, so nobody can say whether it was kept.'
  const by = `${percent(Math.abs(margin))} ${margin < 0 ? 'below' : 'above'} what was promised; ${spent === null ? '' : `${Number((spent * 100).toFixed(1))} % of what may be bad was used`}`
  return isFinal ? `**${kept ? 'Kept' : 'Broken'}**: ${by}.` : `**${kept ? 'Kept so far' : 'Broken so far'}** (the period is under way): ${by}.`
}

function indicatorText({ evidence: { indicator } }: AgreementReport): string {
  if (indicator.kind === 'ratio') return `the mean of \`${indicator.bad}\` over slices of 15 s`
  if (indicator.kind === 'counts') return `\`${indicator.good ?? indicator.bad ?? ''}\` (${indicator.good === undefined ? 'bad' : 'good'}) of \`${indicator.total}\``
  const routes = indicator.routes.length === 0 ? 'all routes' : indicator.routes.join(', ')
  return indicator.underMs === undefined ? `requests that did not fail (${routes})` : `of the requests that did not fail, those that took no longer than ${indicator.underMs} ms (${routes})`
}

/** The report as a page of Markdown. */
export function agreementMarkdown(report: AgreementReport): string {
  const { evidence } = report
  return `# ${report.name}: ${report.period}

${verdict(report)}

${table(
  ['', ''],
  [
    ['Customer', report.customer],
    ['Service', report.environment === '' ? report.service : `${report.service} (${report.environment})`],
    ['Period', `${time(report.from)} to ${time(report.to)} (${report.timeZone})`],
    ['Counted to', time(report.countedTo)],
    ['Promised', percent(report.target)],
    ['Attained', percent(report.attainment)],
    ['Counted', `${count(report.total)}, of which ${count(report.bad)} bad; ${count(report.allowed)} may be`],
    ['If it is broken', report.consequence],
  ],
  '',
)}

## Days
${table(['day', 'attained', 'bad', 'counted'], report.days.map(({ day, attainment, bad, total }) => [day, percent(attainment), count(bad), count(total)]), 'None has passed.')}

## Incidents
${table(['incident', 'from', 'to', 'bad', 'share of what was bad'], report.incidents.map(({ key, title, start, end, bad, share }) => [`${title} (${key})`, time(start), end === null ? 'lasts' : time(end), count(bad), percent(share)]), 'None had a part in what was bad.')}

Outside of incidents: ${count(report.outsideIncidents)} bad.

## Maintenance, left out
${table(['from', 'to', 'why', 'bad', 'counted'], report.maintenance.map(({ start, end, comment, bad, total }) => [time(start), time(end), comment, count(bad), count(total)]), 'None.')}

## Evidence
What is good: ${indicatorText(report)}. Of ${evidence.minutes} minutes ${evidence.minutesWithData} have counts, and in ${evidence.minutesWithBad} something was bad. The worst:

${table(['minute', 'bad', 'counted'], evidence.worst.map(({ time: at, bad, total }) => [time(at), count(bad), count(total)]), 'None.')}

Made ${time(report.madeAt)} by Andon from counts per minute; every share is a sum of what was bad over a sum of what was counted.
`
}

/** A field as RFC 4180 has it; what a spreadsheet would take for a formula is text. */
function field(value: string | number | boolean | null): string {
  if (value === null) return ''
  if (typeof value !== 'string') return String(value)
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** The report as rows: the whole period first, then days, incidents, maintenance and the worst minutes. */
export function agreementCsv(report: AgreementReport): string {
  const { id, customer, service, period, target, kept } = report
  const head = ['agreement', 'customer', 'service', 'period', 'part', 'name', 'from', 'to', 'total', 'bad', 'attainment', 'target', 'kept']
  const row = (part: string, name: string, range: readonly [string, string], counted: { readonly total: number | null; readonly bad: number; readonly attainment: Ratio | null }, isKept: boolean | null = null): string =>
    [id, customer, service, period, part, name, ...range, counted.total, counted.bad, counted.attainment, part === 'period' ? target : null, isKept].map(field).join(',')
  const lines = [
    head.join(','),
    row('period', report.name, [time(report.from), time(report.to)], report, kept),
    ...report.days.map((each) => row('day', each.day, ['', ''], each)),
    ...report.incidents.map((each) => row('incident', `${each.title} (${each.key})`, [time(each.start), each.end === null ? '' : time(each.end)], { total: each.total, bad: each.bad, attainment: null })),
    ...report.maintenance.map((each) => row('maintenance', each.comment, [time(each.start), time(each.end)], { ...each, attainment: attainmentOf(each) })),
    ...report.evidence.worst.map((each) => row('minute', '', [time(each.time), time(each.time + 60_000)], { ...each, attainment: attainmentOf(each) })),
  ]
  return `${lines.join('\r\n')}\r\n`
}
