import type { JSX } from 'react'
import { coveragePath, type CoveredOperation, type ServiceCoverage } from '../api/client.ts'
import { useLive } from '../api/use-live.ts'
import { DataTable } from '../ui/data-table.tsx'
import { Num } from '../ui/number.tsx'
import { Panel } from '../ui/panel.tsx'
import type { Column } from '../ui/sorting.ts'
import { Failed, Loading, Nothing } from '../ui/states.tsx'
import './coverage.css'

const COLUMNS: readonly Column<CoveredOperation>[] = [
  { key: 'kind', header: 'Kind', width: '130px', order: (row) => row.kind, cell: (row) => <span className="tag">{row.kind}</span> },
  { key: 'name', header: 'Operation without data', order: (row) => row.name, cell: (row) => <span className="mono">{row.name}</span> },
]

/** Which critical operations of a service had metrics or traces within the last day, and which had none. */
export function Coverage({ service }: { readonly service: string }): JSX.Element {
  const { data, error, refetch } = useLive<{ readonly services: readonly ServiceCoverage[] }>(coveragePath(service))
  const [found] = data?.services ?? []
  return (
    <Panel title="Coverage" aside="Critical operations in the last day" flush={found !== undefined && found.total > 0}>
      {error !== null && data === undefined && <Failed error={{ message: error.message }} retry={() => void refetch()} />}
      {error === null && data === undefined && <Loading rows={2} />}
      {data !== undefined && (found === undefined || found.total === 0) && <Nothing title="No operation of this service is known">Its routes, jobs and dependencies appear here once it runs with the agent.</Nothing>}
      {found !== undefined && found.total > 0 && <Known service={service} coverage={found} />}
    </Panel>
  )
}

function Known({ service, coverage: { share, covered, total, reports, operations } }: { readonly service: string; readonly coverage: ServiceCoverage }): JSX.Element {
  const missing = operations.filter(({ metrics, traces }) => !metrics && !traces)
  return (
    <>
      <div className="coverage">
        <p className="coverage-share">
          <Num value={share} unit="ratio" />
        </p>
        <div>
          <p>
            {covered} of {total} routes, jobs, handlers, dependencies and statements had metrics or traces.
          </p>
          <p className="dim">
            {reports ? '' : 'This service does not say what it registers, so operations that were never called are not known. '}
            Objectives and alerts are not part of this share yet.
          </p>
        </div>
      </div>
      {missing.length > 0 && (
        <DataTable caption={`Operations of ${service} without data`} columns={COLUMNS} rows={missing} rowKey={(row) => `${row.kind} ${row.name}`} initial={{ key: 'kind', down: true }} />
      )}
    </>
  )
}
