// The kanban as a subject: a process that tells what it has used, with a database of its own and its team.
import { fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { Program } from '../agent/application/child.ts'
import type { Subject } from '../agent/subjects/subjects.ts'
import { TeamLoad } from './team-load.ts'

export interface Kanban {
  readonly subject: Subject
  readonly program: Program
  readonly load: TeamLoad
}

/** Starts it and logs its team in. @param begun - called when it listens, before the team comes */
export async function startKanban(subject: Subject, databaseUrl: string, collector: string, begun: (pid: number | undefined) => void = () => undefined): Promise<Kanban> {
  const env = { ...process.env, KANBAN_PORT: '0', DATABASE_URL: databaseUrl, ...subject.env(collector) }
  const usage = new URL('usage.js', import.meta.url).href
  const child = fork(fileURLToPath(new URL('../../../apps/kanban/dist/main.js', import.meta.url)), [], { env, execArgv: ['--import', usage, ...subject.args.esm], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  if (child.stdout === null) throw new Error('the kanban has no output')
  const lines = createInterface({ input: child.stdout })
  for await (const line of lines) {
    const url = /listening on (\S+)/.exec(line)?.[1]
    if (url === undefined) continue
    begun(child.pid)
    return { subject, program: { child, port: Number(new URL(url).port) }, load: await TeamLoad.start(url) }
  }
  throw new Error(`the kanban under ${subject.name} ended before it listened`)
}

/** A database of its own for each kanban, on one server. @returns their addresses */
export async function createDatabases(serverUrl: string, count: number): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: serverUrl })
  await client.connect()
  const urls: string[] = []
  for (let index = 0; index < count; index += 1) {
    await client.query(`CREATE DATABASE bench_${index}`)
    const url = new URL(serverUrl)
    url.pathname = `/bench_${index}`
    urls.push(url.href)
  }
  await client.end()
  return urls
}
