// Variables that switch single instrumentations off, with the names and rules of OpenTelemetry's auto-instrumentations-node.
import { diag } from '@opentelemetry/api'
import { type Environment, list, text } from './environment.ts'

/** Which instrumentations run. */
export interface Switches {
  /** Only these; undefined: all. */
  readonly enabled: readonly string[] | undefined
  /** None of these, also where `enabled` names them. */
  readonly disabled: readonly string[]
}

const PREFIX = '@opentelemetry/instrumentation-'

function names(env: Environment, variable: string): readonly string[] | undefined {
  const given = text(env, variable)
  return given === undefined ? undefined : list(given).filter((name) => name !== '').map((name) => name.replace(PREFIX, ''))
}

export function readSwitches(env: Environment): Switches {
  return { enabled: names(env, 'OTEL_NODE_ENABLED_INSTRUMENTATIONS'), disabled: names(env, 'OTEL_NODE_DISABLED_INSTRUMENTATIONS') ?? [] }
}

export function isSwitchedOn({ enabled, disabled }: Switches, name: string): boolean {
  return (enabled === undefined || enabled.includes(name)) && !disabled.includes(name)
}

/** Says which are to run and are not known; one that is not to run and is not known does not run. */
export function warnUnknown({ enabled = [] }: Switches, known: readonly string[]): void {
  const unknown = enabled.filter((name) => !known.includes(name))
  if (unknown.length > 0) diag.warn(`andon: OTEL_NODE_ENABLED_INSTRUMENTATIONS names ${unknown.join(', ')}; known are ${known.join(', ')}`)
}
