import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bound } from './bound.ts'
import { distributedTable } from './distributed.ts'
import { addressed, EMBEDDED, fill, layoutOf, parts } from './layout.ts'
import { ids, Param, Sql, sql, text } from './sql.ts'

const ddl = 'CREATE TABLE {db}.t {on_cluster} (v UInt8) ENGINE = {Replacing:v} ORDER BY v SETTINGS {dedup}, x = {unknown}'
const cluster = layoutOf('obs', 'main')

test('the same DDL is for the embedded engine, a server and a cluster', () => {
  assert.equal(fill(ddl, EMBEDDED), 'CREATE TABLE andon.t  (v UInt8) ENGINE = ReplacingMergeTree(v) ORDER BY v SETTINGS non_replicated_deduplication_window = 1000, x = {unknown}')
  assert.equal(fill('{db} {db_all} {MergeTree} {Aggregating} {Summing} {cluster}', layoutOf('obs')), 'obs obs MergeTree AggregatingMergeTree SummingMergeTree {cluster}')
  assert.equal(
    fill(ddl, cluster),
    "CREATE TABLE obs.t ON CLUSTER 'main' (v UInt8) ENGINE = ReplicatedReplacingMergeTree(v) ORDER BY v SETTINGS replicated_deduplication_window = 1000, replicated_deduplication_window_seconds = 604800, x = {unknown}",
  )
  assert.equal(fill('{ttl} {db}', cluster, { ttl: '{db}' }), '{db} obs', 'what is filled in is not filled again')
})

test('statements read what is over all shards; what stands in quotes is left alone', () => {
  const statement = "SELECT 'andon.x', 'it\\'s andon.y' FROM andon.spans JOIN andon.hist_5m ON other_andon.z AND \"andon\" = 1"
  assert.equal(addressed(statement, EMBEDDED), statement)
  assert.equal(addressed(statement, cluster), "SELECT 'andon.x', 'it\\'s andon.y' FROM obs_all.spans JOIN obs_all.hist_5m ON other_andon.z AND \"andon\" = 1")
  assert.equal(parts(cluster).text, "cluster('main', system.parts)")
})

test('tables that only views write to take no inserts; a table of which nothing is said is refused', () => {
  assert.match(distributedTable('spans'), /Distributed\('\{cluster\}', '\{db\}', 'spans', xxHash64\(trace_id\)\)/)
  assert.match(distributedTable('red_1m'), /Distributed\('\{cluster\}', '\{db\}', 'red_1m'\)/)
  assert.throws(() => distributedTable('toString'), /how the table toString is spread/)
})

test('long lists of numbers and plain texts stand in the statement; all else stays bound', () => {
  const many = Array.from({ length: 100 }, (_, index) => (1n << 64n) - 1n - BigInt(index))
  const { text: written, params } = bound(sql`SELECT 1 WHERE id IN ${ids(many)} AND v = ${text("'")} AND o IN ${ids([1n])}`)
  assert.equal(written, `SELECT 1 WHERE id IN [${many.join(',')}] AND v = {p1:String} AND o IN {p2:Array(UInt64)}`)
  assert.deepEqual(params, { p1: "'", p2: [1n] })
  const quoted = sql`${new Param('Array(String)', Array.from({ length: 100 }, () => "a'b"))}`
  assert.equal(bound(quoted).text, '{p0:Array(String)}')
  const numbers = Array.from({ length: 65 }, (_, index) => index / 2)
  assert.equal(bound(sql`${new Param('Array(Float64)', numbers)}`).text, `CAST([${numbers.join(',')}], 'Array(Float64)')`)
})

test('no text of a list gets out of its quotes', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 70, maxLength: 80 }), (values) => {
      const { text: written, params } = bound(new Sql('{p0:Array(String)}', { p0: values }))
      if (written === '{p0:Array(String)}') return assert.deepEqual(params, { p0: values })
      const list: unknown = JSON.parse(written.replaceAll("'", '"'))
      assert.deepEqual(list, values)
    }),
  )
})
