import { ask, refusalOf, type ServerFlags } from './ask.ts'
import { CommandError, EXIT } from './exit.ts'
import { table } from './table.ts'

export interface AlertsFlags extends ServerFlags {
  readonly service?: string
  /** Matchers such as severity="critical"; all must hold. */
  readonly filter?: readonly string[]
  readonly json?: boolean
}

/** One alert of GET /api/alerts. */
interface Alert {
  readonly fingerprint: string
  readonly status: string
  readonly state: string
  readonly flapping: boolean
  readonly service: string
  readonly severity: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: number
  readonly silencedBy: readonly string[]
  readonly inhibitedBy: readonly string[]
  readonly mutedBy: readonly string[]
  readonly receivers: readonly string[]
}

interface Answer {
  readonly now?: number
  readonly alerts?: readonly Alert[]
  readonly error?: unknown
}

const MINUTE = 60_000

/** `42s`, `7m`, `3h 5m`, `2d 4h`. */
export function ageText(ms: number): string {
  const minutes = Math.floor(Math.max(0, ms) / MINUTE)
  if (minutes < 1) return `${Math.floor(Math.max(0, ms) / 1000)}s`
  if (minutes < 60) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  return hours < 24 ? `${hours}h ${minutes % 60}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`
}

function stateText({ state, flapping, silencedBy, inhibitedBy, mutedBy }: Alert): string {
  if (state === 'active') return flapping ? 'flapping' : 'firing'
  return silencedBy.length > 0 ? 'silenced' : inhibitedBy.length > 0 ? 'inhibited' : `muted by ${mutedBy.join(', ')}`
}

/** Alerts as a table for people. */
export function renderAlerts(firing: readonly Alert[], now: number): string {
  if (firing.length === 0) return 'No alert fires.'
  const rows = firing.map((alert) => [
    alert.severity,
    alert.labels['alertname'] ?? '',
    alert.service,
    stateText(alert),
    ageText(now - alert.startsAt),
    alert.receivers.join(', '),
    alert.annotations['summary'] ?? alert.annotations['description'] ?? '',
  ])
  return table(['severity', 'alert', 'service', 'state', 'for', 'told to', 'what'], rows)
}

/**
 * What fires on a server.
 *
 * @returns the text for standard output
 * @throws CommandError unreachable, problem when the server refuses
 */
export async function alerts(flags: AlertsFlags): Promise<string> {
  const { url, service, filter = [], json } = flags
  const query = new URLSearchParams(filter.map((one): [string, string] => ['filter', one]))
  if (service !== undefined) query.set('service', service)
  const answer = await ask<Answer>(`${url}/api/alerts?${query.toString()}`, flags)
  if (answer.alerts === undefined) throw new CommandError(EXIT.problem, refusalOf(answer.error, 'The server gave no alerts.'))
  return json === true ? JSON.stringify(answer, undefined, 2) : renderAlerts(answer.alerts, answer.now ?? 0)
}
