import type { ServiceRow, Values } from '../api/client.ts'
import { SERVICE_COLOURS, type ServiceTone } from '../charts/palette.ts'
import type { ChartSeries } from '../charts/chart-options.ts'

/** How many services a chart shows; the table lists all. */
export const MOST_LINES = 6

/** Series of several services over one list of times. */
export interface ByService {
  readonly t: readonly number[]
  readonly rate: readonly ChartSeries[]
  readonly p95: readonly ChartSeries[]
}

/**
 * The sparklines of the busiest services on one axis of time. Their times may differ; a service has null where it was not measured.
 *
 * @param services - in any order; the busiest MOST_LINES are taken
 */
export function byService(services: readonly ServiceRow[]): ByService {
  const busiest = services.toSorted((a, b) => (b.rate ?? -1) - (a.rate ?? -1)).slice(0, MOST_LINES)
  const t = [...new Set(busiest.flatMap((row) => row.spark.t))].toSorted((a, b) => a - b)
  const series = (key: 'rate' | 'p95'): ChartSeries[] =>
    busiest.map((row, index) => ({ label: row.service, values: onto(t, row.spark.t, row.spark[key]), tone: toneOf(index) }))
  return { t, rate: series('rate'), p95: series('p95') }
}

const TONES: readonly ServiceTone[] = ['service-1', 'service-2', 'service-3', 'service-4', 'service-5', 'service-6', 'service-7', 'service-8']
const toneOf = (index: number): ServiceTone => TONES[index % SERVICE_COLOURS] ?? 'service-1'

function onto(t: readonly number[], times: readonly number[], values: Values): (number | null)[] {
  const at = new Map(times.map((time, index) => [time, values[index] ?? null]))
  return t.map((time) => at.get(time) ?? null)
}
