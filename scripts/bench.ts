// `npm run bench -- NAME`: installs the peers, compiles benchmarks/, runs those whose path contains NAME and prints
// their reports. Without a name it lists them: all together take hours. See benchmarks/README.md for the options.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { type MeasureOptions, reportMarkdown, runBenchmark } from '@andon/bench'

const root = resolve(import.meta.dirname, '../..')
const folder = join(root, 'benchmarks')

function refuse(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}

function command(name: string, args: readonly string[], cwd: string): void {
  const done = spawnSync(name, [...args], { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
  if (done.status !== 0) process.exit(1)
}

/** The peers stand in two folders: lines that run on Node 20, and the newest, which want Node 22.15. */
function installPeers(): void {
  for (const place of [folder, join(folder, 'node22')]) {
    const stamp = join(place, 'node_modules/.andon-lock')
    const lock = createHash('sha256').update(readFileSync(join(place, 'package-lock.json'))).digest('hex')
    if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) continue
    process.stderr.write('Installing the peers …\n')
    // Their engines are asked for when they run, not when they are installed.
    command('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], place)
    writeFileSync(stamp, lock)
  }
}

/** The same again under another Node, for all programs of the benchmark. */
function runUnder(node: string, words: readonly string[], flags: readonly string[]): never {
  const done = spawnSync(node, [join(root, 'scripts/dist/bench.js'), ...words, ...flags], { stdio: 'inherit' })
  if (done.error !== undefined) refuse(`${node} cannot be run: ${done.error.message}`)
  process.exit(done.status ?? 1)
}

function count(text: string, name: string): number {
  const value = Number(text)
  return Number.isInteger(value) && value > 0 ? value : refuse(`--${name} takes whole numbers from 1 on, not "${text}".`)
}

/** What measures whole programs runs by itself: its file exports `measure`. */
async function measured(file: string, options: MeasureOptions): Promise<string> {
  const { measure }: { measure: (options: MeasureOptions) => Promise<string> } = await import(pathToFileURL(file).href)
  return await measure(options)
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    save: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    node: { type: 'string' },
    rounds: { type: 'string' },
    subjects: { type: 'string', default: '' },
    connections: { type: 'string', default: '16' },
    size: { type: 'string' },
  },
})
const isQuick = values.quick
const pairs = isQuick ? { pairs: 3, samples: 7, milliseconds: 10 } : { pairs: 8, samples: 40, milliseconds: 10 }
const measureOptions: MeasureOptions = {
  isQuick,
  rounds: values.rounds === undefined ? (isQuick ? 1 : 5) : count(values.rounds, 'rounds'),
  subjects: values.subjects.split(',').filter((word) => word !== ''),
  connections: values.connections.split(',').map((each) => count(each, 'connections')),
  size: values.size === undefined ? undefined : count(values.size, 'size'),
}
// A stranger's folder of sources needs no peers to be listed.
const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((entry) => !/(?:^|[/\\])(?:node_modules|dist)[/\\]/.test(entry))
  .flatMap((entry) => /^(.*\.(?:bench|measure))\.ts$/.exec(entry)?.[1] ?? [])
  .toSorted((a, b) => a.localeCompare(b))
const chosen = names.filter((name) => positionals.some((word) => name.includes(word)))
if (chosen.length === 0) refuse(`${positionals.length === 0 ? 'Name one or more of these' : `No benchmark matches ${positionals.join(' ')}; there are`}:\n${names.map((name) => `  ${name}`).join('\n')}`)

installPeers()
command(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'], folder)
const node = values.node ?? process.env['NODE_BIN']
if (node !== undefined && resolve(node) !== process.execPath) runUnder(resolve(node), positionals, flagsWithout())

function flagsWithout(): string[] {
  const { save, quick, rounds, subjects, connections, size } = values
  return [...(save ? ['--save'] : []), ...(quick ? ['--quick'] : []), ...(rounds === undefined ? [] : ['--rounds', rounds]), ...(size === undefined ? [] : ['--size', size]), '--subjects', subjects, '--connections', connections, '--node', resolve(node ?? '')]
}

const major = process.versions.node.split('.', 1)[0] ?? ''
for (const name of chosen) {
  const file = join(folder, 'dist', `${name}.js`)
  const report = name.endsWith('.measure') ? await measured(file, measureOptions) : reportMarkdown(await runBenchmark(file, pairs))
  process.stdout.write(`${report}\n`)
  if (values.save) {
    const target = join(folder, 'results', `${name.replace(/\.(?:bench|measure)$/, '')}.node${major}.md`)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, report)
    process.stderr.write(`kept in ${relative(root, target)}\n`)
  }
}
