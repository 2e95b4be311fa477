import type { EscalationStep, ListedRunbook } from '@andon/model'
import { type JSX, useState } from 'react'
import { ON_CALL_PATH, type OnCallAnswer, type RunbookAnswer, runbookPath, RUNBOOKS_PATH, type RunbooksAnswer } from '../api/incidents.ts'
import { useLive, useOnce } from '../api/use-live.ts'
import { Answer } from '../ui/answer.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import { Markdown } from '../ui/markdown.tsx'
import { PageHead, Panel } from '../ui/panel.tsx'
import { Nothing } from '../ui/states.tsx'
import { lastedText } from '../ui/time-text.ts'
import { useNow } from '../ui/use-shell.ts'
import { When } from '../ui/when.tsx'
import { ChannelsPanel } from './channels-panel.tsx'
import { IncidentPages } from './pages.tsx'
import './incidents.css'

/** Who is called now and next, how it goes on when nobody answers, and what there is to go by. */
export function OnCallScreen(): JSX.Element {
  const onCall = useLive<OnCallAnswer>(ON_CALL_PATH)
  const runbooks = useOnce<RunbooksAnswer>(RUNBOOKS_PATH)
  return (
    <div className="stack">
      <PageHead title="On call and runbooks" note="Who is called, by what, and what they go by" />
      <IncidentPages />
      <Answer asked={onCall} rows={3}>
        {(data) => (
          <>
            <Schedules schedules={data.schedules} />
            <Policies policies={data.policies} />
          </>
        )}
      </Answer>
      <ChannelsPanel />
      <Panel flush title="Runbooks" aside={<span>Those that Andon brings, and your own</span>}>
        <Answer asked={runbooks} bare>
          {(data) => <Runbooks runbooks={data.runbooks} />}
        </Answer>
      </Panel>
    </div>
  )
}

function Schedules({ schedules }: Pick<OnCallAnswer, 'schedules'>): JSX.Element {
  const now = useNow(10_000)
  if (schedules.length === 0) {
    return (
      <Panel title="On call">
        <Nothing title="No rotation is configured">
          Name people and their receivers under <code>on_call</code> in andon.yaml, or give an iCal file; incidents then say who is called.
        </Nothing>
      </Panel>
    )
  }
  return (
    <div className="charts three">
      {schedules.map(({ name, timeZone, current, next }) => (
        <Panel key={name} title={name} aside={<span>{timeZone}</span>}>
          {current === null ? (
            <p className="bad-text">Nobody is on call now.</p>
          ) : (
            <p className="on-call-now">
              <Icon name="person" size={18} />
              <b>{current.person}</b>
              <span className="dim">
                for another {lastedText(current.to - now)}, by {current.receiver}
                {current.override && ', standing in'}
              </span>
            </p>
          )}
          <ol className="shifts">
            {next.slice(0, 5).map((shift) => (
              <li key={shift.from}>
                <span className="num dim">
                  <When time={shift.from} />
                </span>
                <span>{shift.person}</span>
                {shift.override && <span className="tag">stands in</span>}
              </li>
            ))}
          </ol>
        </Panel>
      ))}
    </div>
  )
}

function stepText(step: EscalationStep): string {
  if (step.kind === 'wait') return `wait ${lastedText(step.ms)}`
  return step.kind === 'notify' ? `tell ${step.receiver}` : `call who is on call of ${step.schedule}`
}

const ofWhat = (match: OnCallAnswer['policies'][number]['match']): string => {
  const parts = [match.severity, match.service, match.environment].filter((list) => list.length > 0).map((list) => list.join(' or '))
  return parts.length === 0 ? 'every incident' : parts.join(', ')
}

function Policies({ policies }: Pick<OnCallAnswer, 'policies'>): JSX.Element | null {
  if (policies.length === 0) return null
  return (
    <Panel title="When nobody acknowledges" aside={<span>The first that fits an incident</span>}>
      <ul className="policies">
        {policies.map(({ name, match, steps, rounds, staleMs }) => (
          <li key={name}>
            <b>{name}</b> <span className="dim">{ofWhat(match)}</span>
            <ol>
              {steps.map((step, index) => (
                // Steps have no names, and are never moved.
                <li key={index}>{stepText(step)}</li>
              ))}
            </ol>
            <span className="dim">
              {rounds === 1 ? 'once' : `${rounds} times`}
              {staleMs !== null && `; again after ${lastedText(staleMs)} without an update`}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function Runbooks({ runbooks }: { readonly runbooks: readonly ListedRunbook[] }): JSX.Element {
  const [shown, setShown] = useState<ListedRunbook | null>(null)
  return (
    <>
      <ul className="runbook-list">
        {runbooks.map((runbook) => (
          <li key={runbook.name}>
            <button type="button" className="link-button" onClick={() => setShown(runbook)}>
              {runbook.title}
            </button>
            <span className="dim">
              {runbook.alerts.join(', ')}
              {runbook.owner !== '' && ` · kept by ${runbook.owner}`}
            </span>
            <span className="tag">{runbook.from === 'own' ? 'your own' : 'of Andon'}</span>
            <span className="dim num">
              {runbook.checks} checks · {runbook.actions} steps
            </span>
          </li>
        ))}
      </ul>
      <Dialog title={shown?.title ?? ''} open={shown !== null} onClose={() => setShown(null)} size="xl">
        {shown !== null && <Whole name={shown.name} />}
      </Dialog>
    </>
  )
}

function Whole({ name }: { readonly name: string }): JSX.Element {
  const query = useOnce<RunbookAnswer>(runbookPath(name, {}))
  return (
    <Answer asked={query} bare>
      {({ runbook }) => (
        <>
          {runbook.actions.length > 0 && (
            <ol className="runbook-actions">
              {runbook.actions.map((action) => (
                <li key={action}>{action}</li>
              ))}
            </ol>
          )}
          <Markdown text={runbook.text} />
        </>
      )}
    </Answer>
  )
}
