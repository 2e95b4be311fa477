// Which charts a service has, and what each shows.
import type { Ratio } from '@andon/model'
import type { ServiceDetail, Values } from '../api/client.ts'
import type { ChartSeries } from '../charts/chart-options.ts'
import type { Tone } from '../charts/palette.ts'
import type { Unit } from '../ui/format.ts'

export interface ChartPlan {
  readonly title: string
  readonly unit: Unit
  readonly series: readonly ChartSeries[]
  readonly atLeast?: number
}

const line = (label: string, values: Values | null | undefined, tone: Tone, more: Partial<ChartSeries> = {}): ChartSeries[] =>
  values === null || values === undefined ? [] : [{ label, values, tone, ...more }]

/** Up to this part of it, a limit is told and not drawn: its line would press the others flat. */
const NEAR_LIMIT: Ratio = 0.5

const highest = (values: Values | null | undefined): number => (values ?? []).reduce<number>((most, value) => Math.max(most, value ?? 0), 0)

function isNear(used: Values | null | undefined, limit: Values | null | undefined): boolean {
  return highest(used) > highest(limit) * NEAR_LIMIT
}

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
      series: [...line('used', data.heap?.used, 'series-2', { fill: true }), ...line('limit', data.heap?.limit, 'limit', { dashed: true, hidden: !isNear(data.heap?.used, data.heap?.limit) })],
    },
    { title: 'Garbage collection', unit: 'ratio', atLeast: 0.01, series: line('time spent', data.gc, 'series-2', { fill: true }) },
  ]
  return plans.filter((plan) => plan.series.length > 0)
}
