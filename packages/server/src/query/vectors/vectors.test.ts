// The engine judged by Prometheus' own test files.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EXPECTED_FAILURES } from './expected-failures.test.ts'
import { MemorySource } from '../memory/memory-source.ts'
import { files, missing, run } from './run.test.ts'

test("Prometheus' test files", { skip: missing }, async (t) => {
  for (const name of files) {
    await t.test(name, async () => {
      const { problems, passed } = await run(name, new MemorySource(), { known: EXPECTED_FAILURES, alsoAsRange: true })
      t.diagnostic(`${name}: ${passed} passed, ${problems.length} failed`)
      assert.equal(problems.length, 0, `${problems.length} of ${problems.length + passed} evaluations\n  ${problems.join('\n  ')}`)
    })
  }
})
