// `npm run load`: 100 cards created at once, then a team at work; says whether the goals are kept, by the exit code too.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { KanbanClient } from './client.ts'
import { readFlags } from './flags.ts'
import { DEMO_PEOPLE } from './seed.ts'
import { Report, seeded, Worker } from './team.ts'

const USAGE = `npm run load -- [options]
  --url U   a kanban that runs; otherwise one is started on an empty folder
Ends with 1 when a goal is missed.
`

const AT_ONCE = 100
const GOALS = { creationMean: 1000, creationMax: 2000, responseMean: 500 } as const
const TEAM_SECONDS = 20
const TEAM_RATE = 20

/** A kanban of our own on an empty folder. */
async function startKanban(): Promise<{ url: string; stop: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'andon-load-'))
  const env = { ...process.env, KANBAN_PORT: '0', KANBAN_DATA_DIR: folder }
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.js')], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /listening on (\S+)/.exec(line)?.[1]
    if (url === undefined) continue
    const stop = async (): Promise<void> => {
      child.kill('SIGTERM')
      await once(child, 'exit')
      rmSync(folder, { recursive: true, force: true })
    }
    return { url, stop }
  }
  throw new Error('the kanban ended before it listened')
}

async function createAtOnce(url: string): Promise<{ mean: number; max: number; failed: number }> {
  const client = new KanbanClient(url)
  await client.logIn(DEMO_PEOPLE[0].name, DEMO_PEOPLE[0].password)
  const [board] = await client.boards()
  const columnId = board === undefined ? undefined : (await client.board(board.id))?.columns[0]?.id
  if (board === undefined || columnId === undefined) throw new Error('the kanban has no board')
  const answers = await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => client.create(board.id, { columnId, title: `Load ${index + 1}` })))
  const durations = answers.map(({ duration }) => duration)
  return { mean: durations.reduce((sum, each) => sum + each, 0) / durations.length, max: Math.max(...durations), failed: answers.filter(({ status }) => status !== 201).length }
}

async function teamAtWork(url: string): Promise<Report> {
  const report = new Report()
  const random = seeded(1)
  const workers = Array.from({ length: 6 }, (_, index) => new Worker(url, report, random, index))
  const underWay: Promise<void>[] = []
  for (let turn = 0; turn < TEAM_SECONDS * TEAM_RATE; turn += 1) {
    const worker = workers[turn % workers.length]
    if (worker !== undefined) underWay.push(worker.act().catch(() => undefined))
    await wait(1000 / TEAM_RATE)
  }
  await Promise.all(underWay)
  return report
}

function verdict(what: string, value: number, goal: number): boolean {
  const kept = value < goal
  process.stdout.write(`${kept ? 'kept  ' : 'MISSED'}  ${what}: ${value.toFixed(0)} ms (goal: under ${goal} ms)\n`)
  return kept
}

const { url: given } = readFlags({ name: 'load', usage: USAGE, flags: ['url'] })
if (given !== undefined && !URL.canParse(given)) {
  process.stderr.write(`load: --url must be an address such as http://127.0.0.1:3000, not "${given}"\n`)
  process.exit(2)
}
const kanban = given === undefined ? await startKanban() : { url: given, stop: () => Promise.resolve() }
try {
  const { mean, max, failed } = await createAtOnce(kanban.url)
  const report = await teamAtWork(kanban.url)
  process.stdout.write(`${AT_ONCE} cards created at once, ${failed} failed; then ${TEAM_SECONDS} s of a team:\n${report.toString()}\n\n`)
  const kept = [
    verdict(`mean of ${AT_ONCE} creations at once`, mean, GOALS.creationMean),
    verdict(`longest of ${AT_ONCE} creations at once`, max, GOALS.creationMax),
    verdict('mean response under team traffic', report.mean, GOALS.responseMean),
  ]
  process.exitCode = kept.every(Boolean) && failed === 0 && report.failures === 0 ? 0 : 1
} finally {
  await kanban.stop()
}
