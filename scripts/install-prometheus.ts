import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const minute = 60_000
/** Debian's packages, and the program of each that the tests start. */
const PACKAGES: readonly (readonly [name: string, program: string])[] = [
  ['prometheus', 'usr/bin/prometheus'],
  ['prometheus-alertmanager', 'usr/bin/amtool'],
]

/**
 * Fetches Debian's Prometheus and Alertmanager's amtool for the tests that have them as peers, on a system with apt-get.
 * Their packages are unpacked in the project's cache: installed, they would start services. Elsewhere nothing is done, and
 * those tests say that they were skipped.
 */
export function installPrometheus(root: string): void {
  const folder = join(root, 'node_modules/.cache/prometheus')
  if (process.platform !== 'linux' || !existsSync('/usr/bin/apt-get')) return
  for (const [name, program] of PACKAGES) if (!existsSync(join(folder, program))) unpack(name, folder)
}

function unpack(name: string, folder: string): void {
  process.stderr.write(`Fetching ${name} for the tests with a peer …\n`)
  mkdirSync(folder, { recursive: true })
  const archives = (): string[] => readdirSync(folder).filter((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'))
  for (const archive of archives()) rmSync(join(folder, archive))
  const run = (command: string, args: string[]): SpawnSyncReturns<string> => spawnSync(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8', timeout: 5 * minute })
  const download = (): SpawnSyncReturns<string> => run('apt-get', ['download', '-qq', name])
  let done = download()
  // The lists of packages may be missing, as they are in images.
  if (done.status !== 0 && process.getuid?.() === 0 && run('apt-get', ['update', '-qq']).status === 0) done = download()
  const [archive] = archives()
  if (done.status === 0 && archive !== undefined) done = run('dpkg-deb', ['-x', archive, '.'])
  if (done.status !== 0) process.stderr.write(`  not possible here (${done.stderr.trim().split('\n').at(-1) ?? 'no answer'})\n`)
}
