import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const minute = 60_000
/**
 * Fetches Debian's Prometheus for the tests that have one as peer, on a system with apt-get. Its package is unpacked in
 * the project's cache: installed, it would start a service. Elsewhere nothing is done, and those tests say that they
 * were skipped.
 */
export function installPrometheus(root: string): void {
  const folder = join(root, 'node_modules/.cache/prometheus')
  if (existsSync(join(folder, 'usr/bin/prometheus')) || process.platform !== 'linux' || !existsSync('/usr/bin/apt-get')) return
  process.stderr.write('Fetching Prometheus for the tests with a peer …\n')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const run = (command: string, args: string[]): SpawnSyncReturns<string> => spawnSync(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8', timeout: 5 * minute })
  const download = (): SpawnSyncReturns<string> => run('apt-get', ['download', '-qq', 'prometheus'])
  let done = download()
  // The lists of packages may be missing, as they are in images.
  if (done.status !== 0 && process.getuid?.() === 0 && run('apt-get', ['update', '-qq']).status === 0) done = download()
  const archive = readdirSync(folder).find((name) => name.endsWith('.deb'))
  if (done.status === 0 && archive !== undefined) done = run('dpkg-deb', ['-x', archive, '.'])
  if (done.status !== 0) process.stderr.write(`  not possible here (${done.stderr.trim().split('\n').at(-1) ?? 'no answer'})\n`)
}
