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

/** The commands of processes that name a folder. */
function naming(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return ''
      }
    })
    .filter((command) => command.includes(folder))
}

async function allGone(folder: string): Promise<void> {
  for (let attempt = 0; attempt < 200 && naming(folder).length > 0; attempt += 1) await wait(50)
  assert.deepEqual(naming(folder), [])
}

test('a PostgreSQL ends with a kanban that was killed, and its data are whole', { skip, timeout: 120_000 }, async (t) => {
  const folder = folderOf(t)
  const program = `const { startPostgres } = await import(${JSON.stringify(new URL('embedded-postgres.js', import.meta.url).href)}); const { connectionString } = await startPostgres(${JSON.stringify(folder)}); console.log(connectionString); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  await once(createInterface({ input: child.stdout }), 'line')
  // Its own children bear its name until they have taken theirs.
  const servers = (): number => naming(folder).filter((command) => command.includes('bin/postgres -D')).length
  for (let attempt = 0; attempt < 200 && servers() !== 1; attempt += 1) await wait(50)
  assert.equal(servers(), 1)
  assert.equal(naming(folder).filter((command) => command.startsWith('/bin/sh')).length, 1)
  child.kill('SIGKILL')
  await once(child, 'close')
  await allGone(folder)

  const again = await startPostgres(folder)
  await again.stop()
  await allGone(folder)
})
