// The same application bare, under ours and under the peers, in turn; every span that was sent is checked.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { type MeasureOptions, speakPostgres } from '@andon/bench'
import { median, type Milliseconds } from '@andon/model'
import { ANDON, BARE, peerSubjects, type Subject, VARIANTS } from '../subjects/subjects.ts'
import { type Alive, startAlive, stopAlive } from './alive.ts'
import { ask, OTHER_CORE, pin } from './child.ts'
import type { Completeness } from './complete.ts'
import { runLoad } from './load.ts'
import type { Goals } from './goals.ts'
import { applicationReport, type Where } from './report.ts'
import type { Sample } from './sample.ts'
import type { Usage } from './usage.ts'
import type { Shares } from './where.ts'

const TURNS = 4

/** Where the statements go. */
export interface Database {
  readonly url: string
  stop(): Promise<void>
}

export interface ApplicationCase {
  readonly title: string
  readonly framework: 'fastify' | 'express'
  /** What answers the statements, for the report. */
  readonly others: string
  readonly startDatabase: () => Promise<Database>
  readonly goals: Goals
}

/** Answers for PostgreSQL at once, so that the application's core is what is saturated; in this process, which does not sleep while it loads. */
export async function startStub(): Promise<Database> {
  const server = createServer(speakPostgres)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the stub has no port')
  const stop = async (): Promise<void> => {
    server.close()
    await once(server, 'close')
  }
  return { url: `postgres://bench@127.0.0.1:${address.port}/bench`, stop }
}

interface Setting {
  readonly framework: string
  readonly databaseUrl: string
  readonly connections: number
  readonly seconds: number
}

/** One subject's application, alive through a round, and its collector. */
interface Running extends Alive {
  readonly subject: Subject
  readonly began: Milliseconds
  readonly turns: Sample[]
  /** Requests whose spans have not been checked yet. */
  unchecked: number
}

async function start(subject: Subject, { framework, databaseUrl }: Setting): Promise<Running> {
  return { subject, ...(await startAlive(subject, framework, databaseUrl)), began: performance.now(), turns: [], unchecked: 0 }
}

async function warm(running: Running, { connections, seconds }: Setting): Promise<void> {
  const { requests } = await runLoad(running.application.port, connections, seconds / 2)
  running.unchecked += requests
  await ask<Usage>(running.application, 'drain')
}

/** One subject's turn: load, all that was recorded sent, and every span of it checked. */
async function turn(running: Running, connections: number, seconds: number): Promise<Sample> {
  const { application, collector } = running
  const before = await ask<Usage>(application, 'usage')
  const load = await runLoad(application.port, connections, seconds)
  const loaded = await ask<Usage>(application, 'usage')
  const drained = await ask<Usage>(application, 'drain')
  const requests = running.unchecked + load.requests
  running.unchecked = 0
  return {
    perSecond: load.requests / load.seconds,
    userUs: (drained.userUs - before.userUs) / load.requests,
    systemUs: (drained.systemUs - before.systemUs) / load.requests,
    p50: load.p50,
    p99: load.p99,
    residentMb: loaded.residentBytes / 2 ** 20,
    requests,
    seen: await ask<Completeness>(collector, 'check'),
  }
}

/** A run of its own, since a profiler costs as well. */
async function whereOf(subject: Subject, setting: Setting): Promise<Where> {
  const running = await start(subject, setting)
  try {
    await warm(running, setting)
    await ask<Usage>(running.application, 'profile')
    const { requests } = await runLoad(running.application.port, setting.connections, setting.seconds)
    return { subject: subject.name, requests, shares: await ask<Shares>(running.application, 'shares') }
  } finally {
    await stopAlive(running)
  }
}

function chosen({ subjects }: MeasureOptions): readonly Subject[] {
  const [first, ...others] = [...BARE, ANDON, ...VARIANTS, ...peerSubjects()]
  if (first === undefined) return []
  // Without the bare application there is nothing to compare with.
  return [first, ...others.filter(({ name }) => subjects.length === 0 || subjects.some((word) => name.toLowerCase().includes(word.toLowerCase())))]
}

function summed(turns: readonly Sample[]): Sample {
  const requests = turns.reduce((sum, each) => sum + each.requests, 0)
  const mean = (of: (turn: Sample) => number): number => turns.reduce((sum, each) => sum + of(each) * each.requests, 0) / requests
  const seen = (of: keyof Completeness): number => turns.reduce((sum, each) => sum + each.seen[of], 0)
  return {
    perSecond: mean(({ perSecond }) => perSecond),
    userUs: mean(({ userUs }) => userUs),
    systemUs: mean(({ systemUs }) => systemUs),
    p50: median(turns.map(({ p50 }) => p50)),
    p99: median(turns.map(({ p99 }) => p99)),
    residentMb: Math.max(...turns.map(({ residentMb }) => residentMb)),
    requests,
    seen: { spans: seen('spans'), recorded: seen('recorded'), complete: seen('complete'), strays: seen('strays') },
  }
}

/**
 * All applications are alive together and have their turns of two seconds one after the other: a machine that is slow for ten seconds
 * slows all of them, which turns of eight seconds would not level out.
 */
async function round(subjects: readonly Subject[], index: number, setting: Setting): Promise<Map<string, Sample>> {
  const running: Running[] = []
  try {
    for (const subject of subjects) running.push(await start(subject, setting))
    for (const each of running) await warm(each, setting)
    for (const { subject, began } of running) await wait(Math.max(0, subject.settlesMs - (performance.now() - began)))
    for (let step = 0; step < TURNS; step += 1) {
      const from = (index + step) % running.length
      for (const each of [...running.slice(from), ...running.slice(0, from)]) each.turns.push(await turn(each, setting.connections, setting.seconds / TURNS))
    }
    return new Map(running.map(({ subject, turns }) => [subject.name, summed(turns)]))
  } finally {
    for (const each of running) await stopAlive(each)
  }
}

/** Each round has processes of its own: two of the same program differ by more than a process does from turn to turn. */
async function sampled(subjects: readonly Subject[], rounds: number, setting: Setting): Promise<Map<string, readonly Sample[]>> {
  const samples = new Map<string, Sample[]>(subjects.map(({ name }) => [name, []]))
  for (let index = 0; index < rounds; index += 1) for (const [name, sample] of await round(subjects, index, setting)) samples.get(name)?.push(sample)
  return samples
}

async function table(of: ApplicationCase, subjects: readonly Subject[], { rounds }: MeasureOptions, setting: Setting): Promise<string> {
  const samples = await sampled(subjects, rounds, setting)
  const where: Where[] = []
  for (const subject of [BARE[0], subjects.find(({ name }) => name === ANDON.name)]) if (subject !== undefined) where.push(await whereOf(subject, setting))
  const { title, others, goals } = of
  return applicationReport({ title, others, goals, where, rounds, turns: TURNS, seconds: setting.seconds / TURNS, connections: setting.connections }, subjects, samples)
}

/** @returns a report in Markdown: a table for each number of connections */
export async function measureApplication(of: ApplicationCase, options: MeasureOptions): Promise<string> {
  // What is started from here inherits the core.
  pin(process.pid, OTHER_CORE)
  const subjects = chosen(options)
  const database = await of.startDatabase()
  const tables: string[] = []
  try {
    for (const connections of options.connections) {
      tables.push(await table(of, subjects, options, { framework: of.framework, databaseUrl: database.url, connections, seconds: options.isQuick ? 2 : 8 }))
    }
  } finally {
    await database.stop()
  }
  return tables.join('\n')
}
