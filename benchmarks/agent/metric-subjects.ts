// What the benchmarks of metrics share: the same attributes for everyone, and peers that do their whole work.
import type { Attributes, Meter } from '@opentelemetry/api'
import type * as Metrics from '@opentelemetry/sdk-metrics'
import { peers } from './subjects/peers.ts'

const routes = ['/boards', '/boards/:id', '/cards/:id']

/** Operations of one iteration. */
export const count = 1000

/** Three attributes as a fresh object, the route another one at each call, as a service sees them. */
export function attributes(index: number): { method: string; route: string; status: number } {
  return { method: 'GET', route: routes[index % 3] ?? '', status: 200 }
}

/** Of one series, for handles that are bound to it. */
export const one: Attributes = attributes(0)

/**
 * The meter of a provider of OpenTelemetry's SDK, in the newest line that runs on this Node. It has a reader, because
 * without one the SDK records nothing.
 */
export function openTelemetryMeter(aggregation?: 'exponential'): Meter {
  const { AggregationType, MeterProvider, MetricReader }: typeof Metrics = peers('@opentelemetry/sdk-metrics')
  class Reader extends MetricReader {
    protected onForceFlush(): Promise<void> {
      return Promise.resolve()
    }

    protected onShutdown(): Promise<void> {
      return Promise.resolve()
    }
  }
  const views = aggregation === undefined ? [] : [{ instrumentName: '*', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } as const }]
  return new MeterProvider({ readers: [new Reader()], views }).getMeter('bench')
}
