import type { IncidentRow } from '@andon/model'
import { SegmentedControl } from '@mantine/core'
import { useSearch } from '@tanstack/react-router'
import { type JSX, useMemo } from 'react'
import { endedIncidentsPath, type IncidentsAnswer, OPEN_INCIDENTS_PATH } from '../api/incidents.ts'
import { useLive } from '../api/use-live.ts'
import { Answer } from '../ui/answer.tsx'
import { PageHead, Panel } from '../ui/panel.tsx'
import { Nothing } from '../ui/states.tsx'
import { SearchField } from '../ui/text-field.tsx'
import { picksReader } from '../ui/url-picks.ts'
import { useChosenTime, usePatch } from '../ui/use-shell.ts'
import { FiguresTable } from './figures-table.tsx'
import { OpenIncidents } from './open-incidents.tsx'
import { IncidentPages } from './pages.tsx'
import './incidents.css'

const readSearch = picksReader({ find: [], severity: ['critical', 'warning', 'info'] })

const text = ({ title, id, service, environment, services, rules }: IncidentRow): string => [title, id, service, environment, ...services, ...rules].join(' ').toLowerCase()

/** What is open now, and what was. */
export function IncidentsScreen(): JSX.Element {
  const chosen = useChosenTime()
  const raw = useSearch({ strict: false })
  const search = useMemo(() => readSearch(raw), [raw])
  const patch = usePatch()
  const query = useLive<IncidentsAnswer>(OPEN_INCIDENTS_PATH)
  const ended = useLive<IncidentsAnswer>(endedIncidentsPath(chosen))
  const filtered = search.find !== undefined || search.severity !== undefined
  const isWanted = (one: IncidentRow): boolean => (search.severity === undefined || one.severity === search.severity) && text(one).includes((search.find ?? '').toLowerCase())
  return (
    <div className="stack">
      <PageHead title="Incidents" note={query.data === undefined ? 'What needs people' : noteOf(query.data.incidents)} />
      <IncidentPages />
      <div className="list-filters" role="search" aria-label="Filter incidents">
        <SearchField label="Find an incident" placeholder="Title, service, rule" value={search.find ?? ''} onChange={(find) => patch({ find: find === '' ? undefined : find }, true)} />
        <SegmentedControl
          size="xs"
          aria-label="Severity"
          value={search.severity ?? 'all'}
          onChange={(severity) => patch({ severity: severity === 'all' ? undefined : severity })}
          data={[
            { value: 'all', label: 'All' },
            { value: 'critical', label: 'Critical' },
            { value: 'warning', label: 'Warning' },
            { value: 'info', label: 'Info' },
          ]}
        />
      </div>
      <Answer asked={query} rows={3} height={70}>
        {({ incidents }) => <OpenIncidents incidents={incidents.filter(isWanted)} filtered={filtered} />}
      </Answer>
      <Panel flush title="Earlier" aside={<span>{chosen === null ? 'The newest; choose a time at the top for others' : 'Found within the chosen time'}</span>} faded={ended.isPlaceholderData}>
        <Answer asked={ended} bare>
          {({ incidents }) => <Earlier incidents={incidents.filter(isWanted)} filtered={filtered} />}
        </Answer>
      </Panel>
    </div>
  )
}

function Earlier({ incidents, filtered }: { readonly incidents: readonly IncidentRow[]; readonly filtered: boolean }): JSX.Element {
  const rows = useMemo(() => incidents.map((row) => ({ ...row, detail: [row.services.slice(0, 3).join(', '), row.rules.slice(0, 2).join(', ')].filter((part) => part !== '').join(' · ') })), [incidents])
  if (rows.length > 0) return <FiguresTable caption="Incidents that have ended" incidents={rows} further="state" />
  return <Nothing title={filtered ? 'No earlier incident matches' : 'No incident has ended'}>{filtered ? 'Take a filter away, or choose another time.' : 'What was resolved stands here with what it took.'}</Nothing>
}

function noteOf(open: readonly IncidentRow[]): string {
  const waiting = open.filter(({ state }) => state === 'detected').length
  if (open.length === 0) return 'Nothing is open'
  return `${open.length} open${waiting === 0 ? ', all acknowledged' : `, ${waiting} not acknowledged`}`
}
