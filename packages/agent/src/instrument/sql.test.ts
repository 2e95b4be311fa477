import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { describeSql } from './sql.ts'

test('values are taken out, names and placeholders stay', () => {
  const cases: [string, string][] = [
    [`SELECT * FROM cards WHERE id = 7 AND title = 'it''s'`, 'SELECT * FROM cards WHERE id = ? AND title = ?'],
    ['SELECT t1.a2 FROM "Odd 1" AS t1 WHERE x = $1 LIMIT 10', 'SELECT t1.a2 FROM "Odd 1" AS t1 WHERE x = $1 LIMIT ?'],
    [String.raw`SELECT E'a\'b', 1.5e-3, 0xff, .5`, 'SELECT ?, ?, ?, ?'],
    ['SELECT $tag$secret $$ 5$tag$, $$x$$', 'SELECT ?, ?'],
    ['SELECT 1 -- comment 5\n, 2 /* c */', 'SELECT ? -- comment 5\n, ? /* c */'],
    [`SELECT 'never ends`, 'SELECT ?'],
  ]
  for (const [sql, text] of cases) assert.equal(describeSql(sql).text, text)
  assert.equal(describeSql(String.raw`SELECT "a\"b", 'c' FROM ${'`t`'} # 5`, 'mysql').text, 'SELECT ?, ? FROM `t` # 5')
})

test('a summary is the verb and its tables', () => {
  const cases: [string, string][] = [
    ['select * from public.cards c join "Labels" l on true', 'SELECT public.cards Labels'],
    ['INSERT INTO cards (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET a = 1', 'INSERT cards'],
    ['WITH x AS (SELECT 1 FROM y) UPDATE cards SET a = 1 FROM x', 'UPDATE y cards x'],
    ['SELECT a FROM (SELECT b FROM c) AS d FOR UPDATE', 'SELECT c'],
    ['DELETE FROM cards', 'DELETE cards'],
    ['BEGIN', 'BEGIN'],
    ['', ''],
  ]
  for (const [sql, summary] of cases) assert.equal(describeSql(sql).summary, summary)
})

test('no value survives, whatever it is made of, and no text hangs', () => {
  const value = fc.string({ minLength: 4, maxLength: 30 }).map((text) => `canary${text}`)
  fc.assert(
    fc.property(value, (secret) => {
      const quoted = `'${secret.replaceAll("'", "''")}'`
      assert.ok(!describeSql(`SELECT * FROM t WHERE a = ${quoted} AND b IN (${quoted}, 5)`).text.includes('canary'))
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(`'`, '"', '$', '-', '/', '*', '\\', 'e', 'a', '1', ' ', '(', '.'), maxLength: 3000 }), (sql) => {
      const { text } = describeSql(sql)
      assert.ok(text.length <= sql.length)
    }),
  )
})
