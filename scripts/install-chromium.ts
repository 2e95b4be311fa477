import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const installed = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const timeout = 5 * 60_000

/**
 * Installs Debian's Chromium for the tests of pages where that can be done: on a system with apt-get, as root, and
 * when no browser is there yet. Elsewhere it does nothing, and those tests say that they were skipped.
 */
export function installChromium(): void {
  if (process.env['CHROMIUM_PATH'] !== undefined || installed.some((path) => existsSync(path))) return
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return
  process.stderr.write('Installing Chromium for the tests of pages …\n')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [['update', '-qq'], ['install', '-y', '-qq', '--no-install-recommends', 'chromium']]) {
    const done = spawnSync('apt-get', args, { env, timeout, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
    if (done.status !== 0) {
      process.stderr.write(`  not possible here (apt-get ${args[0] ?? ''}: ${done.stderr.trim().split('\n').at(-1) ?? 'no answer'})\n`)
      return
    }
  }
}
