// What is said of a message, the same in all channels.
import { environmentOfLabels, type Labels, type Milliseconds, type NotifiedAlert, serviceOfLabels } from '@andon/model'
import type { OutMessage } from './channel.ts'
import { serviceOf, severityOf } from './message.ts'

/** @example timeText(0) // '1970-01-01 00:00:00 UTC' */
export function timeText(time: Milliseconds): string {
  return Number.isFinite(time) && Math.abs(time) <= 8.64e15 ? `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC` : 'an unknown time'
}

/** @example lengthText(312_000) // '5m 12s' */
export function lengthText(ms: Milliseconds): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const
  const from = parts.findIndex(([count]) => count > 0)
  return from === -1 ? '0s' : parts.slice(from, from + 2).filter(([count]) => count > 0).map(([count, unit]) => `${count}${unit}`).join(' ')
}

export function valueText(value: number): string {
  return Math.abs(value) >= 1e6 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toExponential(3) : String(Number(value.toPrecision(5)))
}

/** At most `max` UTF-16 units, with an ellipsis where something is missing; no half of a character is left. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text
  if (max <= 1) return '…'.slice(0, max)
  return `${text.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}

/** Labels that all alerts have, with the same values. */
export function commonOf(maps: readonly Labels[]): Labels {
  const [first = {}, ...others] = maps
  return Object.fromEntries(Object.entries(first).filter(([name, value]) => others.every((other) => other[name] === value)))
}

/** What an alert says of itself. */
export function summaryOf({ labels, annotations }: Pick<NotifiedAlert, 'labels' | 'annotations'>): string {
  for (const said of [annotations['summary'], annotations['message'], annotations['description']]) {
    const line = said?.trim().split(/[\r\n]/, 1)[0]?.trim()
    if (line !== undefined && line !== '') return line
  }
  const { alertname = 'alert', ...others } = labels
  const of = Object.entries(others).filter(([name]) => name !== 'severity')
  return of.length === 0 ? alertname : `${alertname} ${of.slice(0, 6).map(([name, value]) => `${name}=${value}`).join(' ')}`
}

/** Whether all that has ended was never told to have begun. */
export function isUnannounced({ notification, unannounced }: Pick<OutMessage, 'notification' | 'unannounced'>): boolean {
  return notification.status === 'resolved' && notification.alerts.length > 0 && notification.alerts.every(({ fingerprint }) => unannounced.has(fingerprint))
}

/** What it is, in capitals. */
export function statusWord(message: OutMessage): string {
  const { reason, status, alerts } = message.notification
  if (reason === 'test') return 'TEST'
  if (status === 'resolved') return isUnannounced(message) ? 'FIRED AND RESOLVED' : 'RESOLVED'
  const firing = alerts.filter((alert) => alert.status === 'firing').length
  const word = reason === 'flapping' ? 'FLAPPING' : reason === 'escalation' ? 'ESCALATED' : 'FIRING'
  return firing > 1 ? `${word} ${firing}` : word
}

/** One line that says what it is about. @example '[FIRING] p95 of board.load is 812 ms (budget 500)' */
export function titleOf(message: OutMessage): string {
  const { alerts, truncated } = message.notification
  const [first] = alerts
  const more = alerts.length + truncated - 1
  const of = first === undefined ? 'nothing' : summaryOf(first)
  return `[${statusWord(message)}] ${of}${more > 0 ? ` (and ${more} more)` : ''}`
}

/** What happened with an alert, without markup. */
export function alertLine(alert: NotifiedAlert, isUntold: boolean): string {
  const of = summaryOf(alert)
  const { alertname } = alert.labels
  const named = alertname === undefined || of.includes(alertname) ? of : `${alertname}: ${of}`
  const at = alert.value === undefined || !Number.isFinite(alert.value) ? '' : `, value ${valueText(alert.value)}`
  if (alert.status === 'firing') return `FIRING ${named}, since ${timeText(alert.startsAt)}${at}`
  const end = alert.endsAt ?? alert.startsAt
  return `${isUntold ? 'FIRED AND RESOLVED' : 'RESOLVED'} ${named}: fired ${timeText(alert.startsAt)}, resolved ${timeText(end)} (${lengthText(end - alert.startsAt)})`
}

/** The lines of all alerts, at most `max`, and what is left out as a last one. */
export function alertLines({ notification, unannounced, earlier, earlierLeftOut }: OutMessage, max: number): string[] {
  const now = notification.alerts.map((alert) => alertLine(alert, unannounced.has(alert.fingerprint)))
  const before = earlier.map((alert) => `Meanwhile: ${alertLine(alert, true)}`)
  const all = [...now, ...before]
  const left = Math.max(0, all.length - max) + notification.truncated + earlierLeftOut
  return [...all.slice(0, max), ...(left > 0 ? [`… and ${left} more`] : [])]
}

