import type { Incident, IncidentAlert, TimelineEntry } from '@andon/model'
import { Button } from '@mantine/core'
import { useParams, useSearch } from '@tanstack/react-router'
import { type JSX, useMemo, useState } from 'react'
import { type IncidentAnswer, incidentPath, ON_CALL_PATH, type OnCallAnswer, type RunbookAnswer, runbookPath } from '../api/incidents.ts'
import { useSilenceActions } from '../api/silence-actions.ts'
import { useLive } from '../api/use-live.ts'
import type { ChartMark } from '../charts/chart-options.ts'
import { Answer } from '../ui/answer.tsx'
import { CopyIcon } from '../ui/copy-text.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { PageHead } from '../ui/panel.tsx'
import { Severity } from '../ui/severity.tsx'
import { matchersFor, SilenceForm, type WantedSilence } from '../ui/silence-form.tsx'
import { usePageKeys } from '../ui/use-page-keys.ts'
import { picksReader } from '../ui/url-picks.ts'
import { usePatch } from '../ui/use-shell.ts'
import { AlertsPanel } from './alerts-panel.tsx'
import { EvidencePanel } from './evidence-panel.tsx'
import { Glance } from './glance.tsx'
import { Postmortem } from './postmortem.tsx'
import { RunbookPanel } from './runbook-panel.tsx'
import { NextSteps, StateBar } from './state-bar.tsx'
import { Timeline } from './timeline.tsx'
import { useIncidentActions } from './use-incident-actions.ts'
import { Verdicts } from './verdicts.tsx'
import { endOf, isOpen, stateTone, STATE_TEXT } from './words.ts'
import './incidents.css'

/** One incident: what is broken, since when, who knows, what changed, what to do; then all of it. */
export function IncidentScreen(): JSX.Element {
  const { id = '' } = useParams({ strict: false })
  const query = useLive<IncidentAnswer>(incidentPath(id))
  return (
    <div className="stack">
      <Answer asked={query} rows={6} height={60}>
        {(data) => <Known answer={data} />}
      </Answer>
    </div>
  )
}

const readSearch = picksReader({ show: ['people', 'messages', 'changes'], runbook: [], do: ['acknowledge'] })

function Known({ answer }: { readonly answer: IncidentAnswer }): JSX.Element {
  const { incident, figures, timeline, evidence, runbooks } = answer
  const raw = useSearch({ strict: false })
  const search = useMemo(() => readSearch(raw), [raw])
  const patch = usePatch()
  const actions = useIncidentActions()
  const [silencing, setSilencing] = useState<IncidentAlert | null>(null)
  const here = runbooks.filter(({ name }) => name !== '')
  const chosen = here.find(({ name }) => name === search.runbook) ?? here[0]
  const runbook = useLive<RunbookAnswer>(chosen === undefined ? null : runbookPath(chosen.name, { incident: incident.id }))
  const onCall = useLive<OnCallAnswer>(ON_CALL_PATH)
  const marks = useMemo(() => marksOf(incident, timeline), [incident, timeline])
  usePageKeys({
    a: () => {
      if (incident.state === 'detected') void actions.state.run({ incident, state: 'acknowledged' })
    },
  })
  const over = !isOpen(incident)
  return (
    <>
      <PageHead
        title={
          <span className="title-row">
            {incident.title} <span className={`tag ${stateTone(incident.state)}`}>{STATE_TEXT[incident.state]}</span>
          </span>
        }
        note={
          <span className="incident-facts">
            <Severity severity={incident.severity} />
            {incident.service !== '' && <span>{incident.service}</span>}
            {incident.environment !== '' && <span>{incident.environment}</span>}
            <span className="mono">{incident.id}</span>
            <CopyIcon text={location.href} label="Copy the link to this incident" />
          </span>
        }
        actions={<NextSteps incident={incident} busy={actions.state.busy} onState={(state) => void actions.state.run({ incident, state })} />}
      />
      <StateBar incident={incident} figures={figures} objectives={answer.objectives} />
      <Glance incident={incident} figures={figures} timeline={timeline} runbook={runbook.data?.runbook} matched={runbooks[0]} onCall={personOnCall(onCall.data)} />
      <div className="incident-columns">
        <div className="stack">
          {over && <Verdicts incident={incident} busy={actions.verdict.busy} onVerdict={(rule, verdict) => void actions.verdict.run({ id: incident.id, rule, verdict })} />}
          <AlertsPanel incident={incident} marks={marks} onSilence={setSilencing} />
          <Timeline
            entries={timeline}
            onsetAt={incident.onsetAt}
            show={search.show ?? 'all'}
            onShow={(show) => patch({ show }, true)}
            busy={actions.comment.busy}
            onComment={(text) => actions.comment.run({ id: incident.id, text })}
          />
        </div>
        <div className="stack">
          <RunbookPanel
            incident={incident}
            matched={runbooks}
            chosen={chosen}
            asked={runbook}
            onChoose={(name) => patch({ runbook: name }, true)}
            busy={actions.tick.busy}
            onTick={(one, step, done) => void actions.tick.run({ id: incident.id, runbook: one.name, step, text: one.actions[step] ?? '', done })}
          />
          <EvidencePanel id={incident.id} evidence={evidence} />
          <Postmortem id={incident.id} />
        </div>
      </div>
      <Acknowledging
        incident={incident}
        asked={search.do === 'acknowledge' && incident.state === 'detected'}
        onClose={() => patch({ do: undefined }, true)}
        onAcknowledge={() => void actions.state.run({ incident, state: 'acknowledged' })}
      />
      <Silencing alert={silencing} incident={incident} onClose={() => setSilencing(null)} />
    </>
  )
}

