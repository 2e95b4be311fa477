// What the agent itself costs and drops.
import type { Meter } from '@opentelemetry/api'
import type { Exporter } from './exporter.ts'
import type { AgentMeterProvider } from './metrics/meter.ts'

/** Publishes the agent's own queue, drops and failures as metrics under `andon.agent`. */
export function observeSelf(meter: Meter, exporter: Exporter, meters: AgentMeterProvider, profiles: { readonly dropped: number }): void {
  const queue = meter.createObservableGauge('andon.agent.queue.size', { unit: 'By', description: 'What waits to be sent.' })
  const dropped = meter.createObservableCounter('andon.agent.dropped', { unit: '{item}', description: 'What was dropped, by kind.' })
  const failures = meter.createObservableCounter('andon.agent.export.failures', { unit: '{request}', description: 'Requests that were not answered with success.' })
  meter.addBatchObservableCallback(
    (result) => {
      const status = exporter.status()
      result.observe(queue, status.queueBytes)
      result.observe(dropped, status.droppedSpans, { kind: 'span' })
      result.observe(dropped, status.droppedExceptions, { kind: 'exception' })
      result.observe(dropped, status.droppedEvents, { kind: 'event' })
      result.observe(dropped, status.refused, { kind: 'refused' })
      result.observe(dropped, meters.dropped, { kind: 'attribute_set' })
      result.observe(dropped, profiles.dropped, { kind: 'profile' })
      result.observe(failures, status.failures)
    },
    [queue, dropped, failures],
  )
}
