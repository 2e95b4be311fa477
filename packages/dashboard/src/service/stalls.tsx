import { type JSX, useMemo } from 'react'
import { type StallRow, type Stalls as StallsAnswer, stallsPath } from '../api/client.ts'
import { useLive } from '../api/use-live.ts'
import { AppLink } from '../ui/app-link.tsx'
import { DataTable } from '../ui/data-table.tsx'
import { Num } from '../ui/number.tsx'
import { Panel } from '../ui/panel.tsx'
import type { Column } from '../ui/sorting.ts'
import type { Zone } from '../ui/time-range.ts'
import { timeText } from '../ui/time-text.ts'
import type { Shell } from '../ui/use-shell.ts'
import './stalls.css'

/** The frames that say most without being opened. */
const FRAMES = 2

const columns = (zone: Zone): readonly Column<StallRow>[] => [
  { key: 'time', header: 'Ended', order: (row) => row.time, cell: (row) => (row.traceId === '' ? timeText(row.time, zone) : <AppLink to="/trace/$traceId" params={{ traceId: row.traceId }}>{timeText(row.time, zone)}</AppLink>) },
  { key: 'seconds', header: 'Blocked', align: 'end', order: (row) => row.seconds, cell: (row) => <Num value={row.seconds} unit="seconds" /> },
  { key: 'kind', header: 'Kind', minor: true, order: (row) => row.kind, cell: (row) => <span className="tag">{row.kind}</span> },
  { key: 'route', header: 'Route', minor: true, order: (row) => row.route, cell: (row) => <span className="mono">{row.route}</span> },
  { key: 'stack', header: 'By', cell: (row) => <Stack stack={row.stack} /> },
]

function Stack({ stack }: { readonly stack: string }): JSX.Element {
  if (stack === '') return <span className="dim">No profile was taken meanwhile</span>
  const lines = stack.split('\n')
  return (
    <details className="stall-stack">
      <summary className="mono">{lines.slice(0, FRAMES).join(' ')}</summary>
      <pre>{stack}</pre>
    </details>
  )
}

/** What blocked the event loop of a service for long, with the stack that did. Absent while there is none. */
export function Stalls({ service, shell }: { readonly service: string; readonly shell: Shell }): JSX.Element | null {
  const { data, isPlaceholderData } = useLive<StallsAnswer>(stallsPath(service, shell.selection))
  const { zone } = shell
  const shown = useMemo(() => columns(zone), [zone])
  const rows = data?.stalls ?? []
  if (rows.length === 0) return null
  return (
    <Panel flush title="Event loop blocked" aside="Nothing else of the process ran meanwhile" faded={isPlaceholderData}>
      <DataTable caption={`Blocks of the event loop of ${service}`} columns={shown} rows={rows} rowKey={(row) => `${row.instance} ${row.time}`} initial={{ key: 'time', down: true }} />
    </Panel>
  )
}
