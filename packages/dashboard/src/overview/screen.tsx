import { type JSX, useMemo } from 'react'
import { ApiError, dashboardPath, type DashboardData, type Overview, overviewPath } from '../api/client.ts'
import { useLive } from '../api/use-live.ts'
import { TimeSeries } from '../charts/time-series.tsx'
import { Num } from '../ui/number.tsx'
import { PageHead, Panel } from '../ui/panel.tsx'
import { Failed, HowToSend, Loading, Trouble } from '../ui/states.tsx'
import { useNow, useShell, useShownRange } from '../ui/use-shell.ts'
import { byService } from './by-service.ts'
import { ServicesTable } from './services-table.tsx'
import { BusinessTiles, HostTiles } from './tiles.tsx'

/** The first page: every service with its health, the business metrics, the host, and what Andon itself costs. */
export function OverviewScreen(): JSX.Element {
  const { selection } = useShell()
  const overview = useLive<Overview>(overviewPath(selection))
  const host = useLive<DashboardData>(dashboardPath(selection))
  const { data, error } = overview
  return (
    <div className="stack">
      <PageHead title="Overview" {...(data === undefined ? {} : { note: <Freshness data={data} received={overview.dataUpdatedAt} /> })} />
      <Trouble error={error} has={data !== undefined} />
      {error !== null && data === undefined && <Failed error={asFailure(error)} retry={() => void overview.refetch()} />}
      {data === undefined && error === null && (
        <Panel>
          <Loading rows={6} />
        </Panel>
      )}
      {data !== undefined && data.services.length === 0 && (
        <Panel>
          <HowToSend endpoint={location.origin} />
        </Panel>
      )}
      {data !== undefined && data.services.length > 0 && (
        <>
          <BusinessTiles data={data} faded={overview.isPlaceholderData} />
          <Panel flush title="Services" aside={<span>{data.services.length === 1 ? '1 service' : `${data.services.length} services`} in this range</span>} faded={overview.isPlaceholderData}>
            <ServicesTable data={data} />
          </Panel>
          <ServiceLines data={data} faded={overview.isPlaceholderData} />
        </>
      )}
      {host.data !== undefined && <HostTiles data={host.data} faded={host.isPlaceholderData} />}
      {data !== undefined && <OwnCost data={data} />}
    </div>
  )
}

/** The busiest services side by side; a drag sets the time of the page. */
function ServiceLines({ data, faded }: { readonly data: Overview; readonly faded: boolean }): JSX.Element {
  const shell = useShell()
  const range = useShownRange(shell.selection, data)
  const { t, rate, p95 } = useMemo(() => byService(data.services), [data.services])
  const shared = { t, range, zone: shell.zone, syncKey: 'overview', height: 170, onSelect: shell.selectRange, onZoomOut: shell.zoomOut }
  return (
    <div className="charts">
      <Panel faded={faded}>
        <TimeSeries {...shared} title="Requests by service" series={rate} unit="requestsPerSecond" />
      </Panel>
      <Panel faded={faded}>
        <TimeSeries {...shared} title="Duration by service, p95" series={p95} unit="seconds" />
      </Panel>
    </div>
  )
}

const asFailure = (error: Error): { message: string; hint?: string; code?: string } =>
  error instanceof ApiError ? { message: error.message, hint: error.hint, code: error.code } : { message: error.message }

/** How old the newest datum is, which goes on growing when no answers come. Said in words and colour only when it is late. */
function Freshness({ data, received }: { readonly data: Overview; readonly received: number }): JSX.Element {
  const now = useNow(1000)
  if (data.freshnessMs === null) return <span>No data yet</span>
  const age = data.freshnessMs + Math.max(0, now - received)
  const late = age > 60_000
  return (
    <span className={late ? 'fresh late' : 'fresh'}>
      Newest data <Num value={age < 1000 ? age / 1000 : Math.floor(age / 1000)} unit="seconds" /> old{late ? ' — is the application still sending?' : ''}
    </span>
  )
}

function OwnCost({ data }: { readonly data: Overview }): JSX.Element {
  const { own } = data
  return (
    <Panel className="own">
      <h2>What Andon itself uses</h2>
      <dl>
        <div>
          <dt>CPU, of one core</dt>
          <dd>
            <Num value={own.cpuRatio} unit="ratio" />
          </dd>
        </div>
        <div>
          <dt>Memory</dt>
          <dd>
            <Num value={own.residentBytes} unit="bytes" />
          </dd>
        </div>
        <div>
          <dt>Stored data</dt>
          <dd>
            <Num value={own.storeBytes} unit="bytes" />
          </dd>
        </div>
      </dl>
    </Panel>
  )
}
