import type { ShellSearch } from './url-state.ts'

/** Texts of the query string, each absent or one text. */
export type Picks<K extends string> = ShellSearch & { readonly [key in K]?: string }

/**
 * How a page reads its own keys of the URL: each a text; one with a list of values is left out where it holds another.
 *
 * @param keys - by name, the values that are allowed; an empty list allows any
 */
export function picksReader<K extends string>(keys: Readonly<Record<K, readonly string[]>>): (raw: Record<string, unknown>) => Picks<K> {
  return (raw) => {
    const entries: readonly (readonly unknown[])[] = Object.entries<readonly string[]>(keys).flatMap(([key, allowed]) => {
      const value: unknown = Array.isArray(raw[key]) ? raw[key][0] : raw[key]
      return typeof value === 'string' && value !== '' && (allowed.length === 0 || allowed.includes(value)) ? [[key, value]] : []
    })
    // Each key is one of K, because it comes from `keys`.
    const found: Picks<K> = Object.fromEntries(entries)
    return found
  }
}
