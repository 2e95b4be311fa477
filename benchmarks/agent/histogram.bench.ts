import { metrics } from '@opentelemetry/api'
import { AgentMeterProvider } from '@andon/agent/recorder'
import type { Benchmark } from '@andon/bench'
import { AggregationType, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import * as platformatic from '@platformatic/prom-client'
import * as prom from 'prom-client'

const routes = ['/boards', '/boards/:id', '/cards/:id']
const count = 1000

/** Without a reader the SDK records nothing. */
class Reader extends MetricReader {
  protected onForceFlush(): Promise<void> {
    return Promise.resolve()
  }

  protected onShutdown(): Promise<void> {
    return Promise.resolve()
  }
}

const route = (index: number): string => routes[index % 3] ?? ''
/** Latencies of 1 to 100 ms, in seconds. */
const latencies = Array.from({ length: count }, (_, index) => 0.001 + ((index * 37) % 991) / 10_000)

export const benchmark: Benchmark = {
  title: 'record a latency into a histogram with 3 attributes, given as a fresh object',
  unit: 'values',
  perIteration: count,
  subjects: {
    'andon (exponential, 1.1 % error)': () => {
      const histogram = new AgentMeterProvider().getMeter('bench').createHistogram('latency')
      return () => {
        for (let i = 0; i < count; i += 1) histogram.record(latencies[i] ?? 0, { method: 'GET', route: route(i), status: 200 })
      }
    },
    'prom-client (11 explicit buckets)': () => {
      const histogram = new prom.Histogram({ name: 'latency', help: 'h', labelNames: ['method', 'route', 'status'] })
      return () => {
        for (let i = 0; i < count; i += 1) histogram.observe({ method: 'GET', route: route(i), status: 200 }, latencies[i] ?? 0)
      }
    },
    '@platformatic/prom-client (11 explicit buckets)': () => {
      const histogram = new platformatic.Histogram({ name: 'latency', help: 'h', labelNames: ['method', 'route', 'status'] })
      return () => {
        for (let i = 0; i < count; i += 1) histogram.observe({ method: 'GET', route: route(i), status: 200 }, latencies[i] ?? 0)
      }
    },
    'OpenTelemetry SDK (15 explicit buckets)': () => {
      metrics.setGlobalMeterProvider(new MeterProvider({ readers: [new Reader()] }))
      const histogram = metrics.getMeter('bench').createHistogram('latency')
      return () => {
        for (let i = 0; i < count; i += 1) histogram.record(latencies[i] ?? 0, { method: 'GET', route: route(i), status: 200 })
      }
    },
    'OpenTelemetry SDK (exponential)': () => {
      metrics.setGlobalMeterProvider(new MeterProvider({ readers: [new Reader()], views: [{ instrumentName: '*', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }] }))
      const histogram = metrics.getMeter('bench').createHistogram('latency')
      return () => {
        for (let i = 0; i < count; i += 1) histogram.record(latencies[i] ?? 0, { method: 'GET', route: route(i), status: 200 })
      }
    },
    'andon, bound': () => {
      const histogram = new AgentMeterProvider().getMeter('bench').createHistogram('latency').bind({ method: 'GET', route: '/boards', status: 200 })
      return () => {
        for (let i = 0; i < count; i += 1) histogram.record(latencies[i] ?? 0)
      }
    },
  },
}
