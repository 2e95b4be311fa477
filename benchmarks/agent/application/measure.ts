// The same application bare, under ours and under a peer, in turn; every span that was sent is checked.
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { machine } from '@andon/bench'
import { median } from '@andon/model'
import { runLoad } from './load.ts'

const CONNECTIONS = 16
/** The application has a core of its own; everything else has the other. */
const APPLICATION_CORE = '0'
const OTHER_CORE = '1'

interface Subject {
  readonly name: string
  readonly imports: readonly string[]
  readonly isTraced: boolean
}

const SUBJECTS: readonly Subject[] = [
  { name: 'bare', imports: [], isTraced: false },
  { name: 'bare again', imports: [], isTraced: false },
  { name: 'andon', imports: [import.meta.resolve('@andon/agent/register')], isTraced: true },
  { name: 'OpenTelemetry SDK', imports: [new URL('opentelemetry.js', import.meta.url).href], isTraced: true },
]

interface Sample {
  readonly perSecond: number
  readonly cpuUs: number
  readonly p99: number
  readonly residentMb: number
  /** The share of requests with exactly their three spans. */
  readonly complete: number
}

function pin(child: ChildProcess, core: string): void {
  if (process.platform === 'linux') spawnSync('taskset', ['-a', '-c', '-p', core, String(child.pid)])
}

async function start(file: string, core: string, env: NodeJS.ProcessEnv = {}, imports: readonly string[] = []): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = fork(new URL(file, import.meta.url), [], { env: { ...process.env, ...env }, execArgv: imports.flatMap((each) => ['--import', each]), stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const [started]: { readonly port: number }[] = await once(child, 'message')
  if (started === undefined) throw new Error(`${file} did not start`)
  pin(child, core)
  return { child, port: started.port }
}

async function ask<T>(child: ChildProcess): Promise<T> {
  child.send('tell')
  const [answer]: T[] = await once(child, 'message')
  if (answer === undefined) throw new Error('no answer')
  return answer
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

async function sample(subject: Subject, framework: string, stubPort: number, seconds: number): Promise<Sample> {
  const collector = await start('collector.js', OTHER_CORE)
  const env = { FRAMEWORK: framework, PGURL: `postgres://bench@127.0.0.1:${stubPort}/bench`, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}`, OTEL_SERVICE_NAME: 'bench' }
  const application = await start('server.js', APPLICATION_CORE, env, subject.imports)
  try {
    const warm = await runLoad(application.port, CONNECTIONS, seconds / 2)
    const before = await ask<{ readonly cpuUs: number }>(application.child)
    const load = await runLoad(application.port, CONNECTIONS, seconds)
    const after = await ask<{ readonly cpuUs: number; readonly residentBytes: number }>(application.child)
    await stop(application.child)
    const { complete } = await ask<{ readonly complete: number }>(collector.child)
    return {
      perSecond: load.requests / load.seconds,
      cpuUs: (after.cpuUs - before.cpuUs) / load.requests,
      p99: load.p99,
      residentMb: after.residentBytes / 2 ** 20,
      complete: complete / (warm.requests + load.requests),
    }
  } finally {
    await stop(application.child)
    await stop(collector.child)
  }
}

const digits: Intl.NumberFormat = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

function spread(values: readonly number[]): string {
  return `${digits.format(median(values))} (${digits.format(Math.min(...values))} to ${digits.format(Math.max(...values))})`
}

function row(subject: Subject, samples: readonly Sample[], bare: readonly Sample[]): string {
  const ratio = samples.map(({ perSecond }, round) => perSecond / (bare[round]?.perSecond ?? Number.NaN))
  const added = samples.map(({ cpuUs }, round) => cpuUs - (bare[round]?.cpuUs ?? Number.NaN))
  const complete = subject.isTraced ? `${digits.format(Math.min(...samples.map((each) => each.complete)) * 100)} %` : '–'
  return `| ${subject.name} | ${spread(ratio)} | ${spread(samples.map(({ cpuUs }) => cpuUs))} | ${spread(added)} | ${spread(samples.map(({ p99 }) => p99))} | ${spread(samples.map(({ residentMb }) => residentMb))} | ${complete} |`
}

/** @returns a report in Markdown */
export async function measureApplication(framework: 'fastify' | 'express', isQuick: boolean): Promise<string> {
  const [rounds, seconds] = isQuick ? [1, 3] : [5, 8]
  const stub = await start('postgres-stub.js', OTHER_CORE)
  if (process.platform === 'linux') spawnSync('taskset', ['-a', '-c', '-p', OTHER_CORE, String(process.pid)])
  const samples = new Map<string, Sample[]>(SUBJECTS.map(({ name }) => [name, []]))
  try {
    for (let round = 0; round < rounds; round += 1) {
      // Each round begins with another subject, so that a machine that slows down slows all.
      const order = SUBJECTS.map((_, index) => SUBJECTS[(index + round) % SUBJECTS.length])
      for (const subject of order) if (subject !== undefined) samples.get(subject.name)?.push(await sample(subject, framework, stub.port, seconds))
    }
  } finally {
    await stop(stub.child)
  }
  const bare = samples.get('bare') ?? []
  return [
    `### ${framework}: JSON and two statements a request, the application's core saturated`,
    '',
    '| subject | requests per second ÷ bare | CPU µs per request | added µs | p99 ms | resident MiB | requests with exactly their spans |',
    '|---|---|---|---|---|---|---|',
    ...SUBJECTS.map((subject) => row(subject, samples.get(subject.name) ?? [], bare)),
    '',
    `Medians of ${rounds} rounds of ${seconds} s each after ${seconds / 2} s of warming up, in turn (smallest to largest); ${CONNECTIONS} connections; the application on one core, load, a stub that answers for PostgreSQL and collector on the other. ${machine()}.`,
    '',
  ].join('\n')
}
