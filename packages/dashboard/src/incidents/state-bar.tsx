import { Button } from '@mantine/core'
import type { JSX } from 'react'
import { type Incident, INCIDENT_STATES, type IncidentAnswer, type IncidentFigures, type IncidentState } from '../api/incidents.ts'
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

/** The way of an incident through its states: who reached each, when, and what comes next. */
export function StateBar({ incident, figures, objectives }: Pick<StateBarProps, 'incident' | 'figures' | 'objectives'>): JSX.Element {
  const reached = INCIDENT_STATES.indexOf(incident.state)
  return (
    <section className="states" aria-label="State of the incident">
      <ol className="state-steps">
        {INCIDENT_STATES.map((state, index) => {
          const mark = incident.marks[state]
          const [key, words] = FIGURE[state] ?? []
          const took = key === undefined ? null : figures[key]
          const passed = index <= reached
          const objective = OBJECTIVE[state]
          const isLate = took !== null && objective !== undefined && objectives[objective] !== null && took > objectives[objective]
          return (
            <li key={state} className={`${passed ? 'passed' : ''} ${state === incident.state ? 'current' : ''}`} {...(state === incident.state ? { 'aria-current': 'step' as const } : {})}>
              <i aria-hidden="true">{passed ? <Icon name="check" size={13} /> : index + 1}</i>
              <div>
                <b>{STATE_TEXT[state]}</b>
                {mark === undefined ? (
                  <span className="dim">{passed ? 'passed over' : 'not yet'}</span>
                ) : (
                  <span className="dim">
                    <When time={mark.at} /> {mark.actor === 'andon' ? '' : `by ${mark.actor}`}
                    {took !== null && words !== undefined && (
                      <small className={isLate ? 'late' : ''} title={isLate ? 'Later than the objective' : ''}>
                        {lastedText(took)} {words}
                      </small>
                    )}
                  </span>
                )}
              </div>
            </li>
          )
        })}
      </ol>
    </section>
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
