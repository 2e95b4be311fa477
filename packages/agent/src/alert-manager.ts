// Whom a monitor tells of broken thresholds and of errors.
import type { AlertSignal } from '@andon/model'
import { runningParts } from './running.ts'
import { textOf, wrongUse } from './wrong-use.ts'

/**
 * The alert manager of a monitor: the agent's, or one of the caller's own. What it throws or rejects reaches nobody. It is told at each
 * measurement that breaks a threshold, so that it sees that it lasts; that people hear of it once is its own work.
 */
export interface AlertManager {
  triggerAlert(alert: AlertSignal): unknown
  /** Hears of each error that is recorded. */
  checkErrorRate(error: Error, context?: Readonly<Record<string, unknown>>): unknown
  /** Hears of each measurement, for rules of its own. */
  checkMetric?(name: string, value: number, tags?: Readonly<Record<string, string>>): unknown
}

function failed(error: unknown): void {
  wrongUse(`an alert manager failed: ${textOf(error instanceof Error ? error.message : error, 'what it threw')}`)
}

/** Calls code of the caller's: what it throws, or rejects, is told once. */
function calling(run: () => unknown): void {
  try {
    const result = run()
    if (typeof result === 'object' && result !== null && 'then' in result) Promise.resolve(result).catch(failed)
  } catch (error) {
    failed(error)
  }
}

/**
 * Holds a measurement against the rules of the manager and those of the running agent. The agent tells its server of its own; a manager of
 * the caller's hears of them by `triggerAlert`.
 *
 * @param manager - the running agent's when absent
 * @param value - finite
 */
export function checkMetric(manager: AlertManager | undefined, name: string, value: number, tags: Readonly<Record<string, string>>): void {
  const agent = runningParts()?.alerts
  const own = manager === agent ? undefined : manager
  calling(() => own?.checkMetric?.(name, value, tags))
  for (const alert of agent?.check(name, value, tags) ?? []) calling(() => own?.triggerAlert(alert))
}

/** Counts an error. @param manager - the running agent's when absent */
export function checkErrorRate(manager: AlertManager | undefined, error: Error, context: Readonly<Record<string, unknown>>): void {
  calling(() => (manager ?? runningParts()?.alerts)?.checkErrorRate(error, context))
}
