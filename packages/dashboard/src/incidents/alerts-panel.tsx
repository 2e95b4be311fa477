import type { Incident, IncidentAlert } from '@andon/model'
import { Button } from '@mantine/core'
import { type JSX, useMemo, useState } from 'react'
import { unitOfExpression } from '../api/promql.ts'
import { useExpression } from '../api/use-expression.ts'
import type { ChartMark } from '../charts/chart-options.ts'
import { asLines } from '../charts/lines.ts'
import { TimeSeries } from '../charts/time-series.tsx'
import { AppLink } from '../ui/app-link.tsx'
import { Expression } from '../ui/expression.tsx'
import { quantityText } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { LabelList } from '../ui/label-list.tsx'
import { Panel } from '../ui/panel.tsx'
import { Severity } from '../ui/severity.tsx'
import { Failed, Loading } from '../ui/states.tsx'
import { lastedText } from '../ui/time-text.ts'
import { useNow, useShell } from '../ui/use-shell.ts'
import { When } from '../ui/when.tsx'
import { alertsInOrder, endOf, summaryOf } from './words.ts'

const SHOWN = 8
const BEFORE_MS = 30 * 60_000
const AFTER_MS = 10 * 60_000
const LINES = 5

/** The alerts of an incident; each opens to what it watches around the event. */
export function AlertsPanel({ incident, marks, onSilence }: { readonly incident: Incident; readonly marks: readonly ChartMark[]; readonly onSilence: (alert: IncidentAlert) => void }): JSX.Element | null {
  const [all, setAll] = useState(false)
  const alerts = useMemo(() => alertsInOrder(incident.alerts), [incident.alerts])
  if (alerts.length === 0) return null
  const shown = all ? alerts : alerts.slice(0, SHOWN)
  return (
    <Panel title="Alerts" aside={<span>{alerts.length === 1 ? '1 alert' : `${alerts.length} alerts`}</span>}>
      <ul className="incident-alerts">
        {shown.map((alert, index) => (
          <One key={alert.fingerprint} alert={alert} incident={incident} marks={marks} initial={index === 0} onSilence={onSilence} />
        ))}
      </ul>
      {alerts.length > shown.length && (
        <Button size="xs" variant="subtle" onClick={() => setAll(true)}>
          Show all {alerts.length}
        </Button>
      )}
    </Panel>
  )
}

interface OneProps {
  readonly alert: IncidentAlert
  readonly incident: Incident
  readonly marks: readonly ChartMark[]
  readonly initial: boolean
  readonly onSilence: (alert: IncidentAlert) => void
}

function One({ alert, incident, marks, initial, onSilence }: OneProps): JSX.Element {
  const [open, setOpen] = useState(initial)
  const now = useNow(5000)
  const firing = alert.status === 'firing'
  const runbook = alert.annotations['runbook_url']
  return (
    <li className={firing ? 'incident-alert firing' : 'incident-alert'}>
      <div className="incident-alert-head">
        <button type="button" className="disclose" aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon name={open ? 'down' : 'right'} size={14} />
          <b>{alert.rule}</b>
        </button>
        <Severity severity={alert.severity} />
        <span className={firing ? 'tag bad' : 'tag good'}>{firing ? 'firing' : 'resolved'}</span>
        <span className="dim">
          {firing ? `for ${lastedText(now - alert.startsAt)}` : `lasted ${lastedText((alert.endsAt ?? now) - alert.startsAt)}`}
          {alert.fired > 1 && ` · fired ${alert.fired} times`}
        </span>
        <span className="incident-alert-tools">
          {runbook !== undefined && (
            <a href={runbook} target="_blank" rel="noreferrer noopener">
              Runbook
            </a>
          )}
          <Button size="compact-xs" variant="default" leftSection={<Icon name="silence" size={13} />} onClick={() => onSilence(alert)}>
            Silence
          </Button>
        </span>
      </div>
      <p className="incident-alert-text">{summaryOf(alert)}</p>
      {open && (
        <div className="incident-alert-more">
          {alert.expression !== null && alert.expression !== '' && <Watched alert={alert} incident={incident} marks={marks} expression={alert.expression} />}
          <LabelList labels={alert.labels} without={['alertname']} />
          <p className="dim">
            Fires since <When time={alert.startsAt} ago />
            {alert.endsAt !== null && !firing && (
              <>
                , resolved <When time={alert.endsAt} ago />
              </>
            )}
            {' · '}
            <AppLink to="/alerts/rules" search={{ find: alert.rule }}>
              The rule
            </AppLink>
          </p>
        </div>
      )}
    </li>
  )
}

/** What an alert watches, from before the onset until after the end. */
function Watched({ alert, incident, marks, expression }: { readonly alert: IncidentAlert; readonly incident: Incident; readonly marks: readonly ChartMark[]; readonly expression: string }): JSX.Element {
  const { zone } = useShell()
  const now = useNow(15_000)
  const ended = endOf(incident)
  const range = { start: incident.onsetAt - BEFORE_MS, end: ended === null ? now : Math.min(now, ended + AFTER_MS) }
  const { drawn, error, retry } = useExpression(expression, range, LINES)
  const unit = unitOfExpression(expression)
  if (drawn === undefined) return error === null ? <Loading rows={1} height={180} /> : <Failed error={{ message: error.message }} retry={retry} />
  return (
    <div className="watched">
      <TimeSeries
        title={alert.value === null ? 'What it watches' : `What it watches, last ${quantityText(alert.value, unit)}`}
        t={drawn.t}
        series={asLines(drawn.series)}
        unit={unit}
        range={range}
        zone={zone}
        height={170}
        syncKey="incident"
        marks={marks}
      />
      {drawn.more > 0 && <p className="dim">The {LINES} largest series; {drawn.more} more are left out.</p>}
      <Expression text={expression} />
    </div>
  )
}
