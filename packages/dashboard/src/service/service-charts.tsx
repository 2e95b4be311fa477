import type { JSX } from 'react'
import type { ServiceDetail } from '../api/client.ts'
import { TimeSeries } from '../charts/time-series.tsx'
import { Panel } from '../ui/panel.tsx'
import { type Shell, useShownRange } from '../ui/use-shell.ts'
import { chartPlans } from './chart-plans.ts'

/** The charts of a service; their cursors move together and a drag on any sets the time of the page. */
export function ServiceCharts({ data, shell, faded }: { readonly data: ServiceDetail; readonly shell: Shell; readonly faded: boolean }): JSX.Element {
  const range = useShownRange(shell.selection, data)
  return (
    <div className="charts three">
      {chartPlans(data).map(({ title, unit, series, atLeast }) => (
        <Panel key={title} faded={faded}>
          <TimeSeries
            title={title}
            t={data.t}
            series={series}
            unit={unit}
            range={range}
            zone={shell.zone}
            syncKey="service"
            {...(atLeast === undefined ? {} : { atLeast })}
            onSelect={shell.selectRange}
            onZoomOut={shell.zoomOut}
          />
        </Panel>
      ))}
    </div>
  )
}
