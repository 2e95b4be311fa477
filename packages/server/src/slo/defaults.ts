// Objectives of services of which nothing was said: few, and what a user feels.
import type { Objective, ObjectiveWindow } from '@andon/model'
import { requestCounts } from './counts.ts'

const WINDOW: ObjectiveWindow = { kind: 'rolling', name: '28d', lengthMs: 28 * 86_400_000 }
/** Above it a user notices that there was a wait. */
const SLOW_MS = 500

/** What there is an objective for by default. */
export type DefaultKind = 'availability' | 'latency'
export const DEFAULT_KINDS = ['availability', 'latency'] as const

/** Services that get none, because they are whatever did not say its name. */
const NAMELESS: ReadonlySet<string> = new Set(['', 'unknown_service'])

export function hasDefaults(service: string): boolean {
  return !NAMELESS.has(service)
}

/** A default objective of a service in an environment; '' for one that does not say its environment. */
export function defaultObjective(kind: DefaultKind, service: string, environment: string): Objective {
  const where = environment === '' ? service : `${service} in ${environment}`
  return {
    id: `default.${kind}.${service}${environment === '' ? '' : `.${environment}`}`,
    name: kind === 'availability' ? `Requests to ${where} succeed` : `Requests to ${where} take less than ${SLOW_MS} ms`,
    description: '',
    service,
    environment,
    indicator: { kind: 'spans', service, environment, routes: [], exceptRoutes: [], underMs: kind === 'latency' ? SLOW_MS : undefined },
    target: kind === 'availability' ? 0.995 : 0.95,
    windows: [WINDOW],
    maintenance: [],
    agreement: undefined,
    labels: {},
    annotations: {},
    runbook: kind === 'availability' ? 'error-burst' : 'quadratic-path',
    alerts: { page: true, ticket: false, fast: true },
    file: '',
  }
}

/** The same of a service that sends no spans: that its requests succeed, by its metric of them. A histogram does not say exactly how many were slow. */
export function measuredObjective(service: string, environment: string): Objective {
  return { ...defaultObjective('availability', service, environment), indicator: requestCounts(service, environment) }
}

/** Whether an objective of a file says what a default one would. */
export function covers({ indicator }: Pick<Objective, 'indicator'>, kind: DefaultKind, service: string, environment: string): boolean {
  if (indicator.kind === 'counts') return kind === 'availability' && [environment, undefined].some((each) => indicator.total === requestCounts(service, each).total)
  if (indicator.kind !== 'spans' || indicator.service !== service) return false
  return (indicator.underMs === undefined) === (kind === 'availability') && (indicator.environment === undefined || indicator.environment === environment)
}
