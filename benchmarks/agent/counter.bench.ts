import { AgentMeterProvider } from '@andon/agent/recorder'
import type { Benchmark } from '@andon/bench'
import * as platformatic from '@platformatic/prom-client'
import * as prom from 'prom-client'
import { attributes, count, one, openTelemetryMeter } from './metric-subjects.ts'

export const benchmark: Benchmark = {
  title: 'add to a counter with 3 attributes, given as a fresh object',
  unit: 'additions',
  perIteration: count,
  subjects: {
    andon: () => {
      const counter = new AgentMeterProvider().getMeter('bench').createCounter('requests')
      return () => {
        for (let i = 0; i < count; i += 1) counter.add(1, attributes(i))
      }
    },
    'prom-client': () => {
      const counter = new prom.Counter({ name: 'requests', help: 'h', labelNames: ['method', 'route', 'status'] })
      return () => {
        for (let i = 0; i < count; i += 1) counter.inc(attributes(i))
      }
    },
    '@platformatic/prom-client': () => {
      const counter = new platformatic.Counter({ name: 'requests', help: 'h', labelNames: ['method', 'route', 'status'] })
      return () => {
        for (let i = 0; i < count; i += 1) counter.inc(attributes(i))
      }
    },
    'OpenTelemetry SDK': () => {
      const counter = openTelemetryMeter().createCounter('requests')
      return () => {
        for (let i = 0; i < count; i += 1) counter.add(1, attributes(i))
      }
    },
    'andon, bound': () => {
      const counter = new AgentMeterProvider().getMeter('bench').createCounter('requests').bind(one)
      return () => {
        for (let i = 0; i < count; i += 1) counter.record(1)
      }
    },
  },
}
