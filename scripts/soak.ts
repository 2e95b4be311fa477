// `npm run soak -- agent` drives an application through 10 million requests under the agent, `npm run soak -- profiler` a
// profiler through 100 simulated hours, and prints whether memory grew; --save keeps the report in benchmarks/results/soak.
// --requests and --hours take another number, --node another Node.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { machine } from '@andon/bench'

const root = resolve(import.meta.dirname, '../..')
const { values, positionals } = parseArgs({ allowPositionals: true, options: { save: { type: 'boolean' }, requests: { type: 'string' }, hours: { type: 'string' }, node: { type: 'string' } } })

function numberOf(name: 'requests' | 'hours', otherwise: number): number {
  const given = Number(values[name] ?? otherwise)
  if (Number.isSafeInteger(given) && given >= 10) return given
  process.stderr.write(`--${name} must be a whole number from 10 on.\n`)
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
  readonly soak: (options: { readonly requests: number; readonly every: number; readonly node: string; readonly told: (sample: Sample) => void }) => Promise<unknown>
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
  return reportOf(await soak({ requests, every: Math.max(1, Math.round(requests / 100)), node, told }), await machineOf(node))
}

async function profiler(node: string): Promise<string> {
  const { soakProfiler } = await load<{ readonly soakProfiler: (hours: number, node: string, machine: string) => Promise<string> }>('profiler.js')
  return await soakProfiler(numberOf('hours', 100), node, await machineOf(node))
}

const subjects: Readonly<Record<string, (node: string) => Promise<string>>> = { agent, profiler }
const [name = ''] = positionals
const subject = subjects[name]
if (subject === undefined) {
  process.stderr.write('What is to be run: agent or profiler.\n')
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
