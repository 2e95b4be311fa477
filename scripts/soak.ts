// `npm run soak -- agent` drives an application through 10 million requests under the agent, `npm run soak -- profiler` a
// profiler through 100 simulated hours, and prints whether memory grew. `npm run soak -- ingest` does the same with a server that
// takes spans and samples for an hour at half of its top rate; `npm run soak -- kills` kills one a hundred times meanwhile.
// `npm run soak -- corpus` records faults of the running kanban as stored telemetry with its truth, a piece at a time;
// `npm run soak -- score` replays what was recorded through the detectors.
// `npm run soak -- notifications` takes outboxes through 1,000 random sequences of failing receivers and kill -9.
// `npm run soak -- null-suite` holds the detectors against simulated weeks in which nothing is wrong, and against simulated faults.
// --save keeps the report in benchmarks/results/soak. --requests, --hours, --minutes, --rounds and --weeks take another number, --node
// another Node (of agent and profiler). --light asks the agent's application mostly for what needs no statement. Of the corpus:
// --minutes a piece, --fault-minutes a fault, --settle-minutes before it, --note what is to be known of it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { machine } from '@andon/bench'

const root = resolve(import.meta.dirname, '../..')
const { values, positionals } = parseArgs({ allowPositionals: true, options: { save: { type: 'boolean' }, requests: { type: 'string' }, hours: { type: 'string' }, minutes: { type: 'string' }, rounds: { type: 'string' }, weeks: { type: 'string' }, light: { type: 'boolean' }, node: { type: 'string' }, 'fault-minutes': { type: 'string' }, 'settle-minutes': { type: 'string' }, seed: { type: 'string' }, note: { type: 'string' } } })

function numberOf(name: 'requests' | 'hours' | 'minutes' | 'rounds' | 'weeks' | 'fault-minutes' | 'settle-minutes' | 'seed', otherwise: number, least = 10): number {
  const given = Number(values[name] ?? otherwise)
  if (Number.isSafeInteger(given) && given >= least) return given
  process.stderr.write(`--${name} must be a whole number from ${least} on.\n`)
  process.exit(2)
}

/** The line of the machine, with the Node that ran. */
async function machineOf(node: string): Promise<string> {
  const child = spawn(node, ['-p', 'process.versions.node'], { stdio: ['ignore', 'pipe', 'inherit'] })
  let version = ''
  child.stdout.on('data', (chunk: Buffer) => (version += chunk.toString()))
  await once(child, 'close')
  return machine().replace(`Node ${process.versions.node}`, `Node ${version.trim()}`)
}

interface Sample {
  readonly requests: number
  readonly heapBytes: number
  readonly residentBytes: number
  readonly afterMs: number
}

interface Soak {
  readonly soak: (options: { readonly requests: number; readonly every: number; readonly light: boolean; readonly node: string; readonly told: (sample: Sample) => void }) => Promise<unknown>
  readonly reportOf: (result: unknown, machine: string) => string
}

async function load<T>(file: string): Promise<T> {
  const loaded: T = await import(pathToFileURL(join(root, 'test/dist/soak', file)).href)
  return loaded
}

function told(sample: Sample): void {
  process.stderr.write(`${sample.requests} requests, ${(sample.afterMs / 1000).toFixed(0)} s, heap ${(sample.heapBytes / 2 ** 20).toFixed(2)} MiB, resident ${(sample.residentBytes / 2 ** 20).toFixed(1)} MiB\n`)
}

async function agent(node: string): Promise<string> {
  const requests = numberOf('requests', 10_000_000)
  const { soak } = await load<Pick<Soak, 'soak'>>('soak.js')
  const { reportOf } = await load<Pick<Soak, 'reportOf'>>('report.js')
  return reportOf(await soak({ requests, every: Math.max(1, Math.round(requests / 100)), light: values.light === true, node, told }), await machineOf(node))
}

async function profiler(node: string): Promise<string> {
  const { soakProfiler } = await load<{ readonly soakProfiler: (hours: number, node: string, machine: string) => Promise<string> }>('profiler.js')
  return await soakProfiler(numberOf('hours', 100), node, await machineOf(node))
}

interface Ingest {
  readonly soakIngest: (options: { readonly minutes: number; readonly searchMs: number; readonly share: number; readonly samples: number; readonly told: (held: Omit<Sample, 'requests'>) => void }) => Promise<unknown>
  readonly ingestReport: (result: unknown, machine: string) => string
}

function toldHeld({ afterMs, heapBytes, residentBytes }: Omit<Sample, 'requests'>): void {
  process.stderr.write(`${(afterMs / 60_000).toFixed(1)} min, heap ${(heapBytes / 2 ** 20).toFixed(1)} MiB, resident ${(residentBytes / 2 ** 20).toFixed(0)} MiB\n`)
}

async function ingest(node: string): Promise<string> {
  const minutes = numberOf('minutes', 60, 1)
  const { soakIngest } = await load<Pick<Ingest, 'soakIngest'>>('ingest.js')
  const { ingestReport } = await load<Pick<Ingest, 'ingestReport'>>('ingest-report.js')
  return ingestReport(await soakIngest({ minutes, searchMs: 10_000, share: 0.5, samples: Math.max(20, minutes * 2), told: toldHeld }), await machineOf(node))
}

interface Kills {
  readonly killServer: (options: { readonly rounds: number; readonly told: (round: { readonly round: number; readonly afterMs: number; readonly acknowledged: number; readonly underWay: number }) => void }) => Promise<{ readonly faults: readonly string[] }>
  readonly killsReport: (result: unknown, machine: string) => string
}

