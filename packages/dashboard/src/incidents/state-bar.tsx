import { type Incident, INCIDENT_STATES, type IncidentFigures, type IncidentState } from '@andon/model'
import { Button } from '@mantine/core'
import type { JSX } from 'react'
import type { IncidentAnswer } from '../api/incidents.ts'
import { ConfirmButton } from '../ui/dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import { lastedText } from '../ui/time-text.ts'
import { When } from '../ui/when.tsx'
import { isOpen, STATE_TEXT, STATE_VERB } from './words.ts'

interface StateBarProps {
  readonly incident: Incident
  readonly figures: IncidentFigures
  readonly objectives: IncidentAnswer['objectives']
  readonly busy: boolean
  readonly onState: (state: IncidentState) => void
}

const FIGURE: Readonly<Partial<Record<IncidentState, readonly [keyof IncidentFigures, string]>>> = {
  detected: ['mttdMs', 'after it began'],
  acknowledged: ['mttaMs', 'after detection'],
  mitigated: ['mttmMs', 'after it began'],
  resolved: ['mttrMs', 'after it began'],
}

const OBJECTIVE: Readonly<Partial<Record<IncidentState, keyof IncidentAnswer['objectives']>>> = { detected: 'detectMs', acknowledged: 'acknowledgeMs', resolved: 'resolveMs' }

type Known = Pick<StateBarProps, 'incident' | 'figures' | 'objectives'>

/** The way of an incident through its states: who reached each, when, and what comes next. */
export function StateBar(props: Known): JSX.Element {
  return (
    <section className="states" aria-label="State of the incident">
      <ol className="state-steps">
        {INCIDENT_STATES.map((state, index) => (
          <Step key={state} state={state} place={index} {...props} />
        ))}
      </ol>
    </section>
  )
}

function Step({ state, place, ...known }: Known & { readonly state: IncidentState; readonly place: number }): JSX.Element {
  const { incident } = known
  const passed = place <= INCIDENT_STATES.indexOf(incident.state)
  const isCurrent = state === incident.state
  const mark = incident.marks[state]
  return (
    <li className={`${passed ? 'passed' : ''} ${isCurrent ? 'current' : ''}`} {...(isCurrent ? { 'aria-current': 'step' as const } : {})}>
      <i aria-hidden="true">{passed ? <Icon name="check" size={13} /> : place + 1}</i>
      <div>
        <b>{STATE_TEXT[state]}</b>
        {mark === undefined ? (
          <span className="dim">{passed ? 'passed over' : 'not yet'}</span>
        ) : (
          <span className="dim">
            <When time={mark.at} /> {mark.actor === 'andon' ? '' : `by ${mark.actor}`}
            <Took state={state} {...known} />
          </span>
        )}
      </div>
    </li>
  )
}

/** How long it took to come to a state, and whether that is later than the objective. */
function Took({ state, figures, objectives }: Known & { readonly state: IncidentState }): JSX.Element | null {
  const [key, words] = FIGURE[state] ?? []
  const took = key === undefined ? null : figures[key]
  if (took === null) return null
  const name = OBJECTIVE[state]
  const objective = name === undefined ? null : objectives[name]
  const isLate = objective !== null && took > objective
  return (
    <small className={isLate ? 'late' : ''} title={isLate ? 'Later than the objective' : ''}>
      {lastedText(took)} {words}
    </small>
  )
}

/** What can be done about its state now. */
export function NextSteps({ incident, busy, onState }: Pick<StateBarProps, 'incident' | 'busy' | 'onState'>): JSX.Element {
  const { state } = incident
  const firing = incident.alerts.filter((alert) => alert.status === 'firing').length
  return (
    <div className="state-actions">
      {state === 'detected' && (
        <Button size="sm" loading={busy} onClick={() => onState('acknowledged')} leftSection={<Icon name="person" size={15} />} rightSection={<kbd>a</kbd>}>
          {STATE_VERB.acknowledged}
        </Button>
      )}
      {(state === 'detected' || state === 'acknowledged') && (
        <Button size={state === 'detected' ? 'xs' : 'sm'} variant={state === 'detected' ? 'default' : 'filled'} loading={busy} onClick={() => onState('mitigated')}>
          {STATE_VERB.mitigated}
        </Button>
      )}
      {isOpen(incident) && (
        <ConfirmButton
          title="Resolve this incident?"
          text={firing === 0 ? 'None of its alerts fires any more.' : <b>{firing === 1 ? '1 of its alerts still fires' : `${firing} of its alerts still fire`}. If it is told again, the incident is reopened.</b>}
          confirm="Resolve"
          danger={firing > 0}
          busy={busy}
          variant={state === 'mitigated' ? 'filled' : 'default'}
          onConfirm={() => onState('resolved')}
        >
          {STATE_VERB.resolved}
        </ConfirmButton>
      )}
      {state === 'resolved' && (
        <Button size="sm" loading={busy} onClick={() => onState('reviewed')}>
          {STATE_VERB.reviewed}
        </Button>
      )}
      {!isOpen(incident) && (
        <ConfirmButton title="Reopen this incident?" text="It is open again from now on, and those on call are told." confirm="Reopen" busy={busy} onConfirm={() => onState('detected')}>
          {STATE_VERB.detected}
        </ConfirmButton>
      )}
    </div>
  )
}
