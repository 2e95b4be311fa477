// The id of a series is what the database makes of the same text, whatever stands in its labels.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { seriesId, sortedPairs, xxHash64 } from '@andon/model'
import fc from 'fast-check'
import { silentLog } from '../runtime/log.ts'
import { stringOf } from './cells.ts'
import { EmbeddedDatabase } from './engine-embedded.ts'
import { Param, sql } from './sql.ts'

const texts = (values: readonly string[]): Param => new Param('Array(String)', values)

test("ids of series and of texts are equal to the database's xxHash64", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'andon-ids-'))
  const database = await EmbeddedDatabase.open(folder, silentLog)
  t.after(async () => {
    await database.close()
    rmSync(folder, { recursive: true })
  })
  // Whole characters: what is no text in UTF-8 has no bytes of its own.
  const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((each) => !each.includes('\u001E') && !each.includes('\u001F'))
  const labels = fc.dictionary(text, text, { maxKeys: 8 })
  await fc.assert(
    fc.asyncProperty(fc.array(labels, { minLength: 1, maxLength: 20 }), async (sets) => {
      for (const set of sets) {
        const pairs = sortedPairs(set)
        const statement = sql`SELECT toString(xxHash64(arrayStringConcat(arrayMap((name, value) -> concat(name, char(31), value, char(30)), ${texts(pairs.map(([name]) => name))}, ${texts(pairs.map(([, value]) => value))})))), toString(xxHash64(${new Param('String', pairs.flat().join())}))`
        const [row] = await database.query(statement, ([series, plain]) => [stringOf(series), stringOf(plain)])
        assert.deepEqual(row, [String(seriesId(set)), String(xxHash64(pairs.flat().join()))])
      }
    }),
    { numRuns: 10 },
  )
})
