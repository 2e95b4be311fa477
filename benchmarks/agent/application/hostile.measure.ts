// What the host notices of a server of ours that is dead, slow or hostile: latency and throughput against the same application
// with a server that is well, in interleaved runs. "well again" is the noise.
import { type MeasureOptions, machine } from '@andon/bench'
import { median, pairedRatio } from '@andon/model'
import { ANDON, type Subject } from '../subjects/subjects.ts'
import { APPLICATION_CORE, ask, OTHER_CORE, pin, type Program, startProgram, stopProgram } from './child.ts'
import { runLoad } from './load.ts'
import { startStub } from './measure.ts'
import type { Usage } from './usage.ts'

/** Names of the report, and the server that the agent's tests know by the second. */
const SERVERS: readonly (readonly [string, string | undefined])[] = [
  ['well', undefined],
  ['well again', undefined],
  ['connection refused', 'refused'],
  ['black hole', 'takes connections and says nothing'],
  ['does not read', 'does not even read'],
  ['a byte a second', 'sends a byte a second'],
  ['500', 'answers 500'],
  ['429, Retry-After of years', 'answers 429 with a Retry-After of years'],
  ['endless body', 'sends an endless body'],
  ['garbage', 'answers with garbage'],
  ['reset in the middle of the body', 'resets the connection in the middle of the body'],
  ['garbage in place of TLS', 'tls'],
]

interface Sample {
  readonly perSecond: number
  readonly p99: number
  readonly cpuUs: number
  readonly residentMb: number
}

/** The server, and the address that the agent is given. */
async function startServer(kind: string | undefined): Promise<{ readonly url: string; readonly program: Program | undefined }> {
  // Port 9 of discard, where nobody listens.
  if (kind === 'refused') return { url: 'http://127.0.0.1:9', program: undefined }
  const program = kind === undefined ? await startProgram('collector.js', OTHER_CORE) : await startProgram('hostile-server.js', OTHER_CORE, { HOSTILE: kind === 'tls' ? 'answers with garbage' : kind })
  return { url: `${kind === 'tls' ? 'https' : 'http'}://127.0.0.1:${program.port}`, program }
}

async function sample(subject: Subject, kind: string | undefined, setting: { readonly databaseUrl: string; readonly connections: number; readonly seconds: number }): Promise<Sample> {
  const server = await startServer(kind)
  try {
    const env = { FRAMEWORK: 'fastify', PGURL: setting.databaseUrl, SUBJECT: subject.name, ...subject.env(server.url) }
    const application = await startProgram('server.js', APPLICATION_CORE, env, subject.args.commonjs)
    try {
      await runLoad(application.port, setting.connections, setting.seconds / 2)
      const before = await ask<Usage>(application, 'usage')
      const load = await runLoad(application.port, setting.connections, setting.seconds)
      const after = await ask<Usage>(application, 'usage')
      const cpuUs = after.userUs + after.systemUs - before.userUs - before.systemUs
      return { perSecond: load.requests / load.seconds, p99: load.p99, cpuUs: cpuUs / load.requests, residentMb: after.residentBytes / 2 ** 20 }
    } finally {
      await stopProgram(application)
    }
  } finally {
    if (server.program !== undefined) await stopProgram(server.program)
  }
}

const digits: Intl.NumberFormat = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

function ratio(of: (sample: Sample) => number, samples: readonly Sample[], well: readonly Sample[]): string {
  const { median: middle, low, high } = pairedRatio(samples.map(of), well.map(of), 0.95)
  return `${digits.format(middle)} (${digits.format(low)} to ${digits.format(high)})`
}

function row(name: string, samples: readonly Sample[], well: readonly Sample[]): string {
  const of = (read: (sample: Sample) => number): string => digits.format(median(samples.map(read)))
  const cells = [ratio(({ perSecond }) => perSecond, samples, well), ratio(({ p99 }) => p99, samples, well), of(({ p99 }) => p99), of(({ cpuUs }) => cpuUs), of(({ residentMb }) => residentMb)]
  return `| ${name} | ${cells.join(' | ')} |`
}

/** @returns a report in Markdown: a table for each number of connections */
export async function measure(options: MeasureOptions): Promise<string> {
  pin(process.pid, OTHER_CORE)
  const seconds = options.isQuick ? 2 : 8
  const database = await startStub()
  const tables: string[] = []
  try {
    for (const connections of options.connections) {
      const samples = new Map<string, Sample[]>(SERVERS.map(([name]) => [name, []]))
      for (let round = 0; round < options.rounds; round += 1) {
        // Each round begins with another server, so that a machine that slows down slows all.
        const from = round % SERVERS.length
        for (const [name, kind] of [...SERVERS.slice(from), ...SERVERS.slice(0, from)]) samples.get(name)?.push(await sample(ANDON, kind, { databaseUrl: database.url, connections, seconds }))
      }
      const well = samples.get('well') ?? []
      tables.push([
        `### What the host notices of a server that is dead, slow or hostile: ${connections} connections`,
        '',
        '| server | requests per second ÷ well | p99 ÷ well | p99 ms | CPU µs per request | resident MiB |',
        '|---|---|---|---|---|---|',
        ...SERVERS.map(([name]) => row(name, samples.get(name) ?? [], well)),
        '',
        `Fastify with JSON and two statements a request, every span recorded; medians of ${options.rounds} rounds of ${seconds} s each after ${seconds / 2} s of warming up, in turn, ratios with the 95 % interval of their median; the application on one core, everything else on the other. ${ANDON.note}. ${machine()}.`,
        '',
      ].join('\n'))
    }
  } finally {
    await database.stop()
  }
  return tables.join('\n')
}
