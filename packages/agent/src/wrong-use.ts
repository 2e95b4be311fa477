// Wrong use of the API by programs that no compiler checks: told once of each kind through `diag`, never thrown.
import { diag } from '@opentelemetry/api'

const MAX_TOLD = 100
const told = new Set<string>()

export function wrongUse(what: string): void {
  if (told.has(what) || told.size >= MAX_TOLD) return
  told.add(what)
  diag.warn(`andon: ${what}`)
}

/** A value of the caller as text, whatever it is. @param what - how it is called, such as "the name of a span" */
export function textOf(value: unknown, what: string): string {
  if (typeof value === 'string') return value
  wrongUse(`${what} must be a text, not ${kindOf(value)}`)
  try {
    return String(value)
  } catch {
    return ''
  }
}

/** What a value is, for people. */
export function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** A value of the caller that must be an object; an empty one in place of what is none. */
export function objectOf<T extends object>(value: T, what: string): Partial<T> {
  if (isObject(value)) return value
  wrongUse(`${what} must be an object, not ${kindOf(value)}`)
  return {}
}

/** Does what reads values of the caller, whose own code may throw. */
export function guarded(what: string, run: () => void): void {
  try {
    run()
  } catch (error) {
    wrongUse(`${what}: ${error instanceof Error ? error.message : 'what was thrown is no error'}`)
  }
}
