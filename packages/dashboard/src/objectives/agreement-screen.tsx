import type { AgreementReport } from '@andon/model'
import { Button } from '@mantine/core'
import { useParams, useSearch } from '@tanstack/react-router'
import { type JSX, useMemo } from 'react'
import { indicatorText, reportPath } from '../api/objectives.ts'
import { usePolled } from '../api/use-live.ts'
import { Answer } from '../ui/answer.tsx'
import { AppLink } from '../ui/app-link.tsx'
import { Icon } from '../ui/icons.tsx'
import { Num } from '../ui/number.tsx'
import { PageHead, Panel } from '../ui/panel.tsx'
import { shareText } from '../ui/percent.ts'
import { lastedText, timeText } from '../ui/time-text.ts'
import { picksReader } from '../ui/url-picks.ts'
import { usePatch, useShell } from '../ui/use-shell.ts'
import { AgreementDays } from './agreement-days.tsx'
import { nextPeriod, previousPeriod } from './periods.ts'
import './objectives.css'

const readSearch = picksReader({ period: [] })

/** Whether what was promised to a customer was kept in a period, with the evidence; made to be printed. */
export function AgreementScreen(): JSX.Element {
  const { id = '' } = useParams({ strict: false })
  const raw = useSearch({ strict: false })
  const { period } = useMemo(() => readSearch(raw), [raw])
  const query = usePolled<AgreementReport>(reportPath(id, period))
  return (
    <div className="stack agreement">
      <Answer asked={query} rows={5} height={60}>
        {(report) => <Report report={report} faded={query.isPlaceholderData} />}
      </Answer>
    </div>
  )
}

function Report({ report, faded }: { readonly report: AgreementReport; readonly faded: boolean }): JSX.Element {
  const { id, name, customer, service, environment, period, isFinal, timeZone } = report
  return (
    <>
      <PageHead
        title={`${name} for ${customer}`}
        note={
          <>
            {service}
            {environment !== '' && ` in ${environment}`} · {period} ({timeZone}) · {isFinal ? 'final' : 'under way'} ·{' '}
            <AppLink to="/objectives/$id" params={{ id }}>
              the objective
            </AppLink>
          </>
        }
        actions={<Tools report={report} />}
      />
      <Verdict report={report} />
      <Panel title="Day by day" aside={<span>What was good of each day, {timeZone}</span>} faded={faded}>
        <AgreementDays days={report.days} target={report.target} />
      </Panel>
      <div className="objective-columns">
        <Incidents report={report} />
        <Evidence report={report} />
      </div>
    </>
  )
}

function Tools({ report }: { readonly report: AgreementReport }): JSX.Element {
  const patch = usePatch()
  const { id, period, isFinal, countedTo, to } = report
  const [before, after] = [previousPeriod(period), nextPeriod(period)]
  return (
    <div className="report-tools">
      <Button size="xs" variant="default" disabled={before === null} onClick={() => patch({ period: before ?? undefined })} leftSection={<Icon name="left" size={13} />}>
        {before ?? 'Earlier'}
      </Button>
      <Button size="xs" variant="default" disabled={after === null || (!isFinal && countedTo < to)} onClick={() => patch({ period: after ?? undefined })} rightSection={<Icon name="right" size={13} />}>
        {after ?? 'Later'}
      </Button>
      <a className="button-link small" href={reportPath(id, period, 'md')} download>
        <Icon name="download" size={14} /> Markdown
      </a>
      <a className="button-link small" href={reportPath(id, period, 'csv')} download>
        <Icon name="download" size={14} /> CSV
      </a>
      <Button size="xs" variant="default" onClick={() => print()} leftSection={<Icon name="print" size={14} />}>
        Print
      </Button>
    </div>
  )
}

