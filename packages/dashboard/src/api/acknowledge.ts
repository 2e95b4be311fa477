import type { Incident, IncidentRow, Milliseconds } from '@andon/model'
import { type Action, useAction } from '../ui/use-action.ts'
import { INCIDENT_ROUTES, type IncidentAnswer, incidentPath, type IncidentsAnswer, setIncidentState } from './incidents.ts'

const has = <K extends string>(value: unknown, key: K): value is Readonly<Record<K, unknown>> => typeof value === 'object' && value !== null && key in value

// The paths say whose answers they are; these only keep what is something else altogether away.
const isOne = (body: unknown): body is IncidentAnswer => has(body, 'incident')
const isList = (body: unknown): body is IncidentsAnswer => has(body, 'incidents')

/** The answer of an incident's own route with it changed; undefined for other answers. */
export function withIncident(id: string, path: string, body: unknown, change: (incident: Incident) => Incident): unknown {
  return path === incidentPath(id) && isOne(body) ? { ...body, incident: change(body.incident) } : undefined
}

/** A list of incidents in which one was acknowledged; undefined for other answers. */
export function withAcknowledged(id: string, path: string, body: unknown, at: Milliseconds): unknown {
  if (path.split('?')[0] !== '/api/incidents' || !isList(body)) return undefined
  return { ...body, incidents: body.incidents.map((one) => (one.id === id ? { ...one, state: 'acknowledged', acknowledged: { at, actor: YOU } } : one)) }
}

/** Who acts is known to the server alone; until it has answered, this stands in the page. */
export const YOU = 'you'

/** Says that somebody has taken an incident. */
export function useAcknowledge(): Action<Pick<IncidentRow, 'id' | 'revision' | 'title'>> {
  return useAction({
    run: ({ id, revision }) => setIncidentState(id, 'acknowledged', revision),
    routes: INCIDENT_ROUTES,
    guess: ({ id }, path, body) => withAcknowledged(id, path, body, Date.now()),
    done: ({ title }) => ({ text: `Acknowledged: ${title}` }),
    failed: 'It was not acknowledged',
  })
}
