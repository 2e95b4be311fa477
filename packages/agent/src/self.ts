// What the agent itself costs and drops.
import type { Meter } from '@opentelemetry/api'
import type { Bytes } from '@andon/model'
import type { Exporter } from './exporter.ts'
import { PARTS } from './governor/cost.ts'
import type { GovernorStatus } from './governor/governor.ts'
import { samplingLimit } from './governor/level.ts'
import type { AgentMeterProvider } from './metrics/meter.ts'

export interface SelfParts {
  readonly exporter: Pick<Exporter, 'status'>
  readonly meters: Pick<AgentMeterProvider, 'dropped' | 'bytes'>
  readonly profiles: { readonly dropped: number; readonly queueBytes: Bytes }
  readonly governor: { status(): GovernorStatus }
}

/** Publishes the agent's own queue, drops and failures as metrics under `andon.agent`, and what it costs. */
export function observeSelf(meter: Meter, parts: SelfParts): void {
  observeQueue(meter, parts)
  observeCost(meter, parts)
}

function observeQueue(meter: Meter, { exporter, meters, profiles }: SelfParts): void {
  const queue = meter.createObservableGauge('andon.agent.queue.size', { unit: 'By', description: 'What waits to be sent.' })
  const dropped = meter.createObservableCounter('andon.agent.dropped', { unit: '{item}', description: 'What was dropped, by kind.' })
  const failures = meter.createObservableCounter('andon.agent.export.failures', { unit: '{request}', description: 'Requests that were not answered with success.' })
  const memory = meter.createObservableUpDownCounter('andon.agent.memory.usage', { unit: 'By', description: 'Memory that the agent holds by its own account, by part; code and what V8 adds are not in it.' })
  meter.addBatchObservableCallback(
    (result) => {
      const status = exporter.status()
      result.observe(queue, status.queueBytes)
      result.observe(dropped, status.droppedSpans, { kind: 'span' })
      result.observe(dropped, status.earlySpans, { kind: 'early_span' })
      result.observe(dropped, status.droppedExceptions, { kind: 'exception' })
      result.observe(dropped, status.droppedEvents, { kind: 'event' })
      result.observe(dropped, status.refused, { kind: 'refused' })
      result.observe(dropped, meters.dropped, { kind: 'attribute_set' })
      result.observe(dropped, profiles.dropped, { kind: 'profile' })
      result.observe(failures, status.failures)
      result.observe(memory, status.queueBytes, { part: 'queue' })
      result.observe(memory, profiles.queueBytes, { part: 'profiles' })
      result.observe(memory, meters.bytes, { part: 'instruments' })
    },
    [queue, dropped, failures, memory],
  )
}

function observeCost(meter: Meter, { governor }: SelfParts): void {
  const time = meter.createObservableCounter('andon.agent.cpu.time', { unit: 's', description: 'CPU time of the agent, estimated, by part.' })
  const utilization = meter.createObservableGauge('andon.agent.cpu.utilization', { unit: '1', description: 'CPU time of the agent per second, estimated: a share of one core.' })
  const budget = meter.createObservableGauge('andon.agent.budget', { unit: '1', description: 'The share of one core that the agent may cost; absent where there is no limit.' })
  const limit = meter.createObservableGauge('andon.agent.sampling.limit', { unit: '1', description: 'The share of the wanted traces that the budget leaves.' })
  const ratio = meter.createObservableGauge('andon.agent.sampling.ratio', { unit: '1', description: 'The share of traces that is kept where no other process has decided.' })
  const rate = meter.createObservableGauge('andon.agent.profile.rate', { unit: '{sample}/s', description: 'CPU samples per second of the continuous profile; 0 while it is off.' })
  const changes = meter.createObservableCounter('andon.agent.adaptations', { unit: '{change}', description: 'How often sampling or profile were lowered to keep the budget, or raised again, by reason.' })
  meter.addBatchObservableCallback(
    (result) => {
      const status = governor.status()
      for (const part of PARTS) result.observe(time, status.cost[part] / 1000, { part })
      result.observe(utilization, status.share)
      if (status.budget > 0) result.observe(budget, status.budget)
      result.observe(limit, samplingLimit(status.level).keep)
      result.observe(ratio, status.ratio)
      result.observe(rate, status.rate)
      for (const reason of ['over_budget', 'load_fell'] as const) result.observe(changes, status.changes[reason], { reason })
    },
    [time, utilization, budget, limit, ratio, rate, changes],
  )
}
