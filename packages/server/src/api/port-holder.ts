import { execFile } from 'node:child_process'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { promisify } from 'node:util'

/** The process that listens on a TCP port. */
export interface PortHolder {
  readonly pid: number
  /** Its command line, shortened. */
  readonly command: string
}

const COMMAND_LENGTH_MAX = 200

/** Inodes of the sockets that listen on a port, from the text of /proc/net/tcp or tcp6. */
export function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/)
    // 0A is LISTEN.
    return state === '0A' && local.endsWith(suffix) && inode !== '' ? [inode] : []
  })
}

async function holds(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  // What belongs to other users cannot be read, and processes end meanwhile.
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => [])
  const links = await Promise.all(descriptors.map((descriptor) => readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '')))
  return links.some((link) => sockets.has(link))
}

async function findOnLinux(port: number): Promise<PortHolder | undefined> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')))
  const sockets = new Set(tables.flatMap((table) => listeningInodes(table, port)).map((inode) => `socket:[${inode}]`))
  if (sockets.size === 0) return undefined
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))
  const found = await Promise.all(pids.map((pid) => holds(pid, sockets)))
  const pid = pids.find((_pid, index) => found[index] === true)
  if (pid === undefined) return undefined
  const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim()
  return { pid: Number(pid), command: command.slice(0, COMMAND_LENGTH_MAX) }
}

async function findByLsof(port: number): Promise<PortHolder | undefined> {
  const { stdout } = await promisify(execFile)('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], { timeout: 3000 })
  const pid = /^p(\d+)$/m.exec(stdout)?.[1]
  const command = /^c(.+)$/m.exec(stdout)?.[1] ?? ''
  return pid === undefined ? undefined : { pid: Number(pid), command }
}

/**
 * Who listens on a TCP port of this machine.
 *
 * @returns undefined when nobody does or it cannot be told; never rejects
 */
export async function findPortHolder(port: number): Promise<PortHolder | undefined> {
  try {
    return process.platform === 'linux' ? await findOnLinux(port) : await findByLsof(port)
  } catch {
    return undefined
  }
}
