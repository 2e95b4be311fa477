import type { ComparedSeries, ReleaseComparison, ReleaseVerdict } from '@andon/model'
import { useParams } from '@tanstack/react-router'
import type { JSX } from 'react'
import { deployPath, signalUnit } from '../api/detection.ts'
import { useLive } from '../api/use-live.ts'
import { Answer } from '../ui/answer.tsx'
import { AppLink } from '../ui/app-link.tsx'
import { DataTable } from '../ui/data-table.tsx'
import { capitalised, quantityText } from '../ui/format.ts'
import { Num } from '../ui/number.tsx'
import { PageHead, Panel } from '../ui/panel.tsx'
import type { Column } from '../ui/sorting.ts'
import { Nothing } from '../ui/states.tsx'
import { lastedText } from '../ui/time-text.ts'
import { When } from '../ui/when.tsx'
import './deploys.css'

/** Before and after one release. */
export function DeployScreen(): JSX.Element {
  const { id = '' } = useParams({ strict: false })
  const query = useLive<ReleaseComparison>(deployPath(id))
  return (
    <div className="stack">
      <Answer asked={query} rows={5}>
        {(data) => <Known comparison={data} />}
      </Answer>
    </div>
  )
}

const VERDICTS: readonly ReleaseVerdict[] = ['worse', 'better', 'changed a little', 'no difference', 'too few data']
const TONES: Readonly<Record<ReleaseVerdict, string>> = { worse: 'bad', better: 'good', 'changed a little': 'warn', 'no difference': '', 'too few data': '' }

function Known({ comparison }: { readonly comparison: ReleaseComparison }): JSX.Element {
  const { marker, before, after, isPreliminary, series } = comparison
  const worse = series.filter(({ verdict }) => verdict === 'worse').length
  const better = series.filter(({ verdict }) => verdict === 'better').length
  return (
    <>
      <PageHead
        title={
          <span className="title-row">
            {marker.service} {marker.version} <span className={`tag ${worse > 0 ? 'bad' : better > 0 ? 'good' : ''}`}>{verdictText(worse, better, series.length)}</span>
          </span>
        }
        note={
          <>
            <When time={marker.at} ago />
            {marker.environment !== '' && ` · ${marker.environment}`} · {marker.source === 'seen' ? 'seen in the telemetry' : `told by ${marker.actor}`}
            {marker.note !== '' && ` · ${marker.note}`} ·{' '}
            <AppLink to="/service/$service" params={{ service: marker.service }}>
              the service
            </AppLink>
          </>
        }
      />
      {isPreliminary && <p className="trouble">Data are still coming in: what stands here may change.</p>}
      <Panel flush title="Before and after" aside={<span>{lastedText(before.end - before.start)} before, {lastedText(after.end - after.start)} after it had settled</span>}>
        {series.length === 0 ? <Nothing title="Nothing can be compared">The service sent nothing before or after it.</Nothing> : <DataTable caption="Signals before and after the release" columns={COLUMNS} rows={series} rowKey={(row) => `${row.id.environment} ${row.id.signal} ${row.id.key}`} initial={{ key: 'verdict', down: false }} />}
      </Panel>
    </>
  )
}

function verdictText(worse: number, better: number, count: number): string {
  if (worse > 0) return worse === 1 ? '1 signal is worse' : `${worse} signals are worse`
  if (better > 0) return better === 1 ? '1 signal is better' : `${better} signals are better`
  return count === 0 ? 'nothing to compare' : 'no difference'
}

function changeText({ change, kind, unit }: ComparedSeries, value: number | null): string {
  if (value === null || change === null) return '–'
  const sign = value > 0 ? '+' : value < 0 ? '−' : ''
  // A difference of shares is told in points: 8 % more than 0.4 % would be another thing.
  if (kind === 'difference' && unit === 'ratio') return `${sign}${quantityText(Math.abs(value) * 100, 'count')} points`
  return `${sign}${quantityText(Math.abs(value), kind === 'factor' ? 'ratio' : signalUnit(unit))}`
}

const COLUMNS: readonly Column<ComparedSeries>[] = [
  { key: 'title', header: 'Signal', order: (row) => row.title, cell: (row) => <b>{capitalised(row.title)}{row.id.key !== '' && ` · ${row.id.key}`}</b> },
  { key: 'before', header: 'Before', align: 'end', minor: true, cell: (row) => <Num value={row.before} unit={signalUnit(row.unit)} /> },
  { key: 'after', header: 'After', align: 'end', cell: (row) => <Num value={row.after} unit={signalUnit(row.unit)} /> },
  {
    key: 'change',
    header: 'Change',
    align: 'end',
    order: (row) => (row.change === null ? null : Math.abs(row.change)),
    cell: (row) => (
      <span className={row.verdict === 'worse' ? 'num bad-text' : 'num'} title={row.low === null ? '' : `with 99.9 % certainty ${changeText(row, row.low)} to ${changeText(row, row.high)}`}>
        {changeText(row, row.change)}
      </span>
    ),
  },
  { key: 'verdict', header: 'Verdict', order: (row) => VERDICTS.indexOf(row.verdict), cell: (row) => <span className={`tag ${TONES[row.verdict]}`}>{row.verdict}</span> },
]
