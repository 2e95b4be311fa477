import { DETECTOR_STATES, type ListedDetector } from '@andon/model'
import { SegmentedControl } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type JSX, useMemo } from 'react'
import { DETECTORS_PATH, type DetectorsAnswer, signalUnit } from '../api/detection.ts'
import { useLive } from '../api/use-live.ts'
import { Answer } from '../ui/answer.tsx'
import { AppLink } from '../ui/app-link.tsx'
import { DataTable } from '../ui/data-table.tsx'
import { capitalised, quantityText } from '../ui/format.ts'
import { Num } from '../ui/number.tsx'
import { PageHead, Panel } from '../ui/panel.tsx'
import type { Column } from '../ui/sorting.ts'
import { Nothing } from '../ui/states.tsx'
import { SearchField } from '../ui/text-field.tsx'
import { picksReader } from '../ui/url-picks.ts'
import { readShellSearch } from '../ui/url-state.ts'
import { usePatch } from '../ui/use-shell.ts'
import { When } from '../ui/when.tsx'
import { evidenceShare, outside, STATE_TEXT, STATE_WHY } from './words.ts'
import './detectors.css'

const readSearch = picksReader({ find: [], state: ['firing', ...DETECTOR_STATES] })

/** Every series that is watched without a threshold: what is expected, what is, and how far it is trusted. */
export function DetectorsScreen(): JSX.Element {
  const raw = useSearch({ strict: false })
  const search = useMemo(() => readSearch(raw), [raw])
  const patch = usePatch()
  const query = useLive<DetectorsAnswer>(DETECTORS_PATH)
  return (
    <div className="stack">
      <PageHead title="Detectors" note={query.data === undefined ? 'What is watched without thresholds' : noteOf(query.data)} />
      <div className="list-filters" role="search" aria-label="Filter detectors">
        <SearchField label="Find a detector" placeholder="Service or signal" value={search.find ?? ''} onChange={(find) => patch({ find: find === '' ? undefined : find }, true)} />
        <SegmentedControl
          size="xs"
          aria-label="Which detectors"
          value={search.state ?? 'all'}
          onChange={(state) => patch({ state: state === 'all' ? undefined : state })}
          data={[{ value: 'all', label: 'All' }, { value: 'firing', label: 'Firing' }, ...DETECTOR_STATES.map((value) => ({ value, label: capitalised(STATE_TEXT[value]) }))]}
        />
      </div>
      <Answer asked={query} rows={6}>
        {({ detectors }) => <Known detectors={detectors} find={search.find ?? ''} state={search.state} />}
      </Answer>
    </div>
  )
}

function noteOf({ detectors, total, replaying }: DetectorsAnswer): string {
  const firing = detectors.filter((one) => one.firing).length
  const paging = detectors.filter(({ state }) => state === 'page').length
  return [`${total} series`, firing === 0 ? 'none fires' : `${firing} ${firing === 1 ? 'fires' : 'fire'}`, `${paging} may call people`, ...(replaying ? ['reading what is stored'] : [])].join(' · ')
}

function Known({ detectors, find, state }: { readonly detectors: readonly ListedDetector[]; readonly find: string; readonly state: string | undefined }): JSX.Element {
  const navigate = useNavigate()
  const found = useMemo(
    () => detectors.filter((one) => (state === undefined || (state === 'firing' ? one.firing : one.state === state)) && [one.service, one.environment, one.title, one.signal, one.key].join('\n').toLowerCase().includes(find.toLowerCase())),
    [detectors, find, state],
  )
  if (found.length === 0) {
    return (
      <Panel>
        <Nothing title={detectors.length === 0 ? 'Nothing is watched yet' : 'No detector matches'}>
          {detectors.length === 0 ? 'Errors, latency, throughput, CPU, event loop, pools and calls of every service are watched as soon as it sends data; a service with history is judged at once.' : 'Take a filter away to see all.'}
        </Nothing>
      </Panel>
    )
  }
  return (
    <Panel flush title="Series" aside={<span>From learning to calling people, each by its own past</span>}>
      <DataTable
        caption="Series that are watched"
        columns={COLUMNS}
        rows={found}
        rowKey={(row) => row.id}
        initial={{ key: 'evidence', down: true }}
        onOpen={(row) => void navigate({ to: '/detectors/$id', params: { id: row.id }, search: (before: Record<string, unknown>) => readShellSearch(before) })}
      />
    </Panel>
  )
}

const COLUMNS: readonly Column<ListedDetector>[] = [
  {
    key: 'series',
    header: 'Series',
    order: (row) => `${row.service} ${row.title}`,
    cell: (row) => (
      <span className="detector-cell">
        <AppLink to="/detectors/$id" params={{ id: row.id }}>
          {capitalised(row.title)}
          {row.key !== '' && ` · ${row.key}`}
        </AppLink>
        <small className="dim">{[row.service, row.environment].filter((part) => part !== '').join(' · ')}</small>
      </span>
    ),
  },
  {
    key: 'value',
    header: 'Now',
    align: 'end',
    cell: (row) => (
      <span className={outside(row) ? 'bad-text' : ''}>
        <Num value={row.value} unit={signalUnit(row.unit)} />
      </span>
    ),
  },
  {
    key: 'expected',
    header: 'Expected',
    align: 'end',
    minor: true,
    cell: (row) => (
      <span className="dim num">
        {row.low === null && row.high === null ? '–' : `${quantityText(row.low, signalUnit(row.unit))} – ${quantityText(row.high, signalUnit(row.unit))}`}
      </span>
    ),
  },
  {
    key: 'evidence',
    header: 'Evidence',
    align: 'end',
    order: (row) => (row.firing ? 2 : 0) + evidenceShare(row),
    cell: (row) => (
      <span className={row.firing ? 'cell-bar full' : 'cell-bar'}>
        <i style={{ '--share': `${evidenceShare(row) * 100}%` }} />
        <Num value={evidenceShare(row)} unit="ratio" />
      </span>
    ),
  },
  {
    key: 'state',
    header: 'May',
    order: (row) => DETECTOR_STATES.indexOf(row.state),
    cell: (row) => (
      <span className="tag" title={`${STATE_WHY[row.state]} ${row.because}`}>
        {STATE_TEXT[row.state]}
      </span>
    ),
  },
  {
    key: 'firing',
    header: 'Fires',
    order: (row) => row.since,
    cell: (row) => (row.firing && row.since !== null ? <span className="tag bad">since <When time={row.onset ?? row.since} /></span> : <span className="dim">{row.held === '' ? 'no' : 'held back'}</span>),
  },
]
