// `npm run bench -- NAME`: installs the peers, compiles benchmarks/, runs those whose path contains NAME and prints
// their reports; --save keeps them in benchmarks/results. --quick takes fewer samples, to try a benchmark out.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { reportMarkdown, runBenchmark } from '@andon/bench'

const root = resolve(import.meta.dirname, '../..')
const folder = join(root, 'benchmarks')
const { values, positionals } = parseArgs({ allowPositionals: true, options: { save: { type: 'boolean' }, quick: { type: 'boolean' } } })
const options = values.quick === true ? { pairs: 3, samples: 7, milliseconds: 10 } : { pairs: 8, samples: 40, milliseconds: 10 }

function command(name: string, args: readonly string[]): void {
  const done = spawnSync(name, [...args], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] })
  if (done.status !== 0) process.exit(1)
}

function installPeers(): void {
  const stamp = join(folder, 'node_modules/.andon-lock')
  const lock = createHash('sha256').update(readFileSync(join(folder, 'package-lock.json'))).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return
  process.stderr.write('Installing the peers …\n')
  command('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  writeFileSync(stamp, lock)
}

/** What measures whole programs runs by itself: its file exports `measure`. */
async function measured(file: string): Promise<string> {
  const { measure }: { measure: (isQuick: boolean) => Promise<string> } = await import(pathToFileURL(file).href)
  return await measure(values.quick === true)
}

installPeers()
command(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'])
const dist = join(folder, 'dist')
const files = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  .filter((entry) => /\.(?:bench|measure)\.js$/.test(entry) && positionals.every((word) => entry.includes(word)))
  .toSorted((a, b) => a.localeCompare(b))
if (files.length === 0) {
  process.stderr.write(`No benchmark matches ${positionals.join(' ')}.\n`)
  process.exit(2)
}
for (const entry of files) {
  const report = entry.endsWith('.measure.js') ? await measured(join(dist, entry)) : reportMarkdown(await runBenchmark(join(dist, entry), options))
  process.stdout.write(`${report}\n`)
  if (values.save === true) {
    const target = join(folder, 'results', entry.replace(/\.(?:bench|measure)\.js$/, '.md'))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, report)
    process.stderr.write(`kept in ${relative(root, target)}\n`)
  }
}
