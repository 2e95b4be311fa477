// Where the peers are loaded from: each in the newest line that runs on this Node.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
/** The newest lines ask for Node 22.15. */
export const isNewest: boolean = major > 22 || (major === 22 && minor >= 15)

/** From `benchmarks/dist/agent/subjects` to the package.json whose lines are used. */
export const peers: NodeJS.Require = createRequire(new URL(isNewest ? '../../../node22/package.json' : '../../../package.json', import.meta.url))

function hasVersion(value: unknown): value is { readonly version: string } {
  return typeof value === 'object' && value !== null && 'version' in value && typeof value.version === 'string'
}

/** The version of a peer that is installed, for reports. Not every package exports its package.json. @throws Error when it is not installed */
export function versionOf(name: string): string {
  const file = peers.resolve
    .paths(name)
    ?.map((folder) => join(folder, name, 'package.json'))
    .find((path) => existsSync(path))
  const found: unknown = file === undefined ? undefined : JSON.parse(readFileSync(file, 'utf8'))
  if (!hasVersion(found)) throw new Error(`${name} is not installed`)
  return found.version
}