function Verdict({ report }: { readonly report: AgreementReport }): JSX.Element {
  const { kept, attainment, target, margin, bad, total, allowed, spent, consequence, isFinal, countedTo } = report
  const { zone } = useShell()
  const words = kept === null ? 'Nobody can say: nothing was counted' : kept ? (isFinal ? 'Kept' : 'Kept so far') : isFinal ? 'Broken' : 'Broken already'
  return (
    <section className={`verdict ${kept === null ? '' : kept ? 'kept' : 'broken'}`} aria-label="Verdict">
      <div>
        <b className="verdict-word">{words}</b>
        <p>
          {shareText(attainment)} was good, {shareText(target)} was promised
          {margin !== null && ` — ${marginText(margin)}`}.
        </p>
        {kept === false && consequence !== '' && <p className="verdict-consequence">What follows: {consequence}</p>}
      </div>
      <dl className="verdict-facts">
        <div>
          <dt>Bad</dt>
          <dd>
            <Num value={bad} unit="count" /> of <Num value={total} unit="count" />
          </dd>
        </div>
        <div>
          <dt>Allowed</dt>
          <dd>
            <Num value={allowed} unit="count" />
          </dd>
        </div>
        <div>
          <dt>Of what is allowed</dt>
          <dd>
            <Num value={spent} unit="ratio" />
          </dd>
        </div>
        <div>
          <dt>Counted up to</dt>
          <dd className="num">{timeText(countedTo, zone).slice(0, 16)}</dd>
        </div>
      </dl>
    </section>
  )
}

/** In points of percent, because a share of a share would mislead. */
function marginText(margin: number): string {
  const points = Math.abs(margin * 100)
  const text = points >= 1 ? points.toFixed(2) : points.toPrecision(2)
  return margin < 0 ? `${Number(text)} points too little` : `${Number(text)} points more`
}

function Incidents({ report }: { readonly report: AgreementReport }): JSX.Element {
  const { incidents, outsideIncidents } = report
  const { zone } = useShell()
  return (
    <Panel flush title="Incidents" aside={<span>With what each of them cost</span>}>
      {incidents.length === 0 ? (
        <p className="panel-text dim">No incident of this service had a part in it.</p>
      ) : (
        <div className="table-scroll">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Incident</th>
                <th scope="col">Began</th>
                <th scope="col" className="end">
                  Lasted
                </th>
                <th scope="col" className="end">
                  Bad
                </th>
                <th scope="col" className="end minor">
                  Of what is allowed
                </th>
              </tr>
            </thead>
            <tbody>
              {incidents.map((one) => (
                <tr key={one.key}>
                  <td>
                    <AppLink to="/incidents/$id" params={{ id: one.key }}>
                      {one.title}
                    </AppLink>
                  </td>
                  <td className="num">{timeText(one.start, zone).slice(0, 16)}</td>
                  <td className="end num">{one.end === null ? 'lasts' : lastedText(one.end - one.start)}</td>
                  <td className="end">
                    <Num value={one.bad} unit="count" />
                  </td>
                  <td className="end minor">
                    <Num value={one.budget} unit="ratio" />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p className="panel-text dim">
        Outside of incidents <Num value={outsideIncidents} unit="count" /> were bad.
      </p>
    </Panel>
  )
}

const WORST = 8

function Evidence({ report }: { readonly report: AgreementReport }): JSX.Element {
  const { evidence, maintenance } = report
  const { zone } = useShell()
  return (
    <Panel title="Evidence">
      <div className="about">
        <p>Counted: {indicatorText(evidence.indicator)}.</p>
        <p>
          Of <Num value={evidence.minutes} unit="count" /> minutes <Num value={evidence.minutesWithData} unit="count" /> have counts, and <Num value={evidence.minutesWithBad} unit="count" /> had something bad.
        </p>
        {evidence.worst.length > 0 && (
          <>
            <h3>The worst minutes</h3>
            <ul className="maintenance">
              {evidence.worst.slice(0, WORST).map(({ time, bad, total }) => (
                <li key={time}>
                  <span className="num">{timeText(time, zone).slice(0, 16)}</span>{' '}
                  <span className="dim">
                    <Num value={bad} unit="count" /> of <Num value={total} unit="count" />
                  </span>
                </li>
              ))}
            </ul>
          </>
        )}
        {maintenance.length > 0 && (
          <>
            <h3>Maintenance, not counted</h3>
            <ul className="maintenance">
              {maintenance.map(({ start, end, comment, bad, total }) => (
                <li key={start}>
                  <span className="num">{timeText(start, zone).slice(0, 16)}</span> for {lastedText(end - start)}{' '}
                  <span className="dim">
                    {comment}; <Num value={bad} unit="count" /> of <Num value={total} unit="count" /> were bad
                  </span>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </Panel>
  )
}
