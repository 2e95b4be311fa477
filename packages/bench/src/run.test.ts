import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { reportMarkdown } from './report.ts'
import { runBenchmark } from './run.ts'

const source = `
const spin = (n) => () => { let x = 0; for (let i = 0; i < n; i += 1) x += Math.sqrt(i); return x }
export const benchmark = { title: 'spin', unit: 'rounds', perIteration: 10, subjects: { short: () => spin(2000), long: async () => spin(20000) } }
`

test('a subject that does ten times the work is found dearer than ours, in its own process', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'andon-bench-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'spin.bench.mjs')
  writeFileSync(file, source)
  const result = await runBenchmark(file, { pairs: 2, samples: 3, milliseconds: 2 })
  assert.deepEqual(result.subjects.map(({ subject }) => subject), ['short', 'long', 'short again'])
  assert.ok((result.subjects[1]?.ratio?.median ?? 0) > 2, JSON.stringify(result.subjects[1]))
  assert.match(reportMarkdown(result), /\| long \| .* rounds|### spin/)
})

const memory = `
const lists = []
export const benchmark = { title: 'memory', unit: 'lists', perIteration: 1000, subjects: {
  none: () => { let x = 0; return () => { for (let i = 0; i < 1000; i += 1) x = (x + i) | 0; return x } },
  lists: () => () => { for (let i = 0; i < 1000; i += 1) lists[i % 10] = [i, i, i, i] },
} }
`

test('the heap that a unit takes is found: none for arithmetic, a list of four numbers for the other', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'andon-bench-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'memory.bench.mjs')
  writeFileSync(file, memory)
  const { subjects } = await runBenchmark(file, { pairs: 2, samples: 3, milliseconds: 2 })
  const [none = 0, some = 0] = subjects.map(({ allocatedBytes }) => allocatedBytes / 1000)
  assert.ok(none < 1, `${none} bytes`)
  // A header of 16 to 32 bytes each for the list and its elements, and 4 or 8 bytes for a number.
  assert.ok(some >= 32 && some <= 128, `${some} bytes`)
})

test('a benchmark that cannot start is an error, not a wait without end', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'andon-bench-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'broken.bench.mjs')
  writeFileSync(file, "export const benchmark = { title: 'x', unit: 'x', perIteration: 1, subjects: { a: () => () => 1, b: () => process.exit(3) } }")
  await assert.rejects(runBenchmark(file, { pairs: 1, samples: 1, milliseconds: 1 }), /ended with code 3/)
})
