import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalStatement, describeSql } from './statement.ts'

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

test('a statement is the same whatever its values, lists, comments and line breaks', () => {
  const cases: [string, string, string][] = [
    ["SELECT a\n  FROM t -- why\n WHERE id IN (1, 'x' , $3) AND b = 5;", 'postgresql', 'SELECT a FROM t WHERE id IN (...) AND b = ?'],
    ['select a from t where id in ($1)', 'postgresql', 'select a from t where id in (...)'],
    ['INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4),\n($5, $6) RETURNING id', 'postgresql', 'INSERT INTO t (a, b) VALUES (...) RETURNING id'],
    ['INSERT INTO t VALUES(1,2),(3,4)', 'sqlite', 'INSERT INTO t VALUES (...)'],
    ['SELECT lower($1), x::text, (SELECT 1) FROM t2 WHERE c IN (SELECT d FROM u)', 'postgresql', 'SELECT lower($1), x::text, (SELECT ?) FROM t2 WHERE c IN (SELECT d FROM u)'],
    ['SELECT "a" FROM t /* trace 7 */', 'mysql', 'SELECT ? FROM t'],
    ['GET user:17', 'redis', 'GET ?'],
    ['PING', 'redis', 'PING'],
    ['{"find":"cards","filter":{"_id":"abc","n":{"$in":[1,2]}}}', 'mongodb', '{"find":"cards","filter":{"_id":"?","n":{"$in":["?"]}}}'],
    ['{"_id":"secret"}', 'mongodb', '{"_id":"?"}'],
    ['{"find":"cards","filter":{"name":"cut', 'mongodb', '{?:?,?:{?:?'],
    ['', '', ''],
  ]
  for (const [statement, system, text] of cases) {
    assert.equal(canonicalStatement(statement, system).text, text)
    assert.equal(canonicalStatement(text, system).text, text)
  }
  const { operation, collections } = canonicalStatement('SELECT * FROM a JOIN b ON 1 = 1 JOIN a AS c ON 2 = 2', 'postgresql')
  assert.deepEqual([operation, collections], ['SELECT', ['a', 'b']])
  assert.deepEqual(canonicalStatement('{"insert":"cards"}', 'mongodb'), { text: '{"insert":"cards"}', operation: 'insert', collections: ['cards'] })
})

test('no value decides the group of a statement', () => {
  const literal = fc.oneof(
    fc.integer().map((n) => String(Math.abs(n))),
    fc.string({ maxLength: 20 }).map((each) => `'${each.replaceAll("'", "''")}'`),
  )
  fc.assert(
    fc.property(literal, literal, fc.array(literal, { minLength: 1, maxLength: 5 }), (a, b, list) => {
      const { text } = canonicalStatement(`SELECT x FROM t WHERE a = ${a} AND b IN (${list.join(', ')}) OR c < ${b}`, 'postgresql')
      assert.equal(text, 'SELECT x FROM t WHERE a = ? AND b IN (...) OR c < ?')
      assert.equal(canonicalStatement(text, 'postgresql').text, text)
    }),
  )
})
