/** A place to jump to. */
export interface JumpTarget {
  readonly kind: 'page' | 'service' | 'operation' | 'trace'
  readonly label: string
  readonly to: string
  readonly search?: Readonly<Record<string, string>>
}

interface Known {
  readonly name: string
  readonly operations: readonly string[]
}

const PAGES: readonly JumpTarget[] = [
  { kind: 'page', label: 'Overview', to: '/' },
  { kind: 'page', label: 'Incidents', to: '/incidents' },
  { kind: 'page', label: 'Alerts', to: '/alerts' },
  { kind: 'page', label: 'Silences', to: '/silences' },
  { kind: 'page', label: 'Rules of alerts', to: '/alerts/rules' },
  { kind: 'page', label: 'New rule', to: '/alerts/rules/new' },
  { kind: 'page', label: 'History of alerts', to: '/alerts/history' },
  { kind: 'page', label: 'Objectives', to: '/objectives' },
  { kind: 'page', label: 'Traces', to: '/traces' },
  { kind: 'page', label: 'Detectors', to: '/detectors' },
  { kind: 'page', label: 'Deploys', to: '/deploys' },
  { kind: 'page', label: 'Figures of incidents', to: '/incidents/figures' },
  { kind: 'page', label: 'Alert quality', to: '/incidents/quality' },
  { kind: 'page', label: 'On call and runbooks', to: '/incidents/on-call' },
  { kind: 'page', label: 'Status of Andon', to: '/status' },
]
const MOST = 20

/** The path of a service's page. */
export const serviceTo = (name: string): string => `/service/${encodeURIComponent(name)}`

/**
 * The places that match what was typed, best first: a trace id alone when 32 hex digits were typed (dashes are ignored, so ids
 * copied as UUIDs work), else services, pages and operations that contain the text, those that start with it first.
 */
export function jumpTargets(typed: string, services: readonly Known[]): JumpTarget[] {
  const text = typed.trim().toLowerCase()
  const id = text.replaceAll('-', '')
  if (/^[0-9a-f]{32}$/.test(id)) return [{ kind: 'trace', label: id, to: `/trace/${id}` }]
  const all: JumpTarget[] = [
    ...services.map((service): JumpTarget => ({ kind: 'service', label: service.name, to: serviceTo(service.name) })),
    ...PAGES,
  ]
  if (text !== '') all.push(...services.flatMap(operationsOf))
  const rank = (target: JumpTarget): number => {
    const at = target.label.toLowerCase().indexOf(text)
    return at <= 0 ? at : 1
  }
  return all
    .filter((target) => rank(target) >= 0)
    .toSorted((a, b) => rank(a) - rank(b))
    .slice(0, MOST)
}

const operationsOf = (service: Known): JumpTarget[] =>
  service.operations.map((operation) => ({ kind: 'operation', label: `${operation} · ${service.name}`, to: '/traces', search: { service: service.name, operation } }))
