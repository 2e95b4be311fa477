import type { Incident, IncidentFigures, MatchedRunbook, Runbook, TimelineEntry } from '@andon/model'
import type { JSX, ReactNode } from 'react'
import { AppLink } from '../ui/app-link.tsx'
import { Icon, type IconName } from '../ui/icons.tsx'
import { agoText, lastedText } from '../ui/time-text.ts'
import { useNow } from '../ui/use-shell.ts'
import { When } from '../ui/when.tsx'
import { alertsInOrder, endOf, lengthOf, ownerOf, summaryOf, tickedActions } from './words.ts'

export interface GlanceProps {
  readonly incident: Incident
  readonly figures: IncidentFigures
  readonly timeline: readonly TimelineEntry[]
  /** The one that is shown; undefined while it loads, and where there is none. */
  readonly runbook: Runbook | undefined
  /** The best that fits. */
  readonly matched: MatchedRunbook | undefined
  readonly onCall: string | undefined
}

/** The five things to know at 3 a.m. */
export function Glance(props: GlanceProps): JSX.Element {
  return (
    <section className="glance" aria-label="At a glance">
      <Broken {...props} />
      <Since {...props} />
      <Knows {...props} />
      <Changed {...props} />
      <Todo {...props} />
    </section>
  )
}

function Card({ icon, title, children }: { readonly icon: IconName; readonly title: string; readonly children: ReactNode }): JSX.Element {
  return (
    <div className="glance-card">
      <h2>
        <Icon name={icon} size={14} />
        {title}
      </h2>
      {children}
    </div>
  )
}

function Broken({ incident }: GlanceProps): JSX.Element {
  const alerts = alertsInOrder(incident.alerts)
  const firing = alerts.filter((alert) => alert.status === 'firing')
  const [first] = alerts
  return (
    <Card icon="alert" title="What is broken">
      <p className="glance-main">{first === undefined ? incident.title : summaryOf(first)}</p>
      <p className="dim">
        {firing.length === 0 ? 'No alert fires now' : firing.length === 1 ? '1 alert fires' : `${firing.length} alerts fire`}
        {incident.services.length > 0 && ' · '}
        {incident.services.slice(0, 4).map((service, index) => (
          <span key={service}>
            {index > 0 && ', '}
            <AppLink to="/service/$service" params={{ service }}>
              {service}
            </AppLink>
          </span>
        ))}
        {incident.services.length > 4 && ` and ${incident.services.length - 4} more`}
      </p>
    </Card>
  )
}

function Since({ incident, figures }: GlanceProps): JSX.Element {
  const now = useNow(1000)
  const end = endOf(incident)
  return (
    <Card icon="clock" title={end === null ? 'Since when' : 'How long'}>
      <p className="glance-main num">{lastedText(lengthOf(incident, now))}</p>
      <p className="dim">
        began about <When time={incident.onsetAt} />, found {lastedText(figures.mttdMs)} later
        {incident.reopened > 0 && ` · reopened ${incident.reopened === 1 ? 'once' : `${incident.reopened} times`}`}
      </p>
    </Card>
  )
}

interface Messages {
  readonly delivered: readonly string[]
  readonly late: readonly string[]
}

/** By channel, what became of the newest message. */
function messagesOf(timeline: readonly TimelineEntry[]): Messages {
  const last = new Map<string, string>()
  for (const { kind, detail } of timeline.toSorted((a, b) => a.at - b.at)) {
    const [channel, state] = [detail['channel'], detail['state']]
    if (kind === 'notification' && typeof channel === 'string' && typeof state === 'string') last.set(channel, state)
  }
  const having = (holds: (state: string) => boolean): string[] => [...last].filter(([, state]) => holds(state)).map(([channel]) => channel)
  return { delivered: having((state) => state === 'delivered' || state === 'coalesced'), late: having((state) => state === 'retrying' || state === 'given-up') }
}

function Knows({ incident, timeline, onCall }: GlanceProps): JSX.Element {
  const now = useNow(5000)
  const owner = ownerOf(incident)
  const { delivered, late } = messagesOf(timeline)
  const next = incident.escalation?.nextAt ?? null
  return (
    <Card icon="person" title="Who knows">
      <p className={owner === null && endOf(incident) === null ? 'glance-main bad-text' : 'glance-main'}>{owner === null ? 'Nobody has taken it' : owner}</p>
      <p className="dim">
        {delivered.length === 0 ? 'No message was delivered' : `Told: ${delivered.join(', ')}`}
        {late.length > 0 && <b className="bad-text"> · not delivered: {late.join(', ')}</b>}
        {next !== null && ` · next step of ${incident.escalation?.policy ?? 'the escalation'} in ${lastedText(next - now)}`}
        {onCall !== undefined && ` · on call: ${onCall}`}
      </p>
    </Card>
  )
}

function Changed({ incident, timeline }: GlanceProps): JSX.Element {
  const now = useNow(10_000)
  const deploys = timeline.filter(({ kind }) => kind === 'deploy').toSorted((a, b) => Math.abs(a.at - incident.onsetAt) - Math.abs(b.at - incident.onsetAt))
  const [nearest] = deploys
  return (
    <Card icon="deploy" title="What changed">
      {nearest === undefined ? (
        <>
          <p className="glance-main">No deploy near it</p>
          <p className="dim">
            <AppLink to="/deploys">All deploys</AppLink>
          </p>
        </>
      ) : (
        <>
          <p className="glance-main">{nearest.text}</p>
          <p className="dim">
            {nearest.at <= incident.onsetAt ? `${lastedText(incident.onsetAt - nearest.at)} before it began` : `${lastedText(nearest.at - incident.onsetAt)} after it began`} · {agoText(nearest.at, now)}
            {deploys.length > 1 && ` · ${deploys.length - 1} more`}
          </p>
        </>
      )}
    </Card>
  )
}

function Todo({ incident, runbook, matched }: GlanceProps): JSX.Element {
  const ticked = runbook === undefined ? undefined : tickedActions(incident, runbook)
  const next = runbook?.actions.findIndex((_, index) => ticked?.has(index) !== true) ?? -1
  if (matched === undefined) {
    return (
      <Card icon="book" title="What to do">
        <p className="glance-main">No runbook fits</p>
        <p className="dim">
          Write one for <span className="mono">{incident.alerts[0]?.rule ?? 'this alert'}</span>, and the next one on call has it.
        </p>
      </Card>
    )
  }
  return (
    <Card icon="book" title="What to do">
      <p className="glance-main">{runbook === undefined ? matched.title : next >= 0 ? runbook.actions[next] : runbook.actions.length === 0 ? runbook.title : 'All steps are done'}</p>
      <p className="dim">
        {matched.name === '' ? (
          <a href={matched.url} target="_blank" rel="noreferrer noopener">
            {matched.title}
          </a>
        ) : (
          <a href="#runbook">
            {matched.title}
            {runbook !== undefined && runbook.actions.length > 0 && ` · ${ticked?.size ?? 0} of ${runbook.actions.length} done`}
          </a>
        )}
      </p>
    </Card>
  )
}
