// Rows of lookup tables say when they were last referred to; that time is written at most once an hour per row.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MetricRecord, ProfileRecord, Resource, Scope, SpanRecord } from '@andon/model'
import { encodeMetrics } from '@andon/wire'
import { MetricIngest } from './ingest/metrics.ts'
import { FakeClock } from './runtime/clock.ts'
import { defaultLimits } from './runtime/limits.ts'
import { OwnMetrics } from './runtime/own-metrics.ts'
import type { Database } from './store/database.ts'
import { InventoryStore } from './store/inventory.ts'
import { MetricsStore } from './store/metrics.ts'
import { ProfileStore } from './store/profiles.ts'
import { SpanStore } from './store/spans.ts'
import type { TsvRows } from './store/tsv.ts'

const MINUTE = 60_000
const HOURS = 5

/** Counts the rows that are inserted into each table; the tables are empty when they are read. */
class CountingDatabase {
  readonly rows = new Map<string, number>()
  error: Error | undefined

  insert(table: string, _columns: readonly string[], { rows }: TsvRows): Promise<void> {
    if (this.error !== undefined) return Promise.reject(this.error)
    this.rows.set(table, (this.rows.get(table) ?? 0) + rows)
    return Promise.resolve()
  }

  query(): Promise<[]> {
    return Promise.resolve([])
  }
}

const resource: Resource = { attributes: { 'service.name': 'shop', 'host.name': 'a' }, droppedAttributes: 0, schemaUrl: '' }
const scope: Scope = { name: '', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }

function span(now: number): SpanRecord {
  const start = BigInt(now) * 1_000_000n
  return { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), parentSpanId: '', traceState: '', flags: 1, name: 'op', kind: 'server', start, end: start, attributes: {}, droppedAttributes: 0, events: [], droppedEvents: 0, links: [], droppedLinks: 0, status: { code: 'unset', message: '' }, resource: { ...resource }, scope }
}

function profile(now: number): ProfileRecord {
  const stack = [{ name: 'main', file: 'main.ts', line: 1 }]
  return { valueTypes: [{ type: 'cpu', unit: 'nanoseconds' }], start: BigInt(now) * 1_000_000n, duration: 1n, period: 1, periodType: { type: 'cpu', unit: 'nanoseconds' }, samples: [{ stack, values: [1], time: 0n, labels: {} }] }
}

function metric(now: number): MetricRecord {
  const time = BigInt(now) * 1_000_000n
  return { name: 'hits', description: '', unit: '', resource, scope, data: { type: 'sum', monotonic: true, temporality: 'delta', points: [{ attributes: {}, start: time - 1000n, time, flags: 0, exemplars: [], value: 1 }] } }
}

test('what is referred to every minute is written once an hour: series, metadata, resources, stacks, inventory', async () => {
  const clock = new FakeClock()
  const counting = new CountingDatabase()
  const database = counting as unknown as Database
  const [spans, profiles, inventory] = [new SpanStore(database, clock), new ProfileStore(database, clock, 7), new InventoryStore(database, clock)]
  const metrics = new MetricIngest(new MetricsStore(database, clock), { clock, limits: { ...defaultLimits, gatherMs: 0 }, own: new OwnMetrics(), retentionDays: 15 })
  for (let minute = 0; minute < HOURS * 60; minute += 1) {
    const now = clock.now()
    await spans.write([span(now), span(now)])
    await profiles.write([{ service: 'shop', env: '', version: '1', instance: 'a', types: ['cpu'], record: profile(now) }])
    await inventory.write([{ service: 'shop', version: '1', items: [{ kind: 'route', name: 'GET /' }, { kind: 'route', name: 'GET /' }] }])
    await metrics.accept(encodeMetrics([metric(now)]), 'protobuf')
    await clock.advance(MINUTE)
  }
  const written = ['resources', 'stacks', 'inventory', 'metric_meta'].map((table) => counting.rows.get(table))
  assert.deepEqual(written, [HOURS, HOURS, HOURS, HOURS])
  // The metric and its target_info.
  assert.equal(counting.rows.get('series'), 2 * HOURS)
  assert.equal(counting.rows.get('spans'), 2 * HOURS * 60)
})

test('a row that could not be stored is written with the next', async () => {
  const clock = new FakeClock()
  const counting = new CountingDatabase()
  const inventory = new InventoryStore(counting as unknown as Database, clock)
  const registered = [{ service: 'shop', version: '1', items: [{ kind: 'job', name: 'digest' }] }] as const
  counting.error = new Error('the disk is full')
  await assert.rejects(inventory.write(registered))
  counting.error = undefined
  await inventory.write(registered)
  await inventory.write(registered)
  assert.equal(counting.rows.get('inventory'), 1)
})
