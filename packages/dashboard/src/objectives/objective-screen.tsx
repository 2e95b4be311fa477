import type { BudgetLedger, BurnDown, ObjectiveDetail, WindowStanding } from '@andon/model'
import { SegmentedControl } from '@mantine/core'
import { useParams, useSearch } from '@tanstack/react-router'
import { type JSX, useMemo } from 'react'
import { burnDownPath, indicatorText, ledgerPath, objectivePath } from '../api/objectives.ts'
import { useLive } from '../api/use-live.ts'
import { TimeSeries } from '../charts/time-series.tsx'
import { Answer } from '../ui/answer.tsx'
import { AppLink } from '../ui/app-link.tsx'
import { Expression } from '../ui/expression.tsx'
import { Num } from '../ui/number.tsx'
import { PageHead, Panel } from '../ui/panel.tsx'
import { shareText } from '../ui/percent.ts'
import { picksReader } from '../ui/url-picks.ts'
import { usePatch, useShell } from '../ui/use-shell.ts'
import { When } from '../ui/when.tsx'
import { Ledger } from './ledger.tsx'
import { WhatIf } from './what-if.tsx'
import { exhaustionText, KIND_TEXT, leftText, outageText, rateText, rateTone, standingTag } from './words.ts'
import './objectives.css'

const readSearch = picksReader({ window: [], by: ['incident', 'route', 'release'], target: [] })

/** One objective: how it stands, how it came to that, who spent the budget, and what another target would have meant. */
export function ObjectiveScreen(): JSX.Element {
  const { id = '' } = useParams({ strict: false })
  const query = useLive<ObjectiveDetail>(objectivePath(id))
  return (
    <div className="stack">
      <Answer asked={query} rows={4} height={80}>
        {(data) => <Known detail={data} />}
      </Answer>
    </div>
  )
}

function Known({ detail }: { readonly detail: ObjectiveDetail }): JSX.Element {
  const raw = useSearch({ strict: false })
  const search = useMemo(() => readSearch(raw), [raw])
  const patch = usePatch()
  const { id, name, description, service, environment, kind, target, since, customer, windows, lastError } = detail
  const window = windows.find((one) => one.name === search.window) ?? windows[0]
  const standing = standingTag(detail)
  return (
    <>
      <PageHead
        title={
          <span className="title-row">
            {name} <span className={`tag ${standing.tone}`}>{standing.text}</span>
          </span>
        }
        note={
          <>
            {shareText(target)} {KIND_TEXT[kind]} of{' '}
            <AppLink to="/service/$service" params={{ service }}>
              {service}
            </AppLink>
            {environment !== '' && ` in ${environment}`}
            {since !== null && (
              <>
                {' '}
                · burning since <When time={since} ago />
              </>
            )}
            {description !== '' && ` · ${description}`}
          </>
        }
        actions={
          <>
            {customer !== null && (
              <AppLink to="/objectives/$id/report" params={{ id }} className="button-link">
                Report for {customer}
              </AppLink>
            )}
            {windows.length > 1 && window !== undefined && <SegmentedControl size="xs" aria-label="Window" value={window.name} onChange={(chosen) => patch({ window: chosen === windows[0]?.name ? undefined : chosen })} data={windows.map((one) => one.name)} />}
          </>
        }
      />
      {lastError !== '' && (
        <p className="trouble" role="alert">
          It cannot be counted: {lastError}
        </p>
      )}
      {window !== undefined && <Standing detail={detail} window={window} />}
      {window !== undefined && <BurnDown id={id} window={window} />}
      <div className="objective-columns">
        {window !== undefined && <Spent id={id} window={window.name} by={search.by ?? 'incident'} onBy={(by) => patch({ by: by === 'incident' ? undefined : by }, true)} />}
        <div className="stack">
          <WhatIf detail={detail} percent={search.target} onPercent={(percent) => patch({ target: percent }, true)} />
          <About detail={detail} />
        </div>
      </div>
    </>
  )
}

