// Files that a configuration names by a pattern.
import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/**
 * The files that paths name, each once: in order of the paths, and of their names within a path.
 *
 * @param paths - the last part of each may hold `*`; a path without one is given as it is, also where there is no such file
 * @param refuse - makes the error of a problem such as `/x cannot be read: …`
 * @throws what `refuse` makes where the folder of a pattern cannot be read
 */
export function filesOf(paths: readonly string[], refuse: (problem: string) => Error): string[] {
  return [...new Set(paths.flatMap((path) => matching(path, refuse)))]
}

function matching(path: string, refuse: (problem: string) => Error): string[] {
  const last = basename(path)
  if (!last.includes('*')) return [path]
  const pattern = new RegExp(`^${last.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`)).join('.*')}$`)
  try {
    return readdirSync(dirname(path))
      .filter((name) => pattern.test(name))
      .toSorted()
      .map((name) => join(dirname(path), name))
  } catch (error) {
    throw refuse(`${dirname(path)} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
