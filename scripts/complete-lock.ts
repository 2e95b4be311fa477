// `npm run lock`: adds to package-lock.json the optional packages of other platforms that npm left out because the
// registry it was made with did not serve them. Without these entries `npm ci` elsewhere refuses the lockfile
// ("Missing: … from lock file").
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

interface LockedPackage {
  version?: string
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}

export interface Lockfile {
  packages: Record<string, LockedPackage>
}

const systems = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32']
const processors = ['arm64', 'x64', 'arm', 'ppc64', 's390x', 'riscv64', 'ia32', 'wasm32']

/** What a package of one platform restricts itself to, read off its name, such as `x-linux-arm64-musl`. */
function restrictions(name: string): Pick<LockedPackage, 'os' | 'cpu' | 'libc'> {
  const words = name === 'fsevents' ? ['darwin'] : name.split(/[-/]/)
  const os = systems.filter((system) => words.includes(system))
  const cpu = processors.filter((processor) => words.includes(processor))
  const libc = words.includes('musl') ? ['musl'] : words.includes('gnu') ? ['glibc'] : []
  return { ...(os.length > 0 && { os }), ...(cpu.length > 0 && { cpu }), ...(libc.length > 0 && { libc }) }
}

/**
 * The entries that the lockfile lacks: one for each optional dependency of each package that has none.
 *
 * @param lock - a parsed package-lock.json of version 3; not modified
 * @returns entries by their key in `packages`; empty when the lockfile is complete
 */
export function missingEntries(lock: Lockfile): Record<string, LockedPackage> {
  const missing: Record<string, LockedPackage> = {}
  for (const [place, entry] of Object.entries(lock.packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      const places = [`node_modules/${name}`, `${place}/node_modules/${name}`]
      if (places.some((path) => path in lock.packages)) continue
      missing[`node_modules/${name}`] = { version: range.replace(/^[~^]/, ''), ...restrictions(name), optional: true }
    }
  }
  return missing
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const path = resolve(import.meta.dirname, '../../package-lock.json')
  const lock: Lockfile = JSON.parse(readFileSync(path, 'utf8'))
  const missing = missingEntries(lock)
  const packages = Object.entries({ ...lock.packages, ...missing }).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, null, 2)}\n`)
  process.stdout.write(`${Object.keys(missing).length} entries added to package-lock.json\n`)
}
