import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { findBinaries, startPostgres } from './embedded-postgres.ts'

function skipped(): string | false {
  if (process.platform !== 'linux') return 'processes are looked up in /proc'
  try {
    findBinaries()
    return false
  } catch (error) {
    return String(error)
  }
}
const skip = skipped()

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'andon-postgres-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))
  return folder
}

interface Process {
  readonly pid: number
  readonly parent: number
  readonly command: string
}

/** @returns undefined for one that has ended */
function readProcess(pid: number): Process | undefined {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
    // `pid (name) state parent …`, and the name may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { pid, parent: Number(parent), command }
  } catch {
    return undefined
  }
}

/** The processes that name a folder. */
function naming(folder: string): Process[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  return pids.flatMap((pid) => readProcess(Number(pid)) ?? []).filter(({ command }) => command.includes(folder))
}

/** Servers of a folder: a server forks at any time, and its child bears its name until it has taken its own. */
function serversOf(folder: string): Process[] {
  const all = naming(folder).filter(({ command }) => command.includes('bin/postgres -D'))
  return all.filter(({ parent }) => !all.some(({ pid }) => pid === parent))
}

async function allGone(folder: string): Promise<void> {
  let left = naming(folder)
  for (let attempt = 0; attempt < 200 && left.length > 0; attempt += 1) {
    await wait(50)
    left = naming(folder)
  }
  assert.deepEqual(left, [])
}

test('a PostgreSQL ends with a kanban that was killed, and its data are whole', { skip, timeout: 120_000 }, async (t) => {
  const folder = folderOf(t)
  const program = `const { startPostgres } = await import(${JSON.stringify(new URL('embedded-postgres.js', import.meta.url).href)}); const { connectionString } = await startPostgres(${JSON.stringify(folder)}); console.log(connectionString); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  await once(createInterface({ input: child.stdout }), 'line')
  assert.equal(serversOf(folder).length, 1)
  assert.equal(naming(folder).filter(({ command }) => command.startsWith('/bin/sh')).length, 1)
  child.kill('SIGKILL')
  await once(child, 'close')
  await allGone(folder)

  const again = await startPostgres(folder)
  await again.stop()
  await allGone(folder)
})
