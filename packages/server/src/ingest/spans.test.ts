// What is made of spans, over failures of the store: each acknowledged batch counts once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EdgeRecord, SpanRecord } from '@andon/model'
import fc from 'fast-check'
import { type Clock, FakeClock, systemClock } from '../runtime/clock.ts'
import { defaultLimits } from '../runtime/limits.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import type { WriteOptions } from '../store/spans.ts'
import type { StatementRow } from '../store/statements.ts'
import { TsvRows } from '../store/tsv.ts'
import { call, spanOf } from './call-spans.test.ts'
import { SpanIngest, type SpanSinks } from './spans.ts'

type Outcome = 'stored' | 'refused' | 'killed'

/** A store that knows the tokens of each table, and fails where it is told to. */
class FakeTables {
  readonly spans: SpanRecord[] = []
  readonly edges: EdgeRecord[] = []
  readonly statements: StatementRow[] = []
  readonly #tokens = new Set<string>()
  /** What becomes of the next inserts; stored where there is nothing left. */
  readonly outcomes: Outcome[] = []

  async #insert<T>(table: string, into: T[], rows: readonly T[], { batch }: WriteOptions = {}): Promise<void> {
    const outcome = this.outcomes.shift() ?? 'stored'
    await Promise.resolve()
    if (outcome === 'refused') throw new Error('refused')
    const token = batch === undefined ? undefined : `${batch}/${table}`
    if (token === undefined || !this.#tokens.has(token)) into.push(...rows)
    if (token !== undefined) this.#tokens.add(token)
    if (outcome === 'killed') throw new Error('killed')
  }

  sinks(): SpanSinks {
    return {
      spans: {
        prepare: (spans) => ({ spans, rows: new TsvRows(16), resources: new Set() }),
        insert: (prepared, options) => this.#insert('spans', this.spans, prepared.flatMap(({ spans }) => spans), options),
      },
      exceptions: { write: () => Promise.resolve() },
      edges: { write: (rows, options) => this.#insert('edges', this.edges, rows, options) },
      statements: { write: (rows, _texts, options) => this.#insert('db_stats', this.statements, rows, options) },
    }
  }
}

function ingest(tables: FakeTables, clock: Clock = systemClock): SpanIngest {
  return new SpanIngest(tables.sinks(), { clock, limits: { ...defaultLimits, gatherMs: 1 }, own: new OwnMetrics(), retentionDays: 3650 })
}

const sum = (edges: readonly EdgeRecord[], isNamed: boolean): number => edges.filter(({ server, kind }) => kind === 'service' && (server !== '') === isNamed).reduce((all, { calls }) => all + calls, 0)

const outcome = fc.constantFrom<Outcome>('stored', 'stored', 'stored', 'refused')
const batches = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 4 }))

function spansOf(count: number): SpanRecord[] {
  return Array.from({ length: count }, (_, n) => [...call(n, 'shop', 'cart'), spanOf('shop', { trace: n + 1, span: 1000 + n }, { kind: 'client', attributes: { 'db.query.text': 'SELECT 1', 'db.system.name': 'mysql' } })]).flat()
}

test('numbered batches count once in edges and statements, whichever inserts fail and however often they come', async () => {
  await fc.assert(
    fc.asyncProperty(batches, fc.array(outcome, { maxLength: 30 }), fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }), async ([count, size], outcomes, again) => {
      const tables = new FakeTables()
      const spans = ingest(tables)
      tables.outcomes.push(...outcomes)
      const all = spansOf(count)
      for (let at = 0, sequence = 1; at < all.length; at += size, sequence += 1) {
        const batch = all.slice(at, at + size)
        const accept = (): Promise<boolean> => spans.acceptSpans(batch, 100, `p/${sequence}`).then(() => true, () => false)
        while (!(await accept())) await Promise.resolve()
        // The answer did not arrive.
        if (again[sequence] === true) await accept()
      }
      assert.equal(tables.spans.length, all.length)
      assert.deepEqual([sum(tables.edges, false), sum(tables.edges, true)], [count, count])
      assert.equal(tables.statements.reduce((calls, row) => calls + row.calls, 0), count)
      assert.equal(Math.max(...tables.statements.map(({ perTraceMax }) => perTraceMax)), 1)
    }),
    { numRuns: 60 },
  )
})

test('a server that is killed between any two inserts counts each call once under its address, and at most once under its server', async () => {
  await fc.assert(
    fc.asyncProperty(batches, fc.array(fc.constantFrom<Outcome>('stored', 'killed'), { maxLength: 20 }), async ([count, size], outcomes) => {
      const tables = new FakeTables()
      let spans = ingest(tables)
      tables.outcomes.push(...outcomes)
      const all = spansOf(count)
      for (let at = 0, sequence = 1; at < all.length; at += size, sequence += 1) {
        const accept = (): Promise<boolean> => spans.acceptSpans(all.slice(at, at + size), 100, `p/${sequence}`).then(() => true, () => false)
        // A new process remembers nothing.
        while (!(await accept())) spans = ingest(tables)
      }
      assert.equal(sum(tables.edges, false), count)
      assert.ok(sum(tables.edges, true) <= count)
      assert.equal(tables.statements.reduce((calls, row) => calls + row.calls, 0), count)
    }),
    { numRuns: 60 },
  )
})

test('gathered batches without a number that are inserted again one by one count once', async () => {
  const tables = new FakeTables()
  // The time that they gather in is not over before all have come, however slow the machine is.
  const clock = new FakeClock(Date.now())
  const spans = ingest(tables, clock)
  tables.outcomes.push('refused')
  const all = spansOf(4)
  const accepted = Promise.all(all.map((span) => spans.acceptSpans([span], 10)))
  await clock.advance(1)
  await accepted
  assert.equal(tables.spans.length, all.length)
  assert.deepEqual([sum(tables.edges, false), sum(tables.edges, true)], [4, 4])
})
