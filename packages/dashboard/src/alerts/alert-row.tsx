import type { IncidentRow, ListedAlert, ListedRunbook, ListedSilence } from '@andon/model'
import { Button } from '@mantine/core'
import { type JSX, useState } from 'react'
import { type RunbookAnswer, runbookPath } from '../api/incidents.ts'
import { useAcknowledge } from '../api/acknowledge.ts'
import { unitOfExpression } from '../api/promql.ts'
import { useExpression } from '../api/use-expression.ts'
import { useOnce } from '../api/use-live.ts'
import { asLines } from '../charts/lines.ts'
import { TimeSeries } from '../charts/time-series.tsx'
import { Answer } from '../ui/answer.tsx'
import { AppLink } from '../ui/app-link.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Expression } from '../ui/expression.tsx'
import { quantityText } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { LabelList } from '../ui/label-list.tsx'
import { Markdown } from '../ui/markdown.tsx'
import { Severity } from '../ui/severity.tsx'
import { severityTone } from '../ui/severity-rank.ts'
import { Failed, Loading } from '../ui/states.tsx'
import { lastedText } from '../ui/time-text.ts'
import { useNow, useShell } from '../ui/use-shell.ts'
import { When } from '../ui/when.tsx'
import { nameOf, runbookFor, summaryOf } from './active-alerts.ts'

export interface AlertRowProps {
  readonly alert: ListedAlert
  /** The open incident that it belongs to. */
  readonly incident: IncidentRow | undefined
  /** Those that hold it back. */
  readonly silences: readonly ListedSilence[]
  readonly runbooks: readonly ListedRunbook[]
  readonly open: boolean
  readonly onOpen: (open: boolean) => void
  readonly onSilence: () => void
  readonly onPick: (name: string, value: string) => void
}

/** One alert: what, since when, who has it, and acknowledge, silence and runbook one click away. */
export function AlertRow(props: AlertRowProps): JSX.Element {
  const { alert, incident, open, onOpen, onSilence } = props
  const now = useNow(1000)
  const summary = summaryOf(alert)
  const name = nameOf(alert)
  return (
    <li className={`alert-row ${severityTone(alert.severity)} ${alert.state}`}>
      <div className="alert-line">
        <div className="alert-what">
          <h2>
            <button type="button" className="disclose" aria-expanded={open} onClick={() => onOpen(!open)}>
              <Icon name={open ? 'down' : 'right'} size={14} />
              {name}
            </button>
          </h2>
          {summary !== '' && summary !== name && <p>{summary}</p>}
          <p className="alert-facts dim">
            <Severity severity={alert.severity} />
            {alert.service !== '' && (
              <AppLink to="/service/$service" params={{ service: alert.service }}>
                {alert.service}
              </AppLink>
            )}
            <span>{SOURCES[alert.source]}</span>
            {alert.ticketBecause !== null && (
              <span className="tag" title={alert.ticketBecause}>
                ticket: budget of pages is used up
              </span>
            )}
            {alert.flapping && <span className="tag warn">flapping</span>}
            <HeldBack {...props} />
          </p>
        </div>
        <div className="alert-since">
          <b className="num">{lastedText(now - alert.startsAt)}</b>
          <small className="dim">
            since <When time={alert.startsAt} />
          </small>
        </div>
        <div className="alert-value">{alert.value !== null && <b className="num">{quantityText(alert.value, alert.expression === null ? 'count' : unitOfExpression(alert.expression))}</b>}</div>
        <div className="alert-tools">
          <Owner alert={alert} incident={incident} />
          <Button size="xs" variant="default" leftSection={<Icon name="silence" size={14} />} onClick={onSilence} aria-label={`Silence ${name}`}>
            Silence
          </Button>
          <RunbookButton {...props} />
        </div>
      </div>
      {open && <More {...props} />}
    </li>
  )
}

const SOURCES: Readonly<Record<ListedAlert['source'], string>> = {
  rule: 'by a rule',
  objective: 'by an objective',
  detector: 'by a detector',
  telemetry: 'telemetry missing',
  application: 'by the application',
  api: 'by another Prometheus',
  andon: 'Andon about itself',
}

function HeldBack({ alert, silences }: AlertRowProps): JSX.Element | null {
  if (alert.state !== 'suppressed') return null
  const [silence] = silences
  return (
    <>
      {alert.silencedBy.length > 0 && (
        <span className="tag" title={silence?.comment ?? ''}>
          silenced{silence !== undefined && <> until <When time={silence.endsAt} /></>}
        </span>
      )}
      {alert.inhibitedBy.length > 0 && <span className="tag">held back by another alert</span>}
      {alert.mutedBy.length > 0 && <span className="tag">quiet: {alert.mutedBy.join(', ')}</span>}
    </>
  )
}

