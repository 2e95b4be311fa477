import { AgentMeterProvider } from '@andon/agent/recorder'
import type { Benchmark } from '@andon/bench'
import * as platformatic from '@platformatic/prom-client'
import * as prom from 'prom-client'
import { attributes, count, one, openTelemetryMeter } from './metric-subjects.ts'

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
        for (let i = 0; i < count; i += 1) histogram.record(latencies[i] ?? 0, attributes(i))
      }
    },
    'prom-client (11 explicit buckets)': () => {
      const histogram = new prom.Histogram({ name: 'latency', help: 'h', labelNames: ['method', 'route', 'status'] })
      return () => {
        for (let i = 0; i < count; i += 1) histogram.observe(attributes(i), latencies[i] ?? 0)
      }
    },
    '@platformatic/prom-client (11 explicit buckets)': () => {
      const histogram = new platformatic.Histogram({ name: 'latency', help: 'h', labelNames: ['method', 'route', 'status'] })
      return () => {
        for (let i = 0; i < count; i += 1) histogram.observe(attributes(i), latencies[i] ?? 0)
      }
    },
    'OpenTelemetry SDK (15 explicit buckets)': () => {
      const histogram = openTelemetryMeter().createHistogram('latency')
      return () => {
        for (let i = 0; i < count; i += 1) histogram.record(latencies[i] ?? 0, attributes(i))
      }
    },
    'OpenTelemetry SDK (exponential)': () => {
      const histogram = openTelemetryMeter('exponential').createHistogram('latency')
      return () => {
        for (let i = 0; i < count; i += 1) histogram.record(latencies[i] ?? 0, attributes(i))
      }
    },
    'andon, bound': () => {
      const histogram = new AgentMeterProvider().getMeter('bench').createHistogram('latency').bind(one)
      return () => {
        for (let i = 0; i < count; i += 1) histogram.record(latencies[i] ?? 0)
      }
    },
  },
}