/** What is known besides, in the order in which a person asks; without what is not known. */
export function factsOf({ notification }: OutMessage): (readonly [name: string, value: string])[] {
  const { alerts, incident } = notification
  const first = alerts.find(({ status }) => status === 'firing') ?? alerts[0]
  const annotations = commonOf(alerts.map((alert) => alert.annotations))
  const threshold = annotations['threshold'] ?? ''
  const value = alerts.length === 1 && first?.value !== undefined && Number.isFinite(first.value) ? valueText(first.value) : ''
  const since = alerts.length === 0 ? '' : timeText(Math.min(...alerts.map(({ startsAt }) => startsAt)))
  const facts: readonly (readonly [string, string])[] = [
    ['Service', serviceOf(notification)],
    ['Severity', severityOf(notification)],
    ['Since', since],
    ['Value', value !== '' && threshold !== '' ? `${value} (threshold ${threshold})` : value],
    ['Suspected change', annotations['suspected_change'] ?? ''],
    ['Error budget', annotations['burn'] ?? ''],
    ['Environment', environmentOfLabels(commonOf(alerts.map(({ labels }) => labels)))],
    ['Incident', incident ?? ''],
  ]
  return facts.filter(([, text]) => text !== '')
}

export interface MessageLinks {
  /** Where the incident or the alerts are shown; undefined where nobody said how this server is reached. */
  readonly open: string | undefined
  readonly acknowledge: string | undefined
  readonly silence: string | undefined
  readonly runbook: string | undefined
  /** Where its source shows it. */
  readonly source: string | undefined
}

const address = (text: string | undefined): string | undefined => (text !== undefined && /^https?:\/\//i.test(text) && URL.canParse(text) && text.length <= 3000 ? text : undefined)

/** What a silence of a message's alerts asks for; [] where they have nothing in common that tells them from all others. */
function silencedBy({ alerts, groupLabels }: OutMessage['notification']): (readonly [name: string, value: string])[] {
  const group = Object.entries(groupLabels)
  // A message of an incident is grouped by what no alert is labelled with.
  if (group.length > 0 && group.every(([name, value]) => alerts.every(({ labels }) => (labels[name] ?? '') === value))) return group
  const common = Object.entries(commonOf(alerts.map(({ labels }) => labels))).filter(([name]) => name !== 'severity' && name !== 'incident')
  return common.some(([name]) => name === 'alertname') || serviceOfLabels(Object.fromEntries(common)) !== '' ? common : []
}

/** Where a runbook that an alert names is read: at its address, or beside the incident or the alert where it is one of this server. */
function runbookOf({ alerts, incident }: OutMessage['notification'], externalUrl: string): string | undefined {
  const named = alerts.toSorted((a, b) => Number(b.status === 'firing') - Number(a.status === 'firing')).find(({ annotations }) => (annotations['runbook_url'] ?? annotations['runbook'] ?? '') !== '')
  if (named === undefined) return undefined
  const { runbook_url: url = '', runbook = '' } = named.annotations
  const elsewhere = address(url) ?? address(runbook)
  if (elsewhere !== undefined || externalUrl === '' || runbook === '') return elsewhere
  if (incident !== undefined) return address(`${externalUrl}/incidents/${encodeURIComponent(incident)}?runbook=${encodeURIComponent(runbook)}#runbook`)
  return named.fingerprint === '' ? undefined : address(`${externalUrl}/alerts?open=${encodeURIComponent(named.fingerprint)}`)
}

/** @param externalUrl - how people reach this server, without a slash at its end; '' where nobody said */
export function linksOf({ notification }: OutMessage, externalUrl: string): MessageLinks {
  const { incident, alerts } = notification
  const own = (path: string): string | undefined => (externalUrl === '' ? undefined : address(`${externalUrl}${path}`))
  const silenced = silencedBy(notification)
  const matchers = silenced.slice(0, 10).map(([name, value]) => `matcher=${encodeURIComponent(`${name}="${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`)}`).join('&')
  return {
    open: incident === undefined ? own('/alerts') : own(`/incidents/${encodeURIComponent(incident)}`),
    acknowledge: incident === undefined ? undefined : own(`/incidents/${encodeURIComponent(incident)}?do=acknowledge`),
    silence: silenced.length === 0 ? undefined : own(`/silences?new=1&duration=1h&${matchers}`),
    runbook: runbookOf(notification, externalUrl),
    source: address(alerts[0]?.generatorUrl),
  }
}

/** Why it is told here; '' where it is told where it belongs. */
export function insteadText({ insteadOf }: Pick<OutMessage, 'insteadOf'>): string {
  return insteadOf === '' ? '' : `Told here because ${insteadOf} did not take it in time.`
}
