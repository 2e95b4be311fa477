import { metrics } from '@opentelemetry/api'
import { AgentMeterProvider } from '@andon/agent/recorder'
import type { Benchmark } from '@andon/bench'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
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

/** A route, another one at each call, as a service sees them. */
const route = (index: number): string => routes[index % 3] ?? ''

export const benchmark: Benchmark = {
  title: 'add to a counter with 3 attributes, given as a fresh object',
  unit: 'additions',
  perIteration: count,
  subjects: {
    andon: () => {
      const counter = new AgentMeterProvider().getMeter('bench').createCounter('requests')
      return () => {
        for (let i = 0; i < count; i += 1) counter.add(1, { method: 'GET', route: route(i), status: 200 })
      }
    },
    'prom-client': () => {
      const counter = new prom.Counter({ name: 'requests', help: 'h', labelNames: ['method', 'route', 'status'] })
      return () => {
        for (let i = 0; i < count; i += 1) counter.inc({ method: 'GET', route: route(i), status: 200 })
      }
    },
    '@platformatic/prom-client': () => {
      const counter = new platformatic.Counter({ name: 'requests', help: 'h', labelNames: ['method', 'route', 'status'] })
      return () => {
        for (let i = 0; i < count; i += 1) counter.inc({ method: 'GET', route: route(i), status: 200 })
      }
    },
    'OpenTelemetry SDK': () => {
      metrics.setGlobalMeterProvider(new MeterProvider({ readers: [new Reader()] }))
      const counter = metrics.getMeter('bench').createCounter('requests')
      return () => {
        for (let i = 0; i < count; i += 1) counter.add(1, { method: 'GET', route: route(i), status: 200 })
      }
    },
    'andon, bound': () => {
      const counter = new AgentMeterProvider().getMeter('bench').createCounter('requests').bind({ method: 'GET', route: '/boards', status: 200 })
      return () => {
        for (let i = 0; i < count; i += 1) counter.record(1)
      }
    },
  },
}
