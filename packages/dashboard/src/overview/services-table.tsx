import { useNavigate } from '@tanstack/react-router'
import type { JSX } from 'react'
import type { Overview, ServiceRow } from '../api/client.ts'
import { Sparkline } from '../charts/sparkline.tsx'
import { AppLink } from '../ui/app-link.tsx'
import { DataTable } from '../ui/data-table.tsx'
import { Num } from '../ui/number.tsx'
import type { Column } from '../ui/sorting.ts'
import { agoText } from '../ui/time-text.ts'
import { readShellSearch } from '../ui/url-state.ts'
import { useNow } from '../ui/use-shell.ts'

/** A service that has sent nothing for so long is marked; what is known of spans is known by the minute. */
const SILENT_AFTER_MS = { metrics: 90_000, spans: 180_000 }

function healthOf(row: ServiceRow, now: number): { readonly tone: string; readonly text: string } {
  if (now - row.lastSeen > SILENT_AFTER_MS[row.source]) return { tone: 'silent', text: 'silent' }
  if (row.errorRatio !== null && row.errorRatio >= 0.05) return { tone: 'bad', text: 'many errors' }
  if (row.errorRatio !== null && row.errorRatio >= 0.01) return { tone: 'warn', text: 'some errors' }
  return { tone: 'good', text: 'healthy' }
}

const columns = (now: number, moving: boolean): readonly Column<ServiceRow>[] => [
  {
    key: 'service',
    header: 'Service',
    order: (row) => row.service,
    cell: (row) => {
      const health = healthOf(row, moving ? now : row.lastSeen)
      return (
        <span className="service-cell">
          <i className={`health ${health.tone}`} title={health.text} />
          <span>
            <AppLink to="/service/$service" params={{ service: row.service }}>
              {row.service}
            </AppLink>
            <span className="sr"> ({health.text})</span>
            <small className="dim">{[row.language, row.version].filter((part) => part !== undefined && part !== '').join(' · ')}</small>
          </span>
        </span>
      )
    },
  },
  { key: 'rate', header: 'Requests', align: 'end', order: (row) => row.rate, cell: (row) => <Num value={row.rate} unit="requestsPerSecond" /> },
  {
    key: 'errors',
    header: 'Errors',
    align: 'end',
    order: (row) => row.errorRatio,
    cell: (row) => (
      <span className={(row.errorRatio ?? 0) >= 0.01 ? 'bad-text' : ''}>
        <Num value={row.errorRatio} unit="ratio" absent="No request in this range" />
      </span>
    ),
  },
  { key: 'p50', header: 'p50', align: 'end', minor: true, order: (row) => row.p50, cell: (row) => <Num value={row.p50} unit="seconds" /> },
  { key: 'p95', header: 'p95', align: 'end', order: (row) => row.p95, cell: (row) => <Num value={row.p95} unit="seconds" /> },
  { key: 'p99', header: 'p99', align: 'end', minor: true, order: (row) => row.p99, cell: (row) => <Num value={row.p99} unit="seconds" /> },
  {
    key: 'trend',
    header: 'Requests over time',
    minor: true,
    cell: (row) => (
      <div className="cell-spark">
        <Sparkline values={row.spark.rate} width={110} />
      </div>
    ),
  },
  {
    key: 'latency',
    header: 'p95 over time',
    minor: true,
    cell: (row) => (
      <div className="cell-spark">
        <Sparkline values={row.spark.p95} width={110} tone="series-4" />
      </div>
    ),
  },
  { key: 'source', header: 'Source', minor: true, order: (row) => row.source, cell: (row) => <span className="tag">{row.source}</span> },
  { key: 'seen', header: 'Last seen', align: 'end', minor: true, order: (row) => row.lastSeen, cell: (row) => <span className="dim">{agoText(row.lastSeen, now)}</span> },
]

/** Every service that was seen in the range, busiest first. */
export function ServicesTable({ data }: { readonly data: Overview }): JSX.Element {
  const now = useNow(5000)
  const navigate = useNavigate()
  const moving = now - data.to < SILENT_AFTER_MS.metrics
  return (
    <DataTable
      caption="Services with their request rate, errors and durations"
      columns={columns(now, moving)}
      rows={data.services}
      rowKey={(row) => row.service}
      initial={{ key: 'rate', down: true }}
      onOpen={(row) =>
        void navigate({ to: '/service/$service', params: { service: row.service }, search: (before: Record<string, unknown>) => readShellSearch(before) })
      }
    />
  )
}
