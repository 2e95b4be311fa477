// How an ECMAScript module hands its own functions and classes to the agent: by a line at its end.
import { fileURLToPath } from 'node:url'
import { innerPath, locate, readCopy } from './copy.ts'

/** Under this key of the global object the agent takes what a module hands over. */
export const HAND_OVER = 'andon.module'

/** Names to hand over, by package and by file within the package. */
export type NamesByFile = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>

/** The names that are wanted of the module at a URL; undefined where nothing is. */
export function namesOf(url: string, wanted: NamesByFile): readonly string[] | undefined {
  if (!url.startsWith('file:')) return undefined
  const path = fileURLToPath(url)
  const place = locate(path)
  const files = place === undefined ? undefined : wanted[place.name]
  if (place === undefined || files === undefined) return undefined
  return files[innerPath(readCopy(place.name, place.directory), path)]
}

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u

/**
 * The source with a line at its end, which hands over the values of the names and how to replace them. Functions and
 * classes of a module are variables to itself, and importers see what they are now. A name that is not there is left out.
 */
export function withHandOver(source: string, names: readonly string[]): string {
  const known = names.filter((name) => IDENTIFIER.test(name))
  const values = known.map((name) => `${name}: typeof ${name} === 'undefined' ? undefined : ${name}`).join(', ')
  const setters = known.map((name) => `${name}(value) { ${name} = value }`).join(', ')
  return `${source}\n;globalThis[Symbol.for(${JSON.stringify(HAND_OVER)})]?.(import.meta.url, { ${values} }, { ${setters} });\n`
}

/** What a loader gives as source, as text; undefined for what is none. */
export function textOf(source: unknown): string | undefined {
  if (typeof source === 'string') return source
  return source instanceof Uint8Array || source instanceof ArrayBuffer ? new TextDecoder().decode(source) : undefined
}
