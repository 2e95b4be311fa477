import type { AlertVerdict, Incident, IncidentState } from '@andon/model'
import { withIncident, YOU } from '../api/acknowledge.ts'
import { addComment, INCIDENT_ROUTES, setIncidentState, setVerdict, tickStep, withState } from '../api/incidents.ts'
import { type Action, useAction } from '../ui/use-action.ts'
import { STATE_TEXT } from './words.ts'

/** All that can be done about an incident. */
export interface IncidentActions {
  readonly state: Action<{ readonly incident: Incident; readonly state: IncidentState }>
  readonly comment: Action<{ readonly id: string; readonly text: string }>
  readonly tick: Action<{ readonly id: string; readonly runbook: string; readonly step: number; readonly text: string; readonly done: boolean }>
  readonly verdict: Action<{ readonly id: string; readonly rule: string; readonly verdict: AlertVerdict }>
}

export function useIncidentActions(): IncidentActions {
  const state: IncidentActions['state'] = useAction({
    run: ({ incident, state: wanted }) => setIncidentState(incident.id, wanted, incident.revision),
    routes: INCIDENT_ROUTES,
    guess: ({ incident, state: wanted }, path, body) => withIncident(incident.id, path, body, (one) => withState(one, wanted, Date.now(), YOU)),
    done: ({ state: wanted }) => ({ text: wanted === 'detected' ? 'The incident is open again.' : `${STATE_TEXT[wanted]}. It stands in the timeline.` }),
    failed: 'The state was not changed',
  })
  const comment: IncidentActions['comment'] = useAction({ run: ({ id, text }) => addComment(id, text), routes: INCIDENT_ROUTES, failed: 'The comment was not noted' })
  const tick: IncidentActions['tick'] = useAction({
    run: ({ id, runbook, step, done }) => tickStep(id, { runbook, step, done }),
    routes: INCIDENT_ROUTES,
    guess: ({ id, runbook, step, text, done }, path, body) =>
      withIncident(id, path, body, (one) => {
        const others = one.steps.filter((each) => each.runbook !== runbook || each.step !== step)
        return { ...one, steps: done ? [...others, { runbook, step, text, at: Date.now(), actor: YOU }] : others }
      }),
    failed: 'The step was not noted',
  })
  const verdict: IncidentActions['verdict'] = useAction({
    run: ({ id, rule, verdict: given }) => setVerdict(id, rule, given),
    routes: INCIDENT_ROUTES,
    guess: ({ id, rule, verdict: given }, path, body) => withIncident(id, path, body, (one) => ({ ...one, verdicts: { ...one.verdicts, [rule]: { verdict: given, at: Date.now(), actor: YOU } } })),
    failed: 'The verdict was not noted',
  })
  return { state, comment, tick, verdict }
}
