// A Redis for the tests beside it: the one of the machine, or the one that Debian packs, put into a folder.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { freePort } from '../postgres.test.ts'

const run = promisify(execFile)
const INSTALLED = ['/usr/bin/redis-server', '/usr/local/bin/redis-server', '/opt/homebrew/bin/redis-server']
const PACKED = ['redis-server', 'redis-tools', 'liblzf1', 'libjemalloc2', 'liblua5.1-0', 'lua-bitop', 'lua-cjson']

interface Program {
  readonly path: string
  readonly libraries: string
}

/** Takes the packages apart in a folder: nothing of the machine is changed. */
async function unpack(folder: string): Promise<Program | undefined> {
  try {
    await Promise.all(PACKED.map((name) => run('apt-get', ['download', name], { cwd: folder }).catch(() => undefined)))
    await run('sh', ['-c', 'for each in *.deb; do dpkg -x "$each" root; done'], { cwd: folder })
    const path = join(folder, 'root/usr/bin/redis-server')
    const { stdout } = await run('dpkg-architecture', ['-qDEB_HOST_MULTIARCH']).catch(() => ({ stdout: process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu' }))
    return existsSync(path) ? { path, libraries: join(folder, 'root/usr/lib', stdout.trim()) } : undefined
  } catch {
    return undefined
  }
}

/** @returns the port of a Redis that ends with the test; undefined where there is none and the test should be skipped */
export async function startRedis(t: TestContext): Promise<number | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'andon-redis-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const installed = INSTALLED.find((path) => existsSync(path))
  const program = installed === undefined ? await unpack(folder) : { path: installed, libraries: '' }
  if (program === undefined) return undefined
  const port = await freePort()
  const server = spawn(program.path, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder], { env: { ...process.env, LD_LIBRARY_PATH: program.libraries }, stdio: ['ignore', 'pipe', 'ignore'] })
  const closed = once(server, 'close')
  t.after(async () => {
    server.kill('SIGTERM')
    await closed
  })
  for await (const line of createInterface({ input: server.stdout })) {
    if (!line.includes('Ready to accept connections')) continue
    server.stdout.resume()
    return port
  }
  return undefined
}
