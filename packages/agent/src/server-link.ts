// What goes between agent and server beside telemetry: control, broken thresholds, the inventory.
import { diag, trace } from '@opentelemetry/api'
import { type AlertSignal, type Attributes, breachAttributes, INVENTORY_EVENT, inventoryAttributes, type Resource, type Scope, THRESHOLD_ENDED_EVENT, THRESHOLD_EVENT, THRESHOLD_LASTING_EVENT } from '@andon/model'
import { ControlClient, type ControlTargets } from './control.ts'
import type { Exporter } from './exporter.ts'
import { inventoryItems, watchInventory } from './inventory.ts'
import type { AgentOptions } from './options.ts'
import type { SamplingPlan } from './sampling-plan.ts'
import { ThresholdAlerts } from './thresholds.ts'
import { nowNanoseconds } from './time.ts'
import { VERSION } from './version.ts'

export interface LinkParts {
  readonly options: AgentOptions
  readonly exporter: Exporter
  readonly sampling: Pick<SamplingPlan, 'want'>
  readonly resource: Resource
  readonly scope: Scope
  /** Profiling on demand, where the agent has it. */
  readonly profile?: ControlTargets['profile']
}

function textOf(resource: Resource, key: string): string {
  const value = resource.attributes[key]
  return typeof value === 'string' ? value : ''
}

export interface ServerLink {
  /** The thresholds to be held against. */
  readonly alerts: ThresholdAlerts
  /** Sends an event of the agent. */
  readonly record: (name: string, attributes: Attributes) => void
  readonly stop: () => void
}

/** Connects the agent's parts with its server. */
export function linkServer({ options, exporter, sampling, resource, scope, profile }: LinkParts): ServerLink {
  const record = (name: string, attributes: Attributes): void => {
    const span = trace.getActiveSpan()?.spanContext()
    exporter.recordEvent({ name, time: nowNanoseconds(), traceId: span?.traceId ?? '', spanId: span?.spanId ?? '', attributes, resource, scope })
  }
  const told = (alert: AlertSignal): void => {
    diag.warn(`andon: ${alert.type} ${alert.metric ?? ''} ${alert.message ?? ''}`)
    record(THRESHOLD_EVENT, breachAttributes(alert))
  }
  const alerts = new ThresholdAlerts(options.thresholds, told, undefined, (alert, course) => record(course === 'lasting' ? THRESHOLD_LASTING_EVENT : THRESHOLD_ENDED_EVENT, breachAttributes(alert)))
  const control = new ControlClient({
    identity: { service: textOf(resource, 'service.name'), instance: textOf(resource, 'service.instance.id'), version: VERSION },
    read: (path) => exporter.read(path),
    contactMs: 3 * options.metricIntervalMs,
    targets: {
      sampling: (ratio) => sampling.want(ratio),
      thresholds: (rules) => alerts.setServerRules(rules),
      ...(profile !== undefined && { profile }),
    },
  })
  const inventory = watchInventory(() => record(INVENTORY_EVENT, inventoryAttributes(inventoryItems())))
  exporter.connect({ control, beforeFlush: inventory.flush })
  return {
    alerts,
    record,
    stop: () => {
      inventory.stop()
      control.stop()
    },
  }
}
