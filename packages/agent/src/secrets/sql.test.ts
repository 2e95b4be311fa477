// No value of a statement survives, by whatever rules it is written; names and placeholders do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { redactSql } from './sql.ts'

const raw = String.raw

test('values go, names and placeholders stay', () => {
  const cases: readonly (readonly [system: string, sql: string, text: string])[] = [
    ['postgresql', `SELECT a1, 'it''s', B'01', U&'d\\0061' FROM "Odd 1" AS t2 WHERE x = $1 AND y ? 'k'`, 'SELECT a1, ?, ?, ? FROM "Odd 1" AS t2 WHERE x = $1 AND y ? ?'],
    ['postgresql', raw`SELECT E'a\'b', e'c\\', 'C:\', $$ 'x' $$, $tag$ $$ 5 $tag$, t[1:2], x::int, a#5`, 'SELECT ?, ?, ?, ?, ?, t[?:?], x::int, a#?'],
    ['postgresql', 'SELECT 7, -1.5e-3, .5, 1., 0xff, 0b11, 0o17, 1_000_000.5', 'SELECT ?, -?, ?, ?, ?, ?, ?, ?'],
    ['postgresql', `SELECT 1 -- job 7: it's\n, /*a='x',b2="y"*/ 2, /* a /* b */ c */ 'd'`, 'SELECT ? -- job ?: it?\n, /*a=?,b2=?*/ ?, /* ? */'],
    ['cassandra', 'SELECT * FROM t WHERE id = 123e4567-e89b-12d3-a456-426614174000 AND d = 12h30m', 'SELECT * FROM t WHERE id = ? AND d = ?'],
    ['mysql', raw`SELECT "a\"b", 'c\'d', _utf8'e', X'0f' FROM ${'`t 1`'} WHERE a=5--'f' AND b = 'g' # it's`, 'SELECT ?, ?, _utf8?, ? FROM `t 1` WHERE a=?--? AND b = ? # it?'],
    ['mysql', `SELECT 1 /*!50000 , 'x' */ -- it's\n, ??`, 'SELECT ? /*!? , ? */ -- it?\n, ??'],
    ['microsoft.sql_server', `SELECT N'x', $5.00, €7, [it's], [a]]b 1] FROM #temp WHERE c = @p1`, `SELECT ?, $?, €?, [it's], [a]]b 1] FROM #temp WHERE c = @p1`],
    ['oracle.db', `SELECT q'[it's]', Nq'!a'b!', 'x' FROM v$session WHERE a = :1 AND b = :name`, 'SELECT ?, ?, ? FROM v$session WHERE a = :1 AND b = :name'],
    ['better-sqlite3', `SELECT [it's 1], ?1, :n, $m, x'0f' FROM t`, `SELECT [it's 1], ?1, :n, $m, ? FROM t`],
    ['neo4j', `MATCH (n {a: $name, b: 'x', c: "y", d: 5}) RETURN n`, 'MATCH (n {a: $name, b: ?, c: ?, d: ?}) RETURN n'],
  ]
  for (const [system, sql, text] of cases) assert.equal(redactSql(sql, system), text)
})

test('what does not close takes the rest, and so does what could be read in two ways where the rules are not known', () => {
  for (const system of ['postgresql', 'mysql', 'mssql', 'oracle', 'sqlite', '']) {
    for (const open of [`'`, `"`, '/* /*', `/* '`, `-- "`, ...(system === 'mysql' ? [`# '`] : [])]) assert.ok(!redactSql(`SELECT ${open} canary`, system).includes('canary'), `${system} ${open}`)
  }
  for (const doubtful of [raw`'a\' OR canary`, raw`"a\" canary`, raw`'a\' canary' canary`, `q'[it's canary]'`, '# canary', `[it's] = 'canary'`, `E'\\' canary`]) {
    assert.equal(redactSql(`SELECT a FROM t WHERE b = ${doubtful}`, 'who knows').replace(/E?\?$/, ''), 'SELECT a FROM t WHERE b = ', doubtful)
  }
})

interface Writing {
  /** How a text is written as a value, in each way that there is. */
  readonly texts: readonly ((text: string) => string)[]
  /** What is no value. */
  readonly others: readonly string[]
}

