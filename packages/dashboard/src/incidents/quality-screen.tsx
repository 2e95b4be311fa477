import type { AlertQuality } from '@andon/model'
import type { JSX } from 'react'
import { type QualityAnswer, qualityPath } from '../api/incidents.ts'
import { useLive } from '../api/use-live.ts'
import { Answer } from '../ui/answer.tsx'
import { AppLink } from '../ui/app-link.tsx'
import { DataTable } from '../ui/data-table.tsx'
import { Num } from '../ui/number.tsx'
import { PageHead, Panel } from '../ui/panel.tsx'
import type { Column } from '../ui/sorting.ts'
import { Nothing } from '../ui/states.tsx'
import { lastedText } from '../ui/time-text.ts'
import { useChosenTime } from '../ui/use-shell.ts'
import { When } from '../ui/when.tsx'
import { IncidentPages } from './pages.tsx'
import './incidents.css'

const COLUMNS: readonly Column<AlertQuality>[] = [
  {
    key: 'rule',
    header: 'Rule',
    order: (row) => row.rule,
    cell: (row) => (
      <span className="incident-cell">
        <AppLink to="/alerts/rules" search={{ find: row.rule }}>
          {row.rule}
        </AppLink>
        {row.reason !== '' && <small className="warn-text">{row.reason}</small>}
      </span>
    ),
  },
  { key: 'pages', header: 'Called people', align: 'end', order: (row) => row.pages, cell: (row) => <Num value={row.pages} unit="count" /> },
  { key: 'perWeek', header: 'Fired per week', align: 'end', minor: true, order: (row) => row.perWeek, cell: (row) => <Num value={row.perWeek} unit="count" /> },
  { key: 'verdicts', header: 'Real, noise, expected', minor: true, cell: (row) => <Split {...row} /> },
  {
    key: 'precision',
    header: 'Precision',
    align: 'end',
    order: (row) => row.precision,
    cell: (row) => (
      <span className={row.precision !== null && row.precision < 0.5 ? 'bad-text' : ''}>
        <Num value={row.precision} unit="ratio" absent="Nobody has judged it yet" />
      </span>
    ),
  },
  { key: 'ack', header: 'Acknowledged after', align: 'end', minor: true, order: (row) => row.medianAckMs, cell: (row) => <span className="num">{row.medianAckMs === null ? '–' : lastedText(row.medianAckMs)}</span> },
  { key: 'state', header: 'Proposal', order: (row) => Number(row.proposal === 'demote') + 2 * Number(row.demotedUntil !== null), cell: (row) => <Proposal {...row} /> },
]

function Split({ real, noise, expected }: AlertQuality): JSX.Element {
  const all = real + noise + expected
  if (all === 0) return <span className="dim">not judged</span>
  const part = (name: string, count: number): JSX.Element => <i className={name} style={{ '--share': `${(count / all) * 100}%` }} />
  return (
    <span className="split" title={`${real} real, ${noise} noise, ${expected} expected`}>
      <span className="split-bar" aria-hidden="true">
        {part('real', real)}
        {part('noise', noise)}
        {part('expected', expected)}
      </span>
      <span className="num">
        {real} · {noise} · {expected}
      </span>
    </span>
  )
}

function Proposal({ proposal, demotedUntil }: AlertQuality): JSX.Element {
  if (demotedUntil !== null) {
    return (
      <span className="tag warn">
        a ticket until <When time={demotedUntil} />
      </span>
    )
  }
  return proposal === 'demote' ? <span className="tag bad">make it a ticket</span> : <span className="dim">keep</span>
}

/** Which rules are worth being called by. */
export function QualityScreen(): JSX.Element {
  const chosen = useChosenTime()
  const query = useLive<QualityAnswer>(qualityPath(chosen))
  return (
    <div className="stack">
      <PageHead title="Alert quality" note="Judged by those who were called, when an incident is over." />
      <IncidentPages />
      <Answer asked={query}>
        {({ rules, budget }) =>
          rules.length === 0 ? (
            <Panel>
              <Nothing title="No rule has fired in this time">Rules are judged over the last four weeks unless another time is chosen at the top.</Nothing>
            </Panel>
          ) : (
            <Panel flush title="Rules" aside={<span>{budget === null ? '' : `A rule may call people ${budget.pages} times in ${lastedText(budget.perMs)} · `}precision is real ÷ (real + noise)</span>} faded={query.isPlaceholderData}>
              <DataTable caption="Rules and how good they are at calling people" columns={COLUMNS} rows={rules} rowKey={(row) => row.rule} initial={{ key: 'state', down: true }} />
            </Panel>
          )
        }
      </Answer>
    </div>
  )
}
