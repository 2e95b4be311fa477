import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SpanRecord } from '@andon/model'
import { FakeClock } from '../runtime/clock.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import type { StatementRow } from '../store/statements.ts'
import { NOON, spanOf } from './call-spans.test.ts'
import { StatementCounter } from './statements.ts'

function counter(): { feed: (...spans: SpanRecord[]) => { rows: readonly StatementRow[]; texts: readonly string[] }; own: OwnMetrics } {
  const own = new OwnMetrics()
  const statements = new StatementCounter({ clock: new FakeClock(NOON), own })
  return {
    own,
    feed: (...spans) => {
      const plan = statements.plan(spans)
      plan.commit()
      return { rows: plan.rows, texts: plan.statements.map(({ text }) => text) }
    },
  }
}

function query(trace: number, span: number, text: string, more: Partial<SpanRecord> = {}): SpanRecord {
  return spanOf('shop', { trace, span, parent: 1 }, { kind: 'client', ...more, attributes: { 'db.system.name': 'postgresql', 'db.query.text': text, ...more.attributes } })
}

function repeat(trace: number, from: number, count: number): SpanRecord[] {
  return Array.from({ length: count }, (_, n) => query(trace, from + n, 'SELECT 1'))
}

test('executions are added up by statement, route and caller; by weight and repetition', () => {
  const { feed } = counter()
  const { rows, texts } = feed(
    spanOf('shop', { trace: 1, span: 1 }, { kind: 'server', attributes: { 'http.route': '/cart/:id' } }),
    query(1, 2, 'SELECT a FROM t WHERE id = 1', { attributes: { 'andon.weight': 2, 'andon.db.pool_wait': 0.5, 'andon.db.server_time': 0.25, 'db.response.returned_rows': 3n } }),
    query(1, 3, 'SELECT a FROM t  WHERE id = 2', { status: { code: 'error', message: '' }, attributes: { 'andon.weight': 2, 'andon.repeat': 4n } }),
    query(1, 4, 'SELECT a FROM t WHERE id = 3', { attributes: { 'code.function.name': 'load', 'code.file.path': '/srv/app/cart.ts' } }),
  )
  assert.deepEqual(texts, ['SELECT a FROM t WHERE id = ?'])
  const { buckets, statement, ...first } = rows[0] ?? assert.fail()
  assert.deepEqual(first, {
    service: 'shop', env: '', version: '', route: '/cart/:id', caller: '', minute: NOON,
    calls: 10, errors: 8, seconds: 0.04, waits: 2, waitSeconds: 1, serverCalls: 2, serverSeconds: 0.5, answers: 2, rows: 6, perTraceMax: 6,
  })
  assert.equal([...buckets.values()].reduce((sum, count) => sum + count, 0), 10)
  assert.ok(statement > 0n)
  assert.deepEqual(rows.map(({ caller, calls, perTraceMax }) => [caller, calls, perTraceMax]), [['', 10, 6], ['load (cart.ts)', 1, 6]])
})

test('the most executions within a trace are counted over several inserts; traces apart', () => {
  const { feed } = counter()
  assert.equal(feed(...repeat(1, 10, 7), ...repeat(2, 10, 3)).rows[0]?.perTraceMax, 7)
  assert.equal(feed(...repeat(1, 20, 5)).rows[0]?.perTraceMax, 12)
  assert.equal(feed(...repeat(3, 10, 2)).rows[0]?.perTraceMax, 2)
})

test('work that is no request is named by its span; what is not known is empty', () => {
  const { feed } = counter()
  const job = spanOf('shop', { trace: 1, span: 1 }, { kind: 'consumer', name: 'mails process' })
  const inner = spanOf('shop', { trace: 1, span: 5, parent: 1 })
  assert.deepEqual(feed(job, inner, query(1, 2, 'SELECT 1', { parentSpanId: inner.spanId }), query(2, 3, 'SELECT 1')).rows.map(({ route }) => route), ['mails process', ''])
})

test('a parent that is its own child ends the search', () => {
  const { feed } = counter()
  assert.equal(feed(query(1, 2, 'SELECT 1', { parentSpanId: '0000000000000002' })).rows[0]?.route, '')
})

test('a service that writes ever new statements fills one record', () => {
  const { feed, own } = counter()
  const { rows, texts } = feed(...Array.from({ length: 2500 }, (_, n) => query(1, n + 2, `SELECT column_${n} FROM t`)))
  assert.equal(rows.length, 2001)
  assert.ok(texts.includes('(other)'))
  assert.equal(rows.find(({ statement }) => statement === 0n)?.calls, 500)
  assert.equal(own.render().find(({ name }) => name === 'andon_ingest_statements_unnamed_total')?.samples[0]?.value, 500)
})