async function kills(node: string): Promise<string> {
  const rounds = numberOf('rounds', 100, 1)
  const { killServer, killsReport } = await load<Kills>('kills.js')
  const result = await killServer({ rounds, told: ({ round, afterMs, acknowledged, underWay }) => void process.stderr.write(`round ${round}: ${acknowledged} batches in ${afterMs} ms, ${underWay} under way\n`) })
  if (result.faults.length > 0) process.exitCode = 1
  return killsReport(result, await machineOf(node))
}

interface Corpus {
  readonly RECORDED: string
  readonly recordPiece: (options: {
    readonly folder: string
    readonly minutes: number
    readonly faultMinutes: number
    readonly settleMinutes: number
    readonly seed: number
    readonly load: number
    readonly machine: string
    readonly note: string
    readonly signal: AbortSignal
    readonly told: (line: string) => void
  }) => Promise<unknown>
  readonly LOADS: readonly number[]
  readonly laneOf: (folder: string, load: number) => string
  readonly readLanes: (folder: string, loads: readonly number[]) => { readonly next: number; readonly segments: readonly { readonly start: number; readonly end: number; readonly faults: readonly unknown[] }[] }
  readonly scoreCorpus: (options: { readonly historyHours: number; readonly machine: string; readonly told: (line: string) => void }) => Promise<string>
}

function toldLine(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Records a piece, of each load a kanban at the same time; Ctrl+C ends it early and keeps what was recorded. */
async function corpus(node: string): Promise<string> {
  const [minutes, faultMinutes, settleMinutes, seed] = [numberOf('minutes', 60, 1), numberOf('fault-minutes', 5, 1), numberOf('settle-minutes', 3, 0), numberOf('seed', 1, 0)]
  const { RECORDED, laneOf, readLanes } = await load<Pick<Corpus, 'RECORDED' | 'laneOf' | 'readLanes'>>('corpus/recording.js')
  const { LOADS } = await load<Pick<Corpus, 'LOADS'>>('corpus/plan.js')
  const { recordPiece } = await load<Pick<Corpus, 'recordPiece'>>('corpus/record.js')
  const stopped = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopped.abort())
  const on = await machineOf(node)
  const lanes = LOADS.map(async (rate) => await recordPiece({ folder: laneOf(RECORDED, rate), minutes, faultMinutes, settleMinutes, seed, load: rate, machine: on, note: values.note ?? '', signal: stopped.signal, told: toldLine }))
  for (const lane of await Promise.allSettled(lanes)) {
    if (lane.status === 'fulfilled') continue
    toldLine(String(lane.reason))
    process.exitCode = 1
  }
  const { segments } = readLanes(RECORDED, LOADS)
  const hours = segments.reduce((sum, { start, end }) => sum + end - start, 0) / 3_600_000
  return `${segments.length} segments, ${segments.reduce((sum, { faults }) => sum + faults.length, 0)} faults in ${hours.toFixed(1)} hours are recorded. They lie in ${relative(root, RECORDED)}.`
}

async function scores(node: string): Promise<string> {
  const { scoreCorpus } = await load<Pick<Corpus, 'scoreCorpus'>>('corpus/run-score.js')
  return await scoreCorpus({ historyHours: numberOf('hours', 192, 0), machine: await machineOf(node), told: toldLine })
}

interface Notifications {
  readonly tortureNotifications: (options: { readonly sequences: number; readonly atOnce: number; readonly seed: number; readonly told: (progress: { readonly sequences: number; readonly kills: number; readonly taken: number }) => void }) => Promise<{ readonly faults: readonly string[] }>
  readonly notificationsReport: (result: unknown, machine: string) => string
}

function toldSequences(progress: { readonly sequences: number; readonly kills: number; readonly taken: number }): void {
  process.stderr.write(`${progress.sequences} sequences, ${progress.kills} kills, ${progress.taken} messages taken\n`)
}

async function notifications(node: string): Promise<string> {
  const sequences = numberOf('rounds', 1000, 1)
  const { tortureNotifications, notificationsReport } = await load<Notifications>('notifications.js')
  const result = await tortureNotifications({ sequences, atOnce: 40, seed: 20_260_101, told: toldSequences })
  if (result.faults.length > 0) process.exitCode = 1
  return notificationsReport(result, await machineOf(node))
}

async function nullSuite(node: string): Promise<string> {
  const { soakNullSuite } = await load<{ readonly soakNullSuite: (weeks: number, machine: string) => Promise<string> }>('null-suite/report.js')
  return await soakNullSuite(numberOf('weeks', 4, 1), await machineOf(node))
}

const subjects: Readonly<Record<string, (node: string) => Promise<string>>> = { agent, profiler, ingest, kills, corpus, score: scores, notifications, 'null-suite': nullSuite }
const [name = ''] = positionals
const subject = subjects[name]
if (subject === undefined) {
  process.stderr.write('What is to be run: agent, profiler, ingest, kills, corpus, score, notifications or null-suite.\n')
  process.exit(2)
}
const node = values.node ?? process.execPath
const report = await subject(node)
process.stdout.write(`${report}\n`)
if (values.save === true) {
  const [major = ''] = (/Node (\d+)/.exec(report) ?? []).slice(1)
  const target = join(root, 'benchmarks/results/soak', `${name}.node${major}.md`)
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, report)
  process.stderr.write(`kept in ${relative(root, target)}\n`)
}
