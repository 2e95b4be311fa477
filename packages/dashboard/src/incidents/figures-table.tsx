import type { IncidentFigures } from '@andon/model'
import { useNavigate } from '@tanstack/react-router'
import { type JSX, useMemo } from 'react'
import { AppLink } from '../ui/app-link.tsx'
import { DataTable } from '../ui/data-table.tsx'
import { Severity } from '../ui/severity.tsx'
import { severityRank } from '../ui/severity-rank.ts'
import type { Column } from '../ui/sorting.ts'
import type { Zone } from '../ui/time-range.ts'
import { lastedText, timeText } from '../ui/time-text.ts'
import { readShellSearch } from '../ui/url-state.ts'
import { useShell } from '../ui/use-shell.ts'

/** An incident as such a table has it. */
export interface FiguresRow {
  readonly id: string
  readonly title: string
  /** What stands below the title. */
  readonly detail: string
  readonly severity: string
  readonly state: string
  readonly detectedAt: number
  readonly figures: IncidentFigures
}

/** A column that not every table of incidents has. */
export type FurtherColumn = 'mitigated' | 'state'

const length = (ms: number | null): JSX.Element => (ms === null ? <span className="num none">–</span> : <span className="num">{lastedText(ms)}</span>)

const columns = (zone: Zone, further: FurtherColumn): readonly Column<FiguresRow>[] => [
  {
    key: 'title',
    header: 'Incident',
    order: (row) => row.title,
    cell: (row) => (
      <span className="incident-cell">
        <AppLink to="/incidents/$id" params={{ id: row.id }}>
          {row.title}
        </AppLink>
        <small className="dim">{row.detail}</small>
      </span>
    ),
  },
  { key: 'severity', header: 'Severity', minor: true, order: (row) => -severityRank(row.severity), cell: (row) => <Severity severity={row.severity} /> },
  { key: 'detected', header: 'Detected', order: (row) => row.detectedAt, cell: (row) => <span className="num">{timeText(row.detectedAt, zone).slice(0, 16)}</span> },
  { key: 'mttd', header: 'To detect', align: 'end', minor: true, order: (row) => row.figures.mttdMs, cell: (row) => length(row.figures.mttdMs) },
  { key: 'mtta', header: 'To acknowledge', align: 'end', minor: true, order: (row) => row.figures.mttaMs, cell: (row) => length(row.figures.mttaMs) },
  ...(further === 'mitigated' ? [{ key: 'mttm', header: 'To mitigate', align: 'end', minor: true, order: (row: FiguresRow) => row.figures.mttmMs, cell: (row: FiguresRow) => length(row.figures.mttmMs) } as const] : []),
  { key: 'mttr', header: 'To resolve', align: 'end', order: (row) => row.figures.mttrMs, cell: (row) => length(row.figures.mttrMs) },
  ...(further === 'state' ? [{ key: 'state', header: 'State', minor: true, order: (row: FiguresRow) => row.state, cell: (row: FiguresRow) => <span className={row.state === 'reviewed' ? 'tag good' : 'tag'}>{row.state}</span> } as const] : []),
]

/** Incidents with what each of them took, the newest first. */
export function FiguresTable({ caption, incidents, further }: { readonly caption: string; readonly incidents: readonly FiguresRow[]; readonly further: FurtherColumn }): JSX.Element {
  const { zone } = useShell()
  const navigate = useNavigate()
  const shown = useMemo(() => columns(zone, further), [zone, further])
  return (
    <DataTable
      caption={caption}
      columns={shown}
      rows={incidents}
      rowKey={(row) => row.id}
      initial={{ key: 'detected', down: true }}
      onOpen={(row) => void navigate({ to: '/incidents/$id', params: { id: row.id }, search: (before: Record<string, unknown>) => readShellSearch(before) })}
    />
  )
}
