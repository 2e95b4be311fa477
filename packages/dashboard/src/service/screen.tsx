import { useNavigate, useParams } from '@tanstack/react-router'
import type { JSX } from 'react'
import { ApiError, type OperationRow, type ServiceDetail, servicePath } from '../api/client.ts'
import { useLive } from '../api/use-live.ts'
import { AppLink } from '../ui/app-link.tsx'
import { DataTable } from '../ui/data-table.tsx'
import { Num } from '../ui/number.tsx'
import { PageHead, Panel } from '../ui/panel.tsx'
import type { Column } from '../ui/sorting.ts'
import { Failed, Loading, Nothing, Trouble } from '../ui/states.tsx'
import { readShellSearch } from '../ui/url-state.ts'
import { useShell } from '../ui/use-shell.ts'
import { Coverage } from './coverage.tsx'
import { ServiceCharts } from './service-charts.tsx'
import { Stalls } from './stalls.tsx'

/** One service: how much it does, how often it fails, how long it takes, and what of the process is used up by it. */
export function ServiceScreen(): JSX.Element {
  const { service = '' } = useParams({ strict: false })
  const shell = useShell()
  const query = useLive<ServiceDetail>(servicePath(service, shell.selection))
  const { data, error } = query
  const nothing = data !== undefined && isEmpty(data)
  return (
    <div className="stack">
      <PageHead
        title={service}
        note={data === undefined ? 'Service' : instancesText(data)}
        actions={
          <AppLink to="/traces" search={{ service }} className="button-link">
            Traces of this service
          </AppLink>
        }
      />
      <Trouble error={error} has={data !== undefined} />
      {error !== null && data === undefined && (
        <Failed
          error={error instanceof ApiError ? { message: error.message, hint: error.hint, code: error.code } : { message: error.message }}
          retry={() => void query.refetch()}
        />
      )}
      {data === undefined && error === null && (
        <Panel>
          <Loading rows={3} height={150} />
        </Panel>
      )}
      {nothing && (
        <Panel>
          <Nothing title={`${service} has sent nothing in this range`}>Choose a longer time, or see whether the application runs.</Nothing>
        </Panel>
      )}
      {data !== undefined && !nothing && (
        <>
          <ServiceCharts service={service} data={data} shell={shell} faded={query.isPlaceholderData} />
          <Operations service={service} data={data} faded={query.isPlaceholderData} />
          <Stalls service={service} shell={shell} />
          <Coverage service={service} />
        </>
      )}
    </div>
  )
}

const instancesText = (data: ServiceDetail): string => {
  const instances = data.instances ?? []
  const versions = [...new Set(instances.flatMap((one) => one.version ?? []))]
  const count = instances.length === 1 ? ['1 instance'] : instances.length > 1 ? [`${instances.length} instances`] : []
  return ['Service', ...count, ...(versions.length > 0 ? [`version ${versions.join(', ')}`] : [])].join(' · ')
}

/** True when not one number was measured. */
function isEmpty(data: ServiceDetail): boolean {
  const lists = [data.rate, data.cpu, data.heap?.used, data.eventLoop?.utilization]
  return data.operations.length === 0 && lists.every((list) => list?.every((value) => value === null) ?? true)
}

const columns = (service: string): readonly Column<OperationRow>[] => [
  {
    key: 'name',
    header: 'Operation',
    order: (row) => row.name,
    cell: (row) => (
      <AppLink to="/traces" search={{ service, operation: row.name }}>
        {row.name}
      </AppLink>
    ),
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
  {
    key: 'share',
    header: 'Share of time',
    align: 'end',
    minor: true,
    order: (row) => row.share,
    cell: (row) => (
      <span className="cell-bar">
        <i style={{ '--share': `${(row.share ?? 0) * 100}%` }} />
        <Num value={row.share} unit="ratio" />
      </span>
    ),
  },
]

function Operations({ service, data, faded }: { readonly service: string; readonly data: ServiceDetail; readonly faded: boolean }): JSX.Element {
  const navigate = useNavigate()
  const rows = data.operations
  if (rows.length === 0) {
    return (
      <Panel title="Operations">
        <Nothing title={data.source === 'spans' ? 'This service sends spans alone' : 'No operation was called in this range'}>
          {data.source === 'spans' && 'Its operations can be searched among its traces.'}
        </Nothing>
      </Panel>
    )
  }
  return (
    <Panel flush title="Operations" aside="A row opens its traces" faded={faded}>
      <DataTable
        caption={`Operations of ${service}`}
        columns={columns(service)}
        rows={rows}
        rowKey={(row) => row.name}
        initial={{ key: 'share', down: true }}
        onOpen={(row) =>
          void navigate({ to: '/traces', search: (before: Record<string, unknown>) => ({ ...readShellSearch(before), service, operation: row.name }) })
        }
      />
    </Panel>
  )
}
