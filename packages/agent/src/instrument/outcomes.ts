// What could be instrumented and what not, with the reason.
import { diag } from '@opentelemetry/api'

/** Why a package that is there records nothing. */
export type Reason = 'version out of range' | 'loaded before the agent' | 'bundled' | 'patch failed' | 'file not loaded'

/** One copy of a package, as it was met in this process. */
export interface Instrumented {
  readonly name: string
  /** Empty for what is part of Node. */
  readonly version: string
  /** The folder of this copy; empty for what is part of Node. */
  readonly path: string
  /** Who records: `andon`, or the OpenTelemetry package. */
  readonly by: string
  /** Undefined when it records. */
  readonly reason: Reason | undefined
  /** What the reason is about, such as the supported versions or the error. */
  readonly detail: string
}

const MAX_COPIES = 1000
const copies = new Map<string, Instrumented>()

/** Keeps what became of a copy; a failure of one of its files outlives the success of another. */
export function note(outcome: Instrumented): void {
  const key = `${outcome.by}\n${outcome.name}\n${outcome.path}`
  const known = copies.get(key)
  if (known === undefined ? copies.size >= MAX_COPIES : known.reason !== undefined) return
  copies.set(key, outcome)
  if (outcome.reason !== undefined) diag.warn(`andon: ${describe(outcome)}`)
}

/** All copies of known packages that were met, those that record and those that do not. */
export function outcomes(): readonly Instrumented[] {
  return [...copies.values()]
}

/** `express 3.1.0 (version out of range: >=4 <6)`. */
export function describe({ name, version, reason, detail }: Instrumented): string {
  const what = [name, version].filter(Boolean).join(' ')
  if (reason === undefined) return what
  return `${what} (${reason}${detail === '' ? '' : `: ${detail}`})`
}

/** Forgets everything, so that a next start tells its own. */
export function forgetOutcomes(): void {
  copies.clear()
}
