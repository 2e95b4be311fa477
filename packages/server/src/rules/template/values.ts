// The values of templates. Go's integers are bigint here and its floats numbers, so that they print as they do there.
import { shortNumber } from '../../query/promql/number-text.ts'

export type Value = string | number | bigint | boolean | null | undefined | readonly Value[] | { readonly [key: string]: Value }

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

export function isMap(value: Value): value is { readonly [key: string]: Value } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What `if`, `with`, `and`, `or` and `not` take for true. */
export function isTrue(value: Value): boolean {
  if (value === undefined || value === null) return false
  if (typeof value === 'string' || isList(value)) return value.length > 0
  if (isMap(value)) return Object.keys(value).length > 0
  return value !== 0 && value !== 0n && value !== false
}

/** As Go's %v has it. */
export function display(value: Value): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return shortNumber(value)
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (value === undefined) return '<no value>'
  if (value === null) return '<nil>'
  if (isList(value)) return `[${value.map(display).join(' ')}]`
  const pairs = Object.keys(value)
    .toSorted()
    .map((key) => `${key}:${display(value[key])}`)
  return `map[${pairs.join(' ')}]`
}

/** The value of a field or key; an absent key of labels is empty. */
export function fieldOf(value: Value, name: string): Value {
  if (!isMap(value)) return undefined
  return Object.hasOwn(value, name) ? value[name] : ''
}
