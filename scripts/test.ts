// `npm test`: prepares what the tests need, runs every compiled test file, prints "N passed, N failed" last.
// Arguments choose the files whose path contains one of them: `npm test -- wire otlp`.
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative, resolve, sep } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { installChromium } from './install-chromium.ts'
import { installPrometheus } from './install-prometheus.ts'

const root = resolve(import.meta.dirname, '../..')
const minute = 60_000

/** Where compiled tests lie, and the folder of the source each was compiled from. */
function stations(): { dist: string; source: string }[] {
  const found = [
    { dist: join(root, 'test/dist'), source: join(root, 'test') },
    { dist: join(root, 'scripts/dist'), source: join(root, 'scripts') },
  ]
  for (const group of ['packages', 'apps']) {
    for (const name of readdirSync(join(root, group))) {
      found.push({ dist: join(root, group, name, 'dist'), source: join(root, group, name, 'src') })
    }
  }
  return found
}

/** The compiled test files whose source still exists, so that a stale file in dist is not run. */
function testFiles(): string[] {
  const files: string[] = []
  for (const { dist, source } of stations()) {
    if (!existsSync(dist)) continue
    for (const entry of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
      if (!entry.endsWith('.test.js') || entry.split(sep).includes('node_modules')) continue
      const stem = join(source, entry.slice(0, -'.js'.length))
      if (existsSync(`${stem}.ts`) || existsSync(`${stem}.tsx`)) files.push(join(dist, entry))
    }
  }
  return files.toSorted((a, b) => a.localeCompare(b))
}

const words = process.argv.slice(2)
const files = testFiles().filter((file) => words.length === 0 || words.some((word) => relative(root, file).includes(word)))
if (files.length === 0) {
  process.stdout.write('No test file matches.\n0 passed, 1 failed\n')
  process.exit(1)
}
installChromium()
installPrometheus(root)

let passed = 0
let failed = 0
let skipped = 0
const failures: string[] = []
const stream = run({ files, concurrency: Math.max(1, Math.min(4, availableParallelism())), timeout: 20 * minute })
stream.on('test:pass', ({ details, skip, name }) => {
  if (details.type === 'suite') return
  if (skip === undefined || skip === false) {
    passed += 1
  } else {
    skipped += 1
    process.stderr.write(`skipped: ${name}${typeof skip === 'string' ? `: ${skip}` : ''}\n`)
  }
})
stream.on('test:fail', ({ details, name, file }) => {
  // A suite fails because of a test within it, which has been counted already.
  if (details.type === 'suite') return
  failed += 1
  failures.push(`${file === undefined ? '' : `${relative(root, file)}: `}${name}`)
})
const report = stream.compose(new spec())
// After the report, so that the line of counts is the last one.
report.on('end', () => {
  for (const failure of failures) process.stdout.write(`failed: ${failure}\n`)
  process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0
})
report.pipe(process.stdout, { end: false })
