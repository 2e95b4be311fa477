// What an agent adds to the start of a program: time until its first line, and memory.
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { machine, type MeasureOptions } from '@andon/bench'
import { APPLICATION_CORE, OTHER_CORE, pin, startProgram, stopProgram } from './application/child.ts'
import { spread } from './application/report.ts'
import { ANDON, BARE, type ModuleKind, peerSubjects, type Subject } from './subjects/subjects.ts'

const RUNS = 20
const WITHIN_MS = 30_000

interface Start {
  /** Milliseconds from the exec to the first line. */
  readonly wallMs: number
  /** CPU milliseconds of the process, all threads, until then. */
  readonly cpuMs: number
  readonly residentMb: number
}

const PROGRAMS: readonly { readonly title: string; readonly module: ModuleKind; readonly file: string }[] = [
  { title: 'an empty program, ECMAScript module', module: 'esm', file: 'empty.mjs' },
  { title: 'an empty program, CommonJS', module: 'commonjs', file: 'empty.cjs' },
  { title: 'Fastify and pg until it listens, ECMAScript modules', module: 'esm', file: 'fastify.mjs' },
  { title: 'Fastify and pg until it listens, CommonJS', module: 'commonjs', file: 'fastify.cjs' },
]

/** The programs in a folder of their own: the packages of this repository are not those of an application. */
function install(): string {
  const folder = mkdtempSync(join(tmpdir(), 'andon-bench-'))
  cpSync(fileURLToPath(new URL('startup', import.meta.url)), folder, { recursive: true })
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(folder, 'node_modules'))
  return folder
}

interface Place {
  readonly folder: string
  readonly collector: string
}

async function startOnce(subject: Subject, module: ModuleKind, file: string, { folder, collector }: Place): Promise<Start> {
  const args = [...subject.args[module], join(folder, file)]
  const [command, ...first] = process.platform === 'linux' ? ['taskset', '-c', APPLICATION_CORE, process.execPath] : [process.execPath]
  const begun = performance.now()
  const child = spawn(command, [...first, ...args], {
    cwd: folder,
    env: { ...process.env, ...subject.env(collector) },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: WITHIN_MS,
    killSignal: 'SIGKILL',
  })
  let [wallMs, cpuMs, residentMb] = [Number.NaN, Number.NaN, Number.NaN]
  for await (const line of createInterface({ input: child.stdout })) {
    const [what, value] = line.split(' ')
    if (what === 'ready') [wallMs, cpuMs] = [performance.now() - begun, Number(value)]
    else if (what === 'resident') residentMb = Number(value)
  }
  if (Number.isNaN(residentMb)) throw new Error(`${file} under ${subject.name} did not say that it had started`)
  return { wallMs, cpuMs, residentMb }
}

function row({ name }: Subject, starts: readonly Start[], bare: readonly Start[]): string {
  const against = (of: (start: Start) => number): number[] => starts.flatMap((start, run) => (bare[run] === undefined ? [] : [of(start) - of(bare[run])]))
  const columns = [starts.map(({ wallMs }) => wallMs), against(({ wallMs }) => wallMs), starts.map(({ cpuMs }) => cpuMs), against(({ cpuMs }) => cpuMs), starts.map(({ residentMb }) => residentMb), against(({ residentMb }) => residentMb)]
  return `| ${name} | ${columns.map(spread).join(' | ')} |`
}

async function table({ title, module, file }: (typeof PROGRAMS)[number], subjects: readonly Subject[], runs: number, place: Place): Promise<string> {
  const starts = new Map<string, Start[]>(subjects.map(({ name }) => [name, []]))
  // The first round warms the disk's cache and is not counted.
  for (let run = -1; run < runs; run += 1) {
    const order = subjects.map((_, index) => subjects[(index + run + subjects.length) % subjects.length])
    for (const subject of order) {
      if (subject === undefined) continue
      const start = await startOnce(subject, module, file, place)
      if (run >= 0) starts.get(subject.name)?.push(start)
    }
  }
  const bare = starts.get('bare') ?? []
  return [
    `### Start of ${title}`,
    '',
    '| subject | ms until the first line | added | CPU ms until then | added | resident MiB | added |',
    '|---|---|---|---|---|---|---|',
    ...subjects.map((subject) => row(subject, starts.get(subject.name) ?? [], bare)),
    '',
  ].join('\n')
}

/** @returns a report in Markdown */
export async function measure({ isQuick, subjects: words }: MeasureOptions): Promise<string> {
  pin(process.pid, OTHER_CORE)
  const [bare, ...others] = [...BARE, ANDON, ...peerSubjects()]
  if (bare === undefined) throw new Error('there is nothing to compare with')
  const subjects = [bare, ...others.filter(({ name }) => words.length === 0 || words.some((word) => name.toLowerCase().includes(word.toLowerCase())))]
  const runs = isQuick ? 2 : RUNS
  const collector = await startProgram('collector.js', OTHER_CORE)
  const folder = install()
  const tables: string[] = []
  try {
    for (const program of PROGRAMS) tables.push(await table(program, subjects, runs, { folder, collector: `http://127.0.0.1:${collector.port}` }))
  } finally {
    await stopProgram(collector)
    rmSync(folder, { recursive: true, force: true })
  }
  return [
    ...tables,
    `Medians of ${runs} runs of each subject in turn (smallest to largest), each against the bare run of the same round; "bare again" is the noise floor. The program on a core of its own; memory is read 300 ms after the first line. ` +
      'Each agent is loaded as its documentation asks for the kind of module: by `--import`, for OpenTelemetry and elastic-apm-node with a loader, and by `--require`. ' +
      'Below Node 22.15 andon adds a thread for hooks where bullmq, graphql or node-cron 4 is installed, which none of these programs has.',
    '',
    `${subjects.map(({ note }) => note).filter((note) => note !== '').join('; ')}.`,
    '',
    `${machine()}.`,
    '',
  ].join('\n')
}
