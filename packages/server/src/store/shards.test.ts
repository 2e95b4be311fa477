// The store over two shards. The engine that these servers are made of runs no queue of DDL and no replicas: the texts with ON CLUSTER and
// Replicated engines are checked by EXPLAIN SYNTAX, and what is executed are the same texts without ON CLUSTER and Replicated, on each node.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { AndonError, type LabelMatcher, seriesId, type SpanRecord } from '@andon/model'
import { systemClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { number, stringOf } from './cells.ts'
import { cannotRun, type ClickHouseProcess, CLUSTER, startClickHouse } from './clickhouse-process.test.ts'
import { distribute } from './distributed.ts'
import { ServerDatabase, type ServerOptions } from './engine-server.ts'
import { type Store, storeOver } from './index.ts'
import type { MetricRows } from './metric-rows.ts'
import { SAMPLE_COLUMNS } from './metric-write.ts'
import { ids, sql, text } from './sql.ts'
import { writeInForceAgain } from './state-in-force.ts'
import { TsvRows } from './tsv.ts'

const skip = cannotRun()
const folder = mkdtempSync(join(tmpdir(), 'andon-shards-'))
let shards: [ClickHouseProcess, ClickHouseProcess]
const texts: string[] = []

/** One node of the two, as it is alone. */
class Node extends ServerDatabase {
  run(statement: string): Promise<unknown> {
    return this.client.command({ query: statement })
  }
}

/** Keeps the texts, and runs those for all nodes on each, without what these servers do not have. */
class Cluster extends ServerDatabase {
  readonly #nodes: readonly Node[]

  constructor(options: ServerOptions, nodes: readonly Node[]) {
    super(options, silentLog)
    this.#nodes = nodes
  }

  protected override async execute(statement: string): Promise<void> {
    const onCluster = ` ON CLUSTER '${CLUSTER}'`
    if (!statement.includes(onCluster)) return await super.execute(statement)
    texts.push(statement)
    const alone = statement.replace(onCluster, '').replace(/ENGINE = Replicated/, 'ENGINE = ').replace(/replicated_deduplication_window = (\d+), replicated_deduplication_window_seconds = \d+/, 'non_replicated_deduplication_window = $1')
    for (const node of this.#nodes) await node.run(alone)
  }
}

let nodes: Node[] = []
let cluster: Cluster
let store: Store

const options = (more: Partial<ServerOptions> = {}): ServerOptions => shards[0].options({ cluster: CLUSTER, ...more })

before(async () => {
  if (skip !== false) return
  const [one, two] = await startClickHouse(folder, 2)
  assert.ok(one && two)
  shards = [one, two]
  nodes = shards.map((shard) => new Node(shard.options(), silentLog))
  cluster = new Cluster(options(), nodes)
  await cluster.open()
  store = await storeOver(cluster, { log: silentLog, clock: systemClock })
})
after(async () => {
  if (skip === false) {
    await store.close()
    for (const node of nodes) await node.close()
    for (const shard of shards) await shard.kill()
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

const now = Date.now()
const range = { start: now - 2 * 3_600_000, end: now + 3_600_000 }
const named = (name: string): LabelMatcher[] => [{ name: '__name__', operator: '=', value: name }]
const numbered = (process: string, sequence: number): { batch: string } => ({ batch: `${process}/${sequence}` })
const labelsOf = (name: string, index: number): Record<string, string> => ({ __name__: name, job: 'shop', i: String(index) })

/** One delta of 1 for each of the series of a metric. */
function deltas(name: string, count: number, sequence: number): MetricRows {
  const ts = now - 600_000 + sequence * 1000
  const series = Array.from({ length: count }, (_, index) => ({ id: seriesId(labelsOf(name, index)), type: 'counter' as const, labels: labelsOf(name, index) }))
  return { series, metadata: [{ name, otelName: `otel.${name}`, type: 'counter', unit: '', help: '' }], samples: series.map(({ id }) => ({ id, ts, start: ts - 1000, value: 1, stale: false, delta: true, increase: 1 })), histograms: [], exemplars: [] }
}

function span(trace: number, child: number, attributes: Record<string, string> = {}): SpanRecord {
  const start = BigInt(now - 60_000 + trace) * 1_000_000n
  return {
    traceId: trace.toString(16).padStart(32, 'a'), spanId: (trace * 10 + child + 1).toString(16).padStart(16, '0'), parentSpanId: child === 0 ? '' : (trace * 10 + 1).toString(16).padStart(16, '0'),
    traceState: '', flags: 1, name: child === 0 ? 'GET /' : 'SELECT', kind: child === 0 ? 'server' : 'client', start, end: start + 5_000_000n, attributes, droppedAttributes: 0, events: [], droppedEvents: 0, links: [], droppedLinks: 0,
    status: { code: 'unset', message: '' }, resource: { attributes: { 'service.name': 'shop', 'host.name': `host-${trace % 3}` }, droppedAttributes: 0, schemaUrl: '' }, scope: { name: '', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' },
  }
}

/** Asks until the answer is the wanted one: what goes to another shard goes a little later. */
async function settles<T>(ask: () => Promise<T>, wanted: T): Promise<void> {
  let last: unknown
  for (let tries = 0; tries < 300; tries += 1) {
    last = await ask().catch((error: unknown) => String(error))
    if (JSON.stringify(last) === JSON.stringify(wanted)) return
    await wait(100)
  }
  assert.deepEqual(last, wanted)
}

const increase = (name: string) => async (): Promise<readonly number[]> => {
  const { minutes, hours } = await store.metrics.rolledUpIncrease(named(name), range)
  const raw = (await store.metrics.select(named(name), range)).reduce((sum, { v }) => sum + (v.at(-1) ?? 0), 0)
  return [raw, minutes, hours]
}

const total = (values: readonly number[]): number => values.reduce((earlier, value) => earlier + value, 0)

/** How many rows of a table lie on each shard. */
async function localRows(table: string): Promise<number[]> {
  return await Promise.all(nodes.map(async (node) => (await node.query(sql`SELECT sum(rows) FROM system.parts WHERE active AND database = 'andon' AND table = ${text(table)}`, ([count]) => number(count)))[0] ?? 0))
}

test('every statement for the cluster is one that ClickHouse reads', { skip, timeout: 60_000 }, async () => {
  const [node] = nodes
  assert.ok(node)
  assert.ok(texts.length > 60, `${texts.length} statements`)
  for (const statement of texts) {
    const [formatted = ''] = await node.query(sql`SELECT formatQuerySingleLine(${text(statement)})`, ([cell]) => stringOf(cell))
    assert.match(formatted, new RegExp(` ON CLUSTER ${CLUSTER}(?: |$)`), statement)
    // Of views it knows no syntax.
    if (statement.startsWith('CREATE TABLE')) await node.run(`EXPLAIN SYNTAX ${statement}`)
  }
  const engines = new Set(texts.flatMap((statement) => /ENGINE = (\w+)/.exec(statement)?.slice(1) ?? []))
  assert.deepEqual([...engines].toSorted(), ['Distributed', 'Null', 'ReplicatedAggregatingMergeTree', 'ReplicatedMergeTree', 'ReplicatedReplacingMergeTree', 'ReplicatedSummingMergeTree'])
})

test('a second start finds its tables and runs no statement for the cluster', { skip, timeout: 60_000 }, async () => {
  const known = texts.length
  const again = new Cluster(options(), nodes)
  await again.open()
  const second = await storeOver(again, { log: silentLog, clock: systemClock })
  await second.close()
  assert.deepEqual(texts.slice(known), [])
})

test('series, points and rollups lie on both shards and are read as one; a batch that comes again counts once', { skip, timeout: 60_000 }, async () => {
  for (const sequence of [0, 1, 0, 1]) await store.metrics.write(deltas('spread_total', 200, sequence), numbered('spread', sequence))
  await settles(increase('spread_total'), [400, 400, 400])
  const rows = await localRows('samples')
  assert.equal(total(rows), 400)
  assert.ok(Math.min(...rows) > 100, `samples on the shards: ${rows.join(', ')}`)
  // By the name of OpenTelemetry too, which is looked up in a table that is distributed itself.
  assert.equal((await store.metrics.seriesOf(named('otel.spread_total'), range)).length, 200)
  const request = { matchers: named('spread_total'), kind: 'last' as const, op: 'sum' as const, first: now - 590_000, step: 10_000, count: 2, range: 60_000, groupOf: () => ({}), leastPoints: 0 }
  const rates = await store.metrics.rateSums(request)
  assert.equal(rates?.samples, 400)
  assert.equal(rates.groups[0]?.counts[0], 200)
})

test('a numbered insert of more rows than a block has is stored whole', { skip, timeout: 60_000 }, async () => {
  const ts = now - 300_000
  const series = Array.from({ length: 64 }, (_, index) => seriesId(labelsOf('large_total', index)))
  // A block has 1,048,449 rows at most.
  const count = 1_060_000
  const rows = new TsvRows(count * 64)
  for (let row = 0; row < count; row += 1) rows.number(series[row % series.length] ?? 0n).milliseconds(ts + row / 10).milliseconds(ts).number(1).number(2).number(1).end()
  await cluster.insert('samples_in', SAMPLE_COLUMNS, rows, 'large/1/samples')
  const stored = async (): Promise<number> => (await cluster.query(sql`SELECT sum(inc) FROM andon.samples_1h WHERE id IN ${ids(series)}`, ([value]) => number(value)))[0] ?? 0
  await settles(stored, count)
})

test('traces stay whole, and are found by attributes of the span and of its resource', { skip, timeout: 60_000 }, async () => {
  const spans = Array.from({ length: 30 }, (_, trace) => [span(trace, 0, { user: `u${trace % 2}` }), span(trace, 1)]).flat()
  await store.spans.write(spans, numbered('traces', 1))
  await store.spans.write(spans, numbered('traces', 1))
  const search = (attributes: Record<string, string>) => async (): Promise<readonly number[]> => {
    const found = await store.spanSearch.search({ range, service: 'shop', attributes, limit: 100 })
    return [found.length, found.reduce((sum, { spanCount }) => sum + spanCount, 0)]
  }
  await settles(search({ user: 'u1' }), [15, 30])
  await settles(search({ 'host.name': 'host-1' }), [10, 20])
  const rows = await localRows('spans')
  assert.ok(Math.min(...rows) > 0 && total(rows) === 60, `spans on the shards: ${rows.join(', ')}`)
  for (const trace of [0, 1, 2, 3, 4, 5]) assert.deepEqual((await store.spans.trace(span(trace, 0).traceId)).map(({ name }) => name).toSorted(), ['GET /', 'SELECT'])
  const [red] = await store.spans.red(range, 60_000)
  assert.ok(red?.rate.some((rate) => rate !== null))
})

test('state is read back as soon as it is written', { skip, timeout: 60_000 }, async () => {
  const row = { kind: 'agent-control', key: 'shop', service: 'shop', severity: '', actor: 'local', doc: { sampling: 0.5 } } as const
  const [first = 0, second = 0] = await store.state.append([{ ...row, state: 'set' }, { ...row, state: 'set', key: 'bank' }])
  assert.ok(second > first)
  const wanted = [['bank', second], ['shop', first]]
  const held = async (): Promise<unknown[]> => (await store.state.latest('agent-control')).map(({ key, revision }) => [key, revision])
  assert.deepEqual(await held(), wanted)
  // Written again before its month is dropped, it is the same.
  const later = Date.now() + 1000
  assert.equal(await writeInForceAgain(cluster, { before: later, now: later }), 2)
  assert.equal(await writeInForceAgain(cluster, { before: later, now: later }), 0)
  assert.deepEqual([await held(), (await store.state.history('agent-control', 'shop', 10)).length], [wanted, 1])
})

test('a column that a later migration adds is written and read through the cluster', { skip, timeout: 60_000 }, async () => {
  await cluster.command('ALTER TABLE {db}.stalls {on_cluster} ADD COLUMN IF NOT EXISTS thread LowCardinality(String)')
  await distribute(cluster)
  const columns = await cluster.query(sql`SELECT type FROM system.columns WHERE database = 'andon_all' AND table = 'stalls' AND name = 'thread'`, ([type]) => stringOf(type))
  assert.deepEqual(columns, ['LowCardinality(String)'])
})

test('while a shard is lost its rows wait on disk and nothing acknowledged is lost; queries fail, or skip it where that is wanted', { skip, timeout: 180_000 }, async (t) => {
  await store.metrics.write(deltas('lost_total', 100, 0), numbered('lost', 0))
  await settles(increase('lost_total'), [100, 100, 100])
  await shards[1].kill()
  for (const sequence of [1, 2, 1]) await store.metrics.write(deltas('lost_total', 100, sequence), numbered('lost', sequence))

  await assert.rejects(store.metrics.select(named('lost_total'), range), (error) => error instanceof AndonError && error.code === 'unavailable' && error.status === 503)
  const skipping = new Cluster(options({ lostShards: 'skip' }), nodes)
  await skipping.open()
  const partial = await storeOver(skipping, { log: silentLog, clock: systemClock })
  t.after(() => partial.close())
  const seen = await partial.metrics.select(named('lost_total'), range)
  assert.ok(seen.length > 20 && seen.length < 80, `${seen.length} of 100 series are on the shard that is left`)
  assert.deepEqual(new Set(seen.map(({ v }) => v.at(-1))), new Set([3]))
  // What is written next depends on these: they are no guess.
  await assert.rejects(partial.metrics.previousSamples(new Map(Array.from({ length: 100 }, (_, index) => [seriesId(labelsOf('lost_total', index)), now]))), { code: 'unavailable' })

  const { queue, bytes } = await store.status()
  assert.ok(bytes > 0)
  assert.ok(queue !== undefined && queue.inserts > 0 && queue.bytes > 0, JSON.stringify(queue))

  // The node that was asked may be lost as well meanwhile: what it acknowledged lies on its disk.
  await shards[0].kill()
  await Promise.all(shards.map((shard) => shard.start()))
  await settles(increase('lost_total'), [300, 300, 300])
  await settles(async () => (await store.status()).queue?.inserts, 0)
})