/** Who has taken it; the button where nobody has. */
function Owner({ alert, incident }: Pick<AlertRowProps, 'alert' | 'incident'>): JSX.Element | null {
  const acknowledge = useAcknowledge()
  if (alert.incident === null) return null
  const owner = incident?.acknowledged?.actor
  if (incident === undefined || owner !== undefined || incident.state !== 'detected') {
    return (
      <AppLink to="/incidents/$id" params={{ id: alert.incident }} className="owner">
        <Icon name={owner === undefined ? 'incident' : 'person'} size={14} />
        {owner ?? 'Incident'}
        <span className="sr"> · the incident of {nameOf(alert)}</span>
      </AppLink>
    )
  }
  return (
    <>
      <Button size="xs" loading={acknowledge.busy} leftSection={<Icon name="person" size={14} />} onClick={() => void acknowledge.run(incident)} aria-label={`Acknowledge the incident of ${nameOf(alert)}`}>
        Acknowledge
      </Button>
      <AppLink to="/incidents/$id" params={{ id: alert.incident }} className="button-link small" label={`Open the incident of ${nameOf(alert)}`}>
        Incident
      </AppLink>
    </>
  )
}

function RunbookButton({ alert, runbooks }: AlertRowProps): JSX.Element | null {
  const [shown, setShown] = useState(false)
  const url = alert.annotations['runbook_url']
  const runbook = runbookFor(alert, runbooks)
  if (url !== undefined && url !== '') {
    return (
      <a className="button-link small" href={url} target="_blank" rel="noreferrer noopener" aria-label={`Runbook of ${nameOf(alert)}`}>
        <Icon name="book" size={14} /> Runbook
      </a>
    )
  }
  if (runbook === undefined) return null
  return (
    <>
      <Button size="xs" variant="default" leftSection={<Icon name="book" size={14} />} onClick={() => setShown(true)} aria-label={`Runbook of ${nameOf(alert)}`}>
        Runbook
      </Button>
      <Dialog title={runbook.title} open={shown} onClose={() => setShown(false)} size="lg">
        {shown && <Runbook name={runbook.name} service={alert.service} />}
      </Dialog>
    </>
  )
}

/** The steps and the text of a runbook, with what its checks say of a service. */
function Runbook({ name, service }: { readonly name: string; readonly service: string }): JSX.Element {
  const query = useOnce<RunbookAnswer>(runbookPath(name, service === '' ? {} : { service }))
  return (
    <Answer asked={query} bare rows={4} height={22}>
      {({ runbook, results }) => (
        <>
          {results !== null && results.length > 0 && (
            <ul className="checks">
              {results.map(({ title, query: asked, samples, error }) => (
                <li key={title} title={asked}>
                  <span>{title}</span>
                  {error === '' ? <b className="num">{samples.length === 0 ? 'nothing found' : quantityText(samples[0]?.value, unitOfExpression(asked))}</b> : <span className="bad-text">{error}</span>}
                </li>
              ))}
            </ul>
          )}
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

const BEFORE_MS = 45 * 60_000
const LINES = 5

function More({ alert, onPick }: AlertRowProps): JSX.Element {
  const description = alert.annotations['description']
  return (
    <div className="alert-more">
      {description !== undefined && description !== summaryOf(alert) && <p>{description}</p>}
      {alert.expression !== null && alert.expression !== '' && <Watched alert={alert} expression={alert.expression} />}
      <LabelList labels={alert.labels} without={['alertname']} onPick={onPick} />
      <p className="dim">
        {alert.onsetAt !== null && alert.onsetAt < alert.startsAt - 1000 && (
          <>
            Began about <When time={alert.onsetAt} /> ·{' '}
          </>
        )}
        {alert.receivers.length === 0 ? 'told to nobody' : `told to ${alert.receivers.join(', ')}`} · <AppLink to="/alerts/history" search={{ rule: nameOf(alert) }}>when it fired before</AppLink>
        {alert.source === 'rule' && (
          <>
            {' · '}
            <AppLink to="/alerts/rules" search={{ find: nameOf(alert) }}>
              its rule
            </AppLink>
          </>
        )}
        {alert.service !== '' && (
          <>
            {' · '}
            <AppLink to="/traces" search={{ service: alert.service, status: 'error' }}>
              failed traces
            </AppLink>
          </>
        )}
      </p>
    </div>
  )
}

function Watched({ alert, expression }: { readonly alert: ListedAlert; readonly expression: string }): JSX.Element {
  const { zone } = useShell()
  const now = useNow(15_000)
  const began = alert.onsetAt ?? alert.startsAt
  const range = { start: Math.max(began, now - 24 * 3_600_000) - BEFORE_MS, end: now }
  const { drawn, error, retry } = useExpression(expression, range, LINES)
  const unit = unitOfExpression(expression)
  if (drawn === undefined) return error === null ? <Loading rows={1} height={170} /> : <Failed error={{ message: error.message }} retry={retry} />
  return (
    <>
      <TimeSeries title="What it watches" t={drawn.t} series={asLines(drawn.series)} unit={unit} range={range} zone={zone} height={160} syncKey="alerts" marks={[{ start: began, end: now, tone: 'bad', label: 'Began' }]} />
      <Expression text={expression} />
    </>
  )
}
