import type { ListedAlertChange } from '@andon/model'
import { SegmentedControl } from '@mantine/core'
import { useSearch } from '@tanstack/react-router'
import { type JSX, useMemo } from 'react'
import { HISTORY_LIMIT, type HistoryAnswer, historyPath } from '../api/alerts.ts'
import { usePolled } from '../api/use-live.ts'
import { Answer } from '../ui/answer.tsx'
import { PageHead, Panel } from '../ui/panel.tsx'
import { Nothing } from '../ui/states.tsx'
import { SearchField } from '../ui/text-field.tsx'
import { picksReader } from '../ui/url-picks.ts'
import { useChosenTime, usePatch } from '../ui/use-shell.ts'
import { episodesOf } from './episodes.ts'
import { EpisodesTable, RuleStrips } from './history-views.tsx'
import { AlertPages } from './pages.tsx'
import './alerts.css'

const readSearch = picksReader({ rule: [], severity: ['critical', 'warning', 'info'] })

/** When alerts began to fire and ceased to, in the chosen time. */
export function HistoryScreen(): JSX.Element {
  const chosen = useChosenTime()
  const raw = useSearch({ strict: false })
  const search = useMemo(() => readSearch(raw), [raw])
  const patch = usePatch()
  const query = usePolled<HistoryAnswer>(historyPath(chosen ?? { from: 'now-1d', to: 'now' }))
  return (
    <div className="stack">
      <PageHead title="History of alerts" note={chosen === null ? 'The last 24 hours; choose another time at the top' : 'In the chosen time'} />
      <AlertPages />
      <div className="list-filters" role="search" aria-label="Filter the history">
        <SearchField label="Find in the history" placeholder="Rule or service" value={search.rule ?? ''} onChange={(rule) => patch({ rule: rule === '' ? undefined : rule }, true)} />
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
      <Answer asked={query} rows={6}>
        {(data) => <Known data={data} wants={(change) => wants(change, search)} faded={query.isPlaceholderData} />}
      </Answer>
    </div>
  )
}

function wants({ labels, service, severity }: ListedAlertChange, search: { readonly rule?: string; readonly severity?: string }): boolean {
  if (search.severity !== undefined && severity !== search.severity) return false
  return search.rule === undefined || `${labels['alertname'] ?? ''}\n${service}`.toLowerCase().includes(search.rule.toLowerCase())
}

function Known({ data, wants: isWanted, faded }: { readonly data: HistoryAnswer; readonly wants: (change: ListedAlertChange) => boolean; readonly faded: boolean }): JSX.Element {
  const changes = data.changes.filter(isWanted)
  const episodes = episodesOf(changes, data)
  if (episodes.length === 0) {
    return (
      <Panel>
        <Nothing title={data.changes.length === 0 ? 'Nothing fired in this time' : 'Nothing matches'}>{data.changes.length === 0 ? 'Choose a longer time at the top to see older alerts.' : 'Take a filter away to see all.'}</Nothing>
      </Panel>
    )
  }
  return (
    <>
      <RuleStrips episodes={episodes} range={{ start: data.from, end: data.to }} faded={faded} />
      <EpisodesTable episodes={episodes} faded={faded} cut={data.changes.length >= HISTORY_LIMIT} />
    </>
  )
}