const OTHERS = ['SELECT', 'FROM', 'a1', 't.b', 'AND', '=', '<>', '(', ')', ', ', '*', 'straße']
const doubled = (text: string, quote = `'`): string => text.replaceAll(quote, quote + quote)
const backslashed = (text: string, quote: string): string => text.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`)
const plain = (text: string): string => `'${doubled(text)}'`
const identifiers = [`"it's 5"`, `"a""b"`, '"--"', '"/*"']

const WRITINGS: Readonly<Record<string, Writing>> = {
  postgresql: {
    texts: [plain, (text) => `E'${backslashed(text, `'`)}'`, (text) => `$q$${text.replaceAll('$', '')}$q$`, (text) => `$$${text.replaceAll('$', '')}$$`, (text) => `N${plain(text)}`],
    others: [...OTHERS, ...identifiers, '$1', '?', '::', ':name'],
  },
  mysql: { texts: [(text) => `'${backslashed(text, `'`)}'`, (text) => `"${backslashed(text, '"')}"`, (text) => `'${doubled(text.replaceAll('\\', ''))}'`], others: [...OTHERS, '`it\'s "5"`', '`a``b`', '?', '@v'] },
  mssql: { texts: [plain, (text) => `N${plain(text)}`], others: [...OTHERS, ...identifiers, `[it's "5"]`, '[a]]b]', '@p1', '#t'] },
  oracle: { texts: [plain, (text) => `q'[${text.replaceAll(/[\]']/g, '')}]'`, (text) => `nQ'!${text.replaceAll('!', '')}!'`], others: [...OTHERS, ...identifiers, ':1', ':name', 'v$session'] },
  sqlite: { texts: [plain, (text) => `x'${Buffer.from(text).toString('hex')}'`], others: [...OTHERS, ...identifiers, `[it's "5"]`, '?1', ':name', '$n', '@v'] },
}

const odd = fc.string({ unit: fc.constantFrom(`'`, '"', '`', '$', '-', '/', '*', '\\', '#', '[', ']', '\n', ' ', ';', '?', 'x', '5', '€', '😀'), maxLength: 12 })
const secret = fc.tuple(odd, odd).map((around) => around.join('canary'))
const number = fc.oneof(fc.nat(), fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })).map(String)

for (const [system, { texts, others }] of Object.entries(WRITINGS)) {
  test(`${system}: each value of a statement is one question mark, and all else stands as it was`, () => {
    const value = fc.oneof({ weight: 3, arbitrary: fc.tuple(secret, fc.constantFrom(...texts)).map(([text, write]) => write(text)) }, { weight: 1, arbitrary: number })
    const other = fc.constantFrom(...others)
    const comment = fc.constantFrom(['/* it\'s "5" */', '/* it?*/'], [`-- it's 5\n`, '-- it?\n'], ...(system === 'mysql' ? [[`# "it's" 5\n`, '# ? ?\n'] as const] : []))
    const part = fc.oneof(
      { weight: 4, arbitrary: value.map((text) => ({ text, left: '?' })) },
      { weight: 4, arbitrary: other.map((text) => ({ text, left: text })) },
      { weight: 1, arbitrary: comment.map(([text = '', left = '']) => ({ text, left })) },
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
        const sql = parts.map(({ text }) => text).join(' ')
        const text = redactSql(sql, system)
        assert.equal(text, parts.map(({ left }) => left).join(' '))
        assert.equal(redactSql(text, system), text)
        // Where the system is not known, names may go as well, but no value stays.
        assert.ok(!redactSql(sql, '').includes('canary'))
      }),
      { numRuns: 1000 },
    )
  })
}

test('no text holds up the host, and what is left of one is stable', () => {
  const pieces = [`'`, '"', '`', '$', '$a$', '[', ']', '(', '/*', '*/', '--', '#', '\\', `q'[`, `E'`, '1', 'e', '.', '-', ' ', '\n', 'a', '0x', '12345678-1234-']
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 300 }), fc.constantFrom(...Object.keys(WRITINGS)), (parts, system) => {
      const text = redactSql(parts.join(''), system)
      assert.equal(redactSql(text, system), text)
    }),
    { numRuns: 500 },
  )
  for (const piece of [...pieces, '[]', `['`, "'']"]) {
    for (const system of [...Object.keys(WRITINGS), '']) {
      const began = performance.now()
      redactSql(piece.repeat(8192), system)
      redactSql(`${piece.repeat(4000)}]`, system)
      assert.ok(performance.now() - began < 500, `${piece} ${system}`)
    }
  }
})
