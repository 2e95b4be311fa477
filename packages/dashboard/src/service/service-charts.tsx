import type { JSX } from 'react'
import type { ServiceDetail, Values } from '../api/client.ts'
import type { ChartSeries } from '../charts/chart-options.ts'
import type { Tone } from '../charts/palette.ts'
import { TimeSeries } from '../charts/time-series.tsx'
import type { Unit } from '../ui/format.ts'
import { Panel } from '../ui/panel.tsx'
import { type Shell, useShownRange } from '../ui/use-shell.ts'

interface ChartPlan {
  readonly title: string
  readonly unit: Unit
  readonly series: readonly ChartSeries[]
  readonly atLeast?: number
}

const line = (label: string, values: Values | null | undefined, tone: Tone, more: Partial<ChartSeries> = {}): ChartSeries[] =>
  values === null || values === undefined ? [] : [{ label, values, tone, ...more }]

/** What is drawn of a service; a chart without any series is left out. */
export function chartPlans(data: ServiceDetail): ChartPlan[] {
  const plans: ChartPlan[] = [
    { title: 'Requests', unit: 'requestsPerSecond', series: line('requests', data.rate, 'accent', { fill: true }) },
    { title: 'Errors', unit: 'ratio', atLeast: 0.01, series: line('failed requests', data.errorRatio, 'bad', { fill: true }) },
    { title: 'Duration', unit: 'seconds', series: [...line('p99', data.p99, 'p99'), ...line('p95', data.p95, 'p95'), ...line('p50', data.p50, 'p50')] },
    {
      title: 'Event loop delay',
      unit: 'seconds',
      series: [...line('p99', data.eventLoop?.p99, 'p99'), ...line('p50', data.eventLoop?.p50, 'p50')],
    },
    { title: 'Event loop utilization', unit: 'ratio', atLeast: 0.1, series: line('busy', data.eventLoop?.utilization, 'series-3', { fill: true }) },
    { title: 'CPU', unit: 'ratio', atLeast: 0.1, series: line('of one core', data.cpu, 'series-4', { fill: true }) },
    {
      title: 'Heap',
      unit: 'bytes',
      series: [...line('used', data.heap?.used, 'series-2', { fill: true }), ...line('limit', data.heap?.limit, 'limit', { dashed: true })],
    },
    { title: 'Garbage collection', unit: 'ratio', atLeast: 0.01, series: line('time spent', data.gc, 'series-2', { fill: true }) },
  ]
  return plans.filter((plan) => plan.series.length > 0)
}

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
