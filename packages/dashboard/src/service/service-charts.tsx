import type { JSX } from 'react'
import type { ServiceDetail } from '../api/client.ts'
import { TimeSeries } from '../charts/time-series.tsx'
import { Panel } from '../ui/panel.tsx'
import { type Shell, useShownRange } from '../ui/use-shell.ts'
import { chartPlans } from './chart-plans.ts'
import { useServiceMarks } from './use-service-marks.ts'

/** The charts of a service; their cursors move together and a drag on any sets the time of the page. */
export function ServiceCharts({ service, data, shell, faded }: { readonly service: string; readonly data: ServiceDetail; readonly shell: Shell; readonly faded: boolean }): JSX.Element {
  const marks = useServiceMarks(service, shell)
  const range = useShownRange(shell.selection, data)
  return (
    <div className="charts three">
      {chartPlans(data).map(({ title, unit, series, atLeast }, index) => (
        <Panel key={title} faded={faded}>
          <TimeSeries
            title={title}
            t={data.t}
            series={series}
            unit={unit}
            range={range}
            zone={shell.zone}
            syncKey="service"
            marks={marks}
            tellsMarks={index === 0}
            {...(atLeast === undefined ? {} : { atLeast })}
            onSelect={shell.selectRange}
            onZoomOut={shell.zoomOut}
          />
        </Panel>
      ))}
    </div>
  )
}
