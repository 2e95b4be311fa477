import type { Milliseconds } from '@andon/model'
import { type Action, useAction } from '../ui/use-action.ts'
import { type Incident, INCIDENT_ROUTES, type IncidentAnswer, incidentPath, type IncidentRow, type IncidentsAnswer, setIncidentState } from './incidents.ts'

const has = <K extends string>(value: unknown, key: K): value is Readonly<Record<K, unknown>> => typeof value === 'object' && value !== null && key in value

/** The answer of an incident's own route with it changed; undefined for other answers. */
export function withIncident(id: string, path: string, body: unknown, change: (incident: Incident) => Incident): unknown {
  if (path !== incidentPath(id) || !has(body, 'incident')) return undefined
  // The path says whose answer it is.
  const answer = body as unknown as IncidentAnswer
  return { ...answer, incident: change(answer.incident) }
}

/** A list of incidents in which one was acknowledged; undefined for other answers. */
export function withAcknowledged(id: string, path: string, body: unknown, at: Milliseconds): unknown {
  if (path.split('?')[0] !== '/api/incidents' || !has(body, 'incidents')) return undefined
  const answer = body as unknown as IncidentsAnswer
  return { ...answer, incidents: answer.incidents.map((one) => (one.id === id ? { ...one, state: 'acknowledged', acknowledged: { at, actor: YOU } } : one)) }
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