function Standing({ detail, window }: { readonly detail: ObjectiveDetail; readonly window: WindowStanding }): JSX.Element {
  const { target, burnRates, month } = detail
  const missed = window.attainment !== null && window.attainment < target
  return (
    <section className="tiles standing" aria-label="How it stands">
      <div className="tile">
        <div className="tile-label">
          <span>Was good</span>
          <span>{window.name}</span>
        </div>
        <div className={missed ? 'tile-value bad-text' : 'tile-value'}>{shareText(window.attainment)}</div>
        <p className="tile-note">
          <Num value={window.bad} unit="count" /> of <Num value={window.total} unit="count" /> were bad; <Num value={window.allowed} unit="count" /> may be
        </p>
      </div>
      <div className="tile">
        <div className="tile-label">
          <span>Budget left</span>
        </div>
        <div className={(window.remaining ?? 1) <= 0 ? 'tile-value bad-text' : 'tile-value'}>{leftText(window.remaining)}</div>
        <p className="tile-note">{exhaustionText(window)}</p>
      </div>
      <div className="tile">
        <div className="tile-label">
          <span>As a whole outage</span>
        </div>
        <div className={(window.outageMinutes ?? 1) < 0 ? 'tile-value bad-text' : 'tile-value'}>{outageText(window.outageMinutes)}</div>
        <p className="tile-note">in which every request could fail</p>
      </div>
      <div className="tile">
        <div className="tile-label">
          <span>This month will end at</span>
        </div>
        <div className={month.kept === false ? 'tile-value bad-text' : 'tile-value'}>{shareText(month.attainment)}</div>
        <p className="tile-note">{month.kept === null ? 'nothing was counted yet' : `${month.kept ? 'kept' : 'missed'}, if it goes on as in the last day`}</p>
      </div>
      <div className="tile wide-tile">
        <div className="tile-label">
          <span>Burn rate</span>
          <span>1× uses the budget up exactly</span>
        </div>
        <dl className="rates">
          {Object.entries(burnRates).map(([name, rate]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd className={`num ${rateTone(name, rate)}`}>{rateText(rate)}</dd>
            </div>
          ))}
        </dl>
      </div>
    </section>
  )
}

function BurnDown({ id, window }: { readonly id: string; readonly window: WindowStanding }): JSX.Element {
  const { zone } = useShell()
  const query = useLive<BurnDown>(burnDownPath(id, window.name))
  return (
    <Panel faded={query.isPlaceholderData}>
      <Answer asked={query} bare rows={1} height={220}>
        {({ points, from, ends, stepMs }) => (
          <TimeSeries
            title="Burn-down of the budget"
            t={points.map(({ time }) => time + stepMs)}
            series={[
              { label: 'left', values: points.map(({ remaining }) => remaining), tone: 'accent', fill: true },
              { label: 'spent evenly', values: points.map(({ ideal }) => ideal), tone: 'limit', dashed: true },
            ]}
            unit="ratio"
            range={{ start: from, end: window.ends === null ? Math.max(window.to, from + 1) : ends }}
            zone={zone}
            height={230}
            syncKey="objective"
            below
          />
        )}
      </Answer>
    </Panel>
  )
}

function Spent({ id, window, by, onBy }: { readonly id: string; readonly window: string; readonly by: string; readonly onBy: (by: string) => void }): JSX.Element {
  const query = useLive<BudgetLedger>(ledgerPath(id, window))
  return (
    <Panel
      flush
      title="Who spent the budget"
      faded={query.isPlaceholderData}
      aside={
        <SegmentedControl
          size="xs"
          aria-label="Spent by"
          value={by}
          onChange={onBy}
          data={[
            { value: 'incident', label: 'Incident' },
            { value: 'route', label: 'Route' },
            { value: 'release', label: 'Release' },
          ]}
        />
      }
    >
      <Answer asked={query} bare rows={4}>
        {(data) => <Ledger ledger={data} by={by} />}
      </Answer>
    </Panel>
  )
}

function About({ detail }: { readonly detail: ObjectiveDetail }): JSX.Element {
  const { objective, expression, maintenance, isDefault, alerts, countedTo } = detail
  const told = (['page', 'ticket'] as const).flatMap((urgency) => (alerts[urgency]?.state === 'firing' ? [{ urgency, ...alerts[urgency] }] : []))
  return (
    <Panel title="What is counted" aside={<span>up to <When time={countedTo} /></span>}>
      <div className="about">
        <p>{indicatorText(objective.indicator)}.</p>
        {expression !== null && <Expression text={expression} />}
        <p className="dim">{isDefault ? 'Andon made it, because nothing was said of this service; an objective of your own takes its place.' : `From ${objective.file}.`}</p>
        {told.map(({ urgency, startsAt, by }) => (
          <p key={urgency}>
            <span className={urgency === 'page' ? 'tag bad' : 'tag warn'}>{urgency}</span> since <When time={startsAt} ago /> by {by.join(', ')} · <AppLink to="/alerts" search={{ find: detail.service }}>its alerts</AppLink>
          </p>
        ))}
        {maintenance.length > 0 && (
          <>
            <h3>Maintenance, not counted</h3>
            <ul className="maintenance">
              {maintenance.map(({ start, end, comment }) => (
                <li key={start}>
                  <When time={start} /> – <When time={end} /> <span className="dim">{comment}</span>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </Panel>
  )
}
