// What monitors and alert managers of the caller's own need of the agent that runs, also where it is of another copy of this package.
import type { AlertSignal, AlertSink, ExceptionRecord } from '@andon/model'

/** The agent's own alert manager, which holds the thresholds of its options and of the server. */
export interface AgentAlerts extends AlertSink {
  /** As checkMetric. @returns what the measurement breaks, told before or not */
  check(name: string, value: number, tags?: Readonly<Record<string, string>>): readonly AlertSignal[]
  /** Says that what was triggered is over. */
  endAlert(alert: AlertSignal): void
}

export interface RunningParts {
  readonly alerts: AgentAlerts
  /** Sends an error. */
  readonly record: (exception: Omit<ExceptionRecord, 'resource' | 'scope'>) => void
  readonly flush: () => Promise<void>
}

const KEY = Symbol.for('andon.agent.parts')

function isParts(value: unknown): value is RunningParts {
  return typeof value === 'object' && value !== null && 'alerts' in value && 'record' in value && 'flush' in value
}

export function runningParts(): RunningParts | undefined {
  const found: unknown = Reflect.get(globalThis, KEY)
  return isParts(found) ? found : undefined
}

/** @param parts - undefined when the agent stops */
export function setRunningParts(parts: RunningParts | undefined): void {
  if (parts === undefined) Reflect.deleteProperty(globalThis, KEY)
  else Reflect.set(globalThis, KEY, parts)
}
