import type { ObjectiveSummary } from '@andon/model'
import { SegmentedControl } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type JSX, useMemo } from 'react'
import { OBJECTIVES_PATH, type ObjectivesAnswer } from '../api/objectives.ts'
import { useLive } from '../api/use-live.ts'
import { BudgetBar } from '../charts/budget-bar.tsx'
import { Answer } from '../ui/answer.tsx'
import { AppLink } from '../ui/app-link.tsx'
import { DataTable } from '../ui/data-table.tsx'
import { PageHead, Panel } from '../ui/panel.tsx'
import { shareText } from '../ui/percent.ts'
import type { Column } from '../ui/sorting.ts'
import { Nothing } from '../ui/states.tsx'
import { SearchField } from '../ui/text-field.tsx'
import { lastedText } from '../ui/time-text.ts'
import { picksReader } from '../ui/url-picks.ts'
import { readShellSearch } from '../ui/url-state.ts'
import { usePatch } from '../ui/use-shell.ts'
import { KIND_TEXT, leftText, rateText, rateTone, standingTag } from './words.ts'
import './objectives.css'

const readSearch = picksReader({ find: [], show: ['trouble', 'agreements'] })

/** What was promised, how it stands, and how fast it is used up. */
export function ObjectivesScreen(): JSX.Element {
  const raw = useSearch({ strict: false })
  const search = useMemo(() => readSearch(raw), [raw])
  const patch = usePatch()
  const query = useLive<ObjectivesAnswer>(OBJECTIVES_PATH)
  return (
    <div className="stack">
      <PageHead title="Objectives" note={query.data === undefined ? 'What must be good, and how much may not be' : noteOf(query.data.objectives)} />
      <div className="list-filters" role="search" aria-label="Filter objectives">
        <SearchField label="Find an objective" placeholder="Name, service, customer" value={search.find ?? ''} onChange={(find) => patch({ find: find === '' ? undefined : find }, true)} />
        <SegmentedControl
          size="xs"
          aria-label="Which objectives"
          value={search.show ?? 'all'}
          onChange={(chosen) => patch({ show: chosen === 'all' ? undefined : chosen })}
          data={[
            { value: 'all', label: 'All' },
            { value: 'trouble', label: 'In trouble' },
            { value: 'agreements', label: 'Agreements' },
          ]}
        />
      </div>
      <Answer asked={query}>{({ objectives }) => <Known objectives={objectives} search={search} />}</Answer>
    </div>
  )
}

function noteOf(objectives: readonly ObjectiveSummary[]): string {
  const burning = objectives.filter(({ state }) => state === 'page' || state === 'ticket').length
  const spent = objectives.filter(({ windows }) => (windows[0]?.remaining ?? 1) <= 0).length
  const parts = [objectives.length === 1 ? '1 objective' : `${objectives.length} objectives`, ...(burning > 0 ? [`${burning} burning`] : []), ...(spent > 0 ? [`${spent} without budget`] : [])]
  return parts.join(' · ')
}

const isTrouble = ({ state, windows, lastError }: ObjectiveSummary): boolean => state === 'page' || state === 'ticket' || lastError !== '' || windows.some(({ remaining }) => remaining !== null && remaining < 0.25)

function wants(one: ObjectiveSummary, { find = '', show }: { readonly find?: string; readonly show?: string }): boolean {
  if (show === 'trouble' && !isTrouble(one)) return false
  if (show === 'agreements' && one.customer === null) return false
  return [one.name, one.id, one.service, one.environment, one.customer ?? ''].join('\n').toLowerCase().includes(find.toLowerCase())
}

function Known({ objectives, search }: { readonly objectives: readonly ObjectiveSummary[]; readonly search: { readonly find?: string; readonly show?: string } }): JSX.Element {
  const navigate = useNavigate()
  const found = useMemo(() => objectives.filter((one) => wants(one, search)), [objectives, search])
  if (objectives.length === 0) {
    return (
      <Panel>
        <Nothing title="There are no objectives yet">
          <span>
            A service that sends data gets some by itself. Write your own as YAML under <code>objectives</code> in andon.yaml; files of OpenSLO and Sloth are read as they are.
          </span>
        </Nothing>
      </Panel>
    )
  }
  if (found.length === 0) {
    return (
      <Panel>
        <Nothing title={search.show === 'trouble' ? 'No objective is in trouble' : 'No objective matches'}>Take a filter away to see all {objectives.length}.</Nothing>
      </Panel>
    )
  }
  return (
    <Panel flush title="All objectives" aside={<span>Those that are worst off first</span>}>
      <DataTable
        caption="Objectives with their budgets and burn rates"
        columns={COLUMNS}
        rows={found}
        rowKey={(row) => row.id}
        initial={{ key: '', down: false }}
        onOpen={(row) => void navigate({ to: '/objectives/$id', params: { id: row.id }, search: (before: Record<string, unknown>) => readShellSearch(before) })}
      />
    </Panel>
  )
}

function Standing({ objective }: { readonly objective: ObjectiveSummary }): JSX.Element {
  const { text, tone } = standingTag(objective)
  return <span className={`tag ${tone}`}>{text}</span>
}

const COLUMNS: readonly Column<ObjectiveSummary>[] = [
  {
    key: 'name',
    header: 'Objective',
    order: (row) => row.name,
    cell: (row) => (
      <span className="objective-cell">
        <AppLink to="/objectives/$id" params={{ id: row.id }}>
          {row.name}
        </AppLink>
        <small className="dim">
          {row.service} · {KIND_TEXT[row.kind]}
          {row.isDefault && ' · by default'}
          {row.customer !== null && ` · promised to ${row.customer}`}
        </small>
      </span>
    ),
  },
  { key: 'state', header: 'State', order: (row) => row.state, cell: (row) => <Standing objective={row} /> },
  {
    key: 'attainment',
    header: 'Was good',
    align: 'end',
    order: (row) => row.windows[0]?.attainment ?? null,
    cell: (row) => (
      <span className="objective-cell end">
        <span className={(row.windows[0]?.attainment ?? 1) < row.target ? 'num bad-text' : 'num'}>{shareText(row.windows[0]?.attainment)}</span>
        <small className="dim">of {shareText(row.target)}</small>
      </span>
    ),
  },
  {
    key: 'left',
    header: 'Budget left',
    order: (row) => row.windows[0]?.remaining ?? null,
    cell: (row) => <BudgetBar left={row.windows[0]?.remaining ?? null} text={leftText(row.windows[0]?.remaining ?? null)} />,
  },
  { key: 'window', header: 'Window', minor: true, cell: (row) => <span className="dim">{row.windows[0]?.name}</span> },
  ...(['1h', '6h', '3d'] as const).map(
    (window): Column<ObjectiveSummary> => ({
      key: `rate-${window}`,
      header: `Burn ${window}`,
      align: 'end',
      minor: true,
      order: (row) => row.burnRates[window] ?? null,
      cell: (row) => <span className={`num ${rateTone(window, row.burnRates[window] ?? null)}`}>{rateText(row.burnRates[window])}</span>,
    }),
  ),
  {
    key: 'gone',
    header: 'Gone in',
    align: 'end',
    minor: true,
    order: (row) => row.windows[0]?.exhaustedInMs ?? null,
    cell: (row) => {
      const ms = row.windows[0]?.exhaustedInMs ?? null
      return <span className={ms === 0 ? 'bad-text' : 'num'}>{ms === null ? '–' : ms === 0 ? 'gone' : lastedText(ms)}</span>
    },
  },
]
