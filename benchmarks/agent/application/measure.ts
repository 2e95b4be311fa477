// The same application bare, under ours and under the peers, in turn; every span that was sent is checked.
import { setTimeout as wait } from 'node:timers/promises'
import type { MeasureOptions } from '@andon/bench'
import { ANDON, BARE, peerSubjects, type Subject, VARIANTS } from '../subjects/subjects.ts'
import { APPLICATION_CORE, ask, OTHER_CORE, pin, startProgram, stopProgram } from './child.ts'
import type { Completeness } from './complete.ts'
import { type Load, runLoad } from './load.ts'
import type { Goals } from './goals.ts'
import { applicationReport, type Where } from './report.ts'
import type { Sample } from './sample.ts'
import type { Usage } from './usage.ts'
import type { Shares } from './where.ts'

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

/** Answers at once, so that the application's core is what is saturated. */
export async function startStub(): Promise<Database> {
  const stub = await startProgram('postgres-stub.js', OTHER_CORE)
  return { url: `postgres://bench@127.0.0.1:${stub.port}/bench`, stop: () => stopProgram(stub) }
}

interface Setting {
  readonly framework: string
  readonly databaseUrl: string
  readonly connections: number
  readonly seconds: number
}

interface Measured {
  /** Requests before the measurement, whose spans are checked too. */
  readonly warm: Load
  readonly load: Load
  readonly before: Usage
  readonly loaded: Usage
  readonly drained: Usage
  readonly seen: Completeness
}

function sampleOf({ warm, load, before, loaded, drained, seen }: Measured): Sample {
  return {
    perSecond: load.requests / load.seconds,
    userUs: (drained.userUs - before.userUs) / load.requests,
    systemUs: (drained.systemUs - before.systemUs) / load.requests,
    p50: load.p50,
    p99: load.p99,
    residentMb: loaded.residentBytes / 2 ** 20,
    requests: warm.requests + load.requests,
    seen,
  }
}

async function sample(subject: Subject, { framework, databaseUrl, connections, seconds }: Setting): Promise<Sample> {
  const collector = await startProgram('collector.js', OTHER_CORE)
  try {
    const env = { FRAMEWORK: framework, PGURL: databaseUrl, SUBJECT: subject.name, ...subject.env(`http://127.0.0.1:${collector.port}`) }
    const application = await startProgram('server.js', APPLICATION_CORE, env, subject.args.commonjs)
    try {
      const begun = performance.now()
      const warm = await runLoad(application.port, connections, seconds / 2)
      await wait(Math.max(0, subject.settlesMs - (performance.now() - begun)))
      const before = await ask<Usage>(application, 'drain')
      const load = await runLoad(application.port, connections, seconds)
      const loaded = await ask<Usage>(application, 'usage')
      const drained = await ask<Usage>(application, 'drain')
      await stopProgram(application)
      return sampleOf({ warm, load, before, loaded, drained, seen: await ask<Completeness>(collector, 'check') })
    } finally {
      await stopProgram(application)
    }
  } finally {
    await stopProgram(collector)
  }
}

/** A run of its own, since a profiler costs as well. */
async function whereOf(subject: Subject, { framework, databaseUrl, connections, seconds }: Setting): Promise<Where> {
  const collector = await startProgram('collector.js', OTHER_CORE)
  try {
    const env = { FRAMEWORK: framework, PGURL: databaseUrl, SUBJECT: subject.name, ...subject.env(`http://127.0.0.1:${collector.port}`) }
    const application = await startProgram('server.js', APPLICATION_CORE, env, subject.args.commonjs)
    try {
      await runLoad(application.port, connections, seconds / 2)
      await ask<Usage>(application, 'profile')
      const { requests } = await runLoad(application.port, connections, seconds)
      return { subject: subject.name, requests, shares: await ask<Shares>(application, 'shares') }
    } finally {
      await stopProgram(application)
    }
  } finally {
    await stopProgram(collector)
  }
}

function chosen({ subjects }: MeasureOptions): readonly Subject[] {
  const [first, ...others] = [...BARE, ANDON, ...VARIANTS, ...peerSubjects()]
  if (first === undefined) return []
  // Without the bare application there is nothing to compare with.
  return [first, ...others.filter(({ name }) => subjects.length === 0 || subjects.some((word) => name.toLowerCase().includes(word.toLowerCase())))]
}

async function table(of: ApplicationCase, subjects: readonly Subject[], options: MeasureOptions, setting: Setting): Promise<string> {
  const samples = new Map<string, Sample[]>(subjects.map(({ name }) => [name, []]))
  for (let round = 0; round < options.rounds; round += 1) {
    // Each round begins with another subject, so that a machine that slows down slows all.
    const order = subjects.map((_, index) => subjects[(index + round) % subjects.length])
    for (const subject of order) if (subject !== undefined) samples.get(subject.name)?.push(await sample(subject, setting))
  }
  const where: Where[] = []
  for (const subject of [BARE[0], subjects.find(({ name }) => name === ANDON.name)]) if (subject !== undefined) where.push(await whereOf(subject, setting))
  const { title, others, goals } = of
  return applicationReport({ title, others, goals, where, rounds: options.rounds, seconds: setting.seconds, connections: setting.connections }, subjects, samples)
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