/** A link in a message asks for it; only a press does it, because programs follow links too. */
function Acknowledging({ incident, asked, onClose, onAcknowledge }: { readonly incident: Incident; readonly asked: boolean; readonly onClose: () => void; readonly onAcknowledge: () => void }): JSX.Element {
  return (
    <Dialog title="Acknowledge this incident?" open={asked} onClose={onClose} size="sm">
      <div className="form">
        <p>{incident.title}</p>
        <div className="form-end">
          <Button size="xs" variant="default" onClick={onClose}>
            Only look
          </Button>
          <Button
            size="xs"
            data-autofocus
            onClick={() => {
              onAcknowledge()
              onClose()
            }}
          >
            Acknowledge
          </Button>
        </div>
      </div>
    </Dialog>
  )
}

/** Deploys and the incident itself, behind its charts. */
function marksOf(incident: Incident, timeline: readonly TimelineEntry[]): ChartMark[] {
  const end = endOf(incident)
  const deploys = timeline.filter(({ kind }) => kind === 'deploy').map(({ at, text }): ChartMark => ({ start: at, tone: 'series-4', label: text }))
  return [{ start: incident.onsetAt, end: end ?? Date.now(), tone: 'bad', label: 'This incident' }, ...deploys]
}

const personOnCall = (answer: OnCallAnswer | undefined): string | undefined => {
  const people = [...new Set((answer?.schedules ?? []).flatMap(({ current }) => current?.person ?? []))]
  return people.length === 0 ? undefined : people.join(', ')
}

function Silencing({ alert, incident, onClose }: { readonly alert: IncidentAlert | null; readonly incident: Incident; readonly onClose: () => void }): JSX.Element {
  const { create } = useSilenceActions()
  const send = async (wanted: WantedSilence): Promise<void> => {
    if (await create.run(wanted)) onClose()
  }
  return (
    <Dialog title={`Silence ${alert?.rule ?? ''}`} open={alert !== null} onClose={onClose}>
      {alert !== null && <SilenceForm initial={{ matchers: matchersFor(alert.labels), comment: `Incident ${incident.id}: ` }} busy={create.busy} submit="Silence" onCancel={onClose} onSubmit={(wanted) => void send(wanted)} />}
    </Dialog>
  )
}
