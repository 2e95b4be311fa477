import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Attributes, SpanRecord } from '@andon/model'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { openStore, type Store } from './index.ts'
import { EVERY_SPAN, type FilterValue, type SpanField, type SpanFilter, type SpanIntrinsic, type TraceFilter } from './span-filter.ts'
import type { TraceQuery } from './spans-search.ts'

const forever = { rawDays: 3650, spansDays: 3650, rollupDays: 3650, longDays: 3650 }
const now = Date.UTC(2026, 5, 1, 12)
const range = { start: now - 60_000, end: now + 60_000 }
const folder = mkdtempSync(join(tmpdir(), 'andon-search-'))
let store: Store

interface Sent extends Partial<SpanRecord> {
  readonly service?: string
  readonly of?: Attributes
  /** Milliseconds after noon, and how long. */
  readonly at?: number
  readonly ms?: number
}

/** A span of the trace of a digit. */
function span(trace: string, id: string, { service = 'shop', of = {}, at = 0, ms = 1, ...more }: Sent = {}): SpanRecord {
  const start = BigInt(now + at) * 1_000_000n
  return {
    traceId: trace.repeat(32),
    spanId: id.repeat(16),
    parentSpanId: '',
    traceState: '',
    flags: 1,
    name: 'GET /',
    kind: 'server',
    start,
    end: start + BigInt(ms * 1e6),
    attributes: {},
    droppedAttributes: 0,
    events: [],
    droppedEvents: 0,
    links: [],
    droppedLinks: 0,
    status: { code: 'unset', message: '' },
    resource: { attributes: { 'service.name': service, ...of }, droppedAttributes: 0, schemaUrl: '' },
    scope: { name: 'test', version: '2', attributes: {}, droppedAttributes: 0, schemaUrl: '' },
    ...more,
  }
}

const event = { time: BigInt(now + 5) * 1_000_000n, name: 'exception', attributes: { 'exception.type': 'TypeError', n: '7' }, droppedAttributes: 0 }
const link = { traceId: 'e'.repeat(32), spanId: 'f'.repeat(16), traceState: '', flags: 0, attributes: { why: 'batch' }, droppedAttributes: 0 }

before(async () => {
  store = await openStore({ dataDir: folder, log: silentLog, clock: new FakeClock(now), retention: forever })
  await store.spans.write([
    // 1: a shop that asks a bank, which fails after a while.
    span('1', '1', { name: 'POST /cart', ms: 300, attributes: { 'http.route': '/cart', 'http.response.status_code': 500n, retry: true, ratio: 0.5 }, of: { 'host.name': 'one', 'host.cpus': 4n } }),
    span('1', '2', { parentSpanId: '1'.repeat(16), kind: 'client', name: 'POST', at: 10, ms: 200, attributes: { 'http.route': '' } }),
    span('1', '3', { parentSpanId: '2'.repeat(16), service: 'bank', name: 'POST /pay', at: 20, ms: 100, status: { code: 'error', message: 'no funds' }, events: [event], links: [link] }),
    // 2: a later one of the shop alone, on another host.
    span('2', '4', { name: 'GET /cart', at: 1000, ms: 20, status: { code: 'ok', message: '' }, attributes: { 'http.route': '/cart', 'http.response.status_code': 200n, ratio: 2 }, of: { 'host.name': 'two' }, scope: { name: 'other', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' } }),
    // 3: the bank alone, the newest.
    span('3', '5', { service: 'bank', name: 'GET /rates', at: 2000, ms: 1, attributes: { 'host.name': 'of the span' }, of: { 'host.name': 'three' } }),
  ])
})
after(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

const traces = async (query: Partial<TraceQuery>): Promise<string> => (await store.spanSearch.search({ range, limit: 10, ...query })).map(({ traceId }) => traceId[0]).join('')
const of = (filter: SpanFilter): Promise<string> => traces({ filter: { kind: 'spans', filter } })
const compare = (field: SpanField, operator: Extract<SpanFilter, { kind: 'compare' }>['operator'], value: FilterValue): SpanFilter => ({ kind: 'compare', field, operator, value })
const intrinsic = (name: SpanIntrinsic): SpanField => ({ intrinsic: name })

test('by service, operation, kind, status, duration and time; those with the newest matching span first', async () => {
  assert.equal(await traces({}), '321')
  assert.equal(await traces({ service: 'shop' }), '21')
  assert.equal(await traces({ service: 'shop', operation: 'POST' }), '1')
  assert.equal(await traces({ kind: 'client' }), '1')
  assert.equal(await traces({ status: 'error' }), '1')
  assert.equal(await traces({ status: 'ok' }), '321')
  assert.equal(await traces({ service: 'shop', status: 'error' }), '', 'all conditions hold for one span')
  assert.equal(await traces({ minDurationNs: 20e6 }), '21')
  assert.equal(await traces({ minDurationNs: 20e6, maxDurationNs: 100e6 }), '21')
  assert.equal(await traces({ maxDurationNs: 1e6 }), '3')
  assert.equal(await traces({ range: { start: now + 500, end: now + 1500 } }), '2')
})

test('by attributes as text, of the span or its resource: texts, integers, numbers, truth values, empty ones', async () => {
  assert.equal(await traces({ attributes: { 'http.route': '/cart' } }), '21')
  assert.equal(await traces({ attributes: { 'http.response.status_code': '500' } }), '1')
  assert.equal(await traces({ attributes: { ratio: '0.5' } }), '1')
  assert.equal(await traces({ attributes: { ratio: '5e-1' } }), '1')
  assert.equal(await traces({ attributes: { retry: 'true' } }), '1')
  assert.equal(await traces({ attributes: { 'host.name': 'two', 'http.route': '/cart' } }), '2')
  assert.equal(await traces({ attributes: { 'host.cpus': '4' } }), '1')
  assert.equal(await traces({ attributes: { 'http.route': '' } }), '1', 'what is not there is not empty')
})

test('page by page nothing is missed and nothing comes twice', async () => {
  await store.spans.write(Array.from({ length: 7 }, (_, index) => span((4 + index).toString(16), 'a', { name: 'paged', at: 5000 + (index % 3) })))
  const seen: string[] = []
  let last: { latest: bigint; traceId: string } | undefined
  for (let page = 0; page < 4; page += 1) {
    const found = await store.spanSearch.search({ range, operation: 'paged', limit: 2, ...(last !== undefined && { after: last }) })
    seen.push(...found.map(({ traceId }) => traceId[0] ?? ''))
    last = found.at(-1)
  }
  assert.equal(seen.join(''), '9685a74')
})

test('a found trace is told as a whole, and its matching spans apart', async () => {
  const query = { range, limit: 10, filter: { kind: 'spans', filter: compare({ scope: 'span', key: 'http.route' }, '!=', null) } } as const
  const [found] = await store.spanSearch.search({ ...query, service: 'shop', minDurationNs: 100e6 })
  assert.ok(found)
  assert.deepEqual(
    { ...found, services: found.services.toSorted((a, b) => (a.name < b.name ? -1 : 1)) },
    {
      traceId: '1'.repeat(32),
      start: now,
      durationNs: 300e6,
      rootService: 'shop',
      rootName: 'POST /cart',
      spanCount: 3,
      errorCount: 1,
      services: [{ name: 'bank', spans: 1, errors: 1 }, { name: 'shop', spans: 2, errors: 0 }],
      latest: BigInt(now + 10) * 1_000_000n,
      matched: 2,
    },
  )
  const matched = await store.spanSearch.matchedSpans(query, ['1'.repeat(32), '2'.repeat(32)], 1)
  assert.deepEqual([1, 2].map((digit) => matched.get(String(digit).repeat(32))?.map(({ name }) => name)), [['POST /cart'], ['GET /cart']])
})

test('by attributes with their types, scopes and operators', async () => {
  const shop = compare({ scope: 'resource', key: 'service.name' }, '=', 'shop')
  const own = (key: string, operator: Parameters<typeof compare>[1], value: FilterValue): Promise<string> => of({ kind: 'all', of: [compare(intrinsic('name'), '!=', 'paged'), compare({ scope: 'span', key }, operator, value)] })
  assert.equal(await own('http.route', '=', '/cart'), '21')
  assert.equal(await own('http.route', '!=', '/cart'), '1', 'only where there is one')
  assert.equal(await own('http.route', '=~', '/c.*'), '21')
  assert.equal(await own('http.route', '=~', 'c'), '', 'the whole must match')
  assert.equal(await own('http.route', '!~', '/c.*'), '1')
  assert.equal(await own('http.response.status_code', '=', 500n), '1')
  assert.equal(await own('http.response.status_code', '>=', 200n), '21')
  assert.equal(await own('http.response.status_code', '=', '500'), '', 'a text is no number')
  assert.equal(await own('ratio', '<', 1), '1')
  assert.equal(await own('ratio', '>=', 2n), '2')
  assert.equal(await own('retry', '=', true), '1')
  assert.equal(await own('retry', '!=', true), '')
  assert.equal(await own('ratio', '!=', null), '21')
  assert.equal(await own('host.name', '=', null), '21')
  const resource = (key: string, operator: Parameters<typeof compare>[1], value: FilterValue): Promise<string> => of({ kind: 'all', of: [compare(intrinsic('name'), '!=', 'paged'), compare({ scope: 'resource', key }, operator, value)] })
  assert.equal(await resource('service.name', '=~', 'sh.p'), '21')
  assert.equal(await resource('host.name', '=', 'one'), '1')
  assert.equal(await resource('host.cpus', '>', 3n), '1')
  assert.equal(await resource('host.name', '=', null), '1')
  assert.equal(await resource('host.name', '!=', null), '321')
  const any = (operator: Parameters<typeof compare>[1], value: FilterValue): Promise<string> => of(compare({ scope: 'any', key: 'host.name' }, operator, value))
  assert.equal(await any('=', 'of the span'), '3')
  assert.equal(await any('=', 'three'), '', 'the span comes before its resource')
  assert.equal(await any('=~', 'o.*'), '31')
  assert.equal(await of(compare({ scope: 'event', key: 'exception.type' }, '=', 'TypeError')), '1')
  assert.equal(await of(compare({ scope: 'event', key: 'n' }, '>', 6n)), '1')
  assert.equal(await of(compare({ scope: 'link', key: 'why' }, '!=', null)), '1')
  assert.equal(await of({ kind: 'all', of: [shop, { kind: 'any', of: [compare(intrinsic('status'), '=', 'ok'), compare(intrinsic('kind'), '=', 'client')] }] }), '21')
  assert.equal(await of({ kind: 'all', of: [{ kind: 'not', of: shop }, compare(intrinsic('name'), '!=', 'paged')] }), '31')
})

test('by what is no attribute, of the span and of its trace', async () => {
  const held = (name: SpanIntrinsic, operator: Parameters<typeof compare>[1], value: FilterValue): Promise<string> => of({ kind: 'all', of: [compare(intrinsic('name'), '!=', 'paged'), compare(intrinsic(name), operator, value)] })
  assert.equal(await held('duration', '>', 150e6), '1')
  assert.equal(await held('statusMessage', '=', 'no funds'), '1')
  assert.equal(await held('status', '!=', 'unset'), '21')
  assert.equal(await held('spanId', '=', '4'.repeat(16)), '2')
  assert.equal(await held('parentId', '=', '1'.repeat(16)), '1')
  assert.equal(await held('parentId', '=', null), '321')
  assert.equal(await held('traceId', '=', '3'.repeat(32)), '3')
  assert.equal(await held('scopeName', '=', 'other'), '2')
  assert.equal(await held('scopeVersion', '=', '2'), '31')
  assert.equal(await held('rootName', '=', 'GET /rates'), '3')
  assert.equal(await held('rootService', '=', 'shop'), '21')
  assert.equal(await held('eventName', '=~', 'exc.*'), '1')
  assert.equal(await held('eventTime', '<', 0n), '1', 'the event lies before the start of its span')
  assert.equal(await held('linkTraceId', '=', 'e'.repeat(32)), '1')
  assert.equal(await held('linkSpanId', '=', 'f'.repeat(16)), '1')
  const bank = compare({ scope: 'resource', key: 'service.name' }, '=', 'bank')
  const long = compare(intrinsic('traceDuration'), '>', 250e6)
  assert.equal(await of({ kind: 'all', of: [bank, { kind: 'any', of: [long, compare(intrinsic('name'), '=', 'GET /rates')] }] }), '31')
})

const set = (filter: SpanFilter): TraceFilter => ({ kind: 'spans', filter })

test('sets of spans of one trace: all of them, or any', async () => {
  const failed = set(compare(intrinsic('status'), '=', 'error'))
  const client = set(compare(intrinsic('kind'), '=', 'client'))
  const rates = set(compare(intrinsic('name'), '=', 'GET /rates'))
  assert.equal(await traces({ filter: { kind: 'allOf', of: [failed, client] } }), '1')
  assert.equal(await traces({ filter: { kind: 'allOf', of: [failed, rates] } }), '')
  assert.equal(await traces({ filter: { kind: 'anyOf', of: [rates, { kind: 'allOf', of: [failed, client] }] } }), '31')
})

test('names and values of attributes', async () => {
  const { span: own, resource, event: ofEvents, link: ofLinks } = await store.spanAttributes.names({ range, limit: 100 })
  assert.deepEqual([own, resource, ofEvents, ofLinks], [['host.name', 'http.response.status_code', 'http.route', 'ratio', 'retry'], ['host.cpus', 'host.name', 'service.name'], ['exception.type', 'n'], ['why']])
  assert.deepEqual((await store.spanAttributes.names({ range, limit: 100, filter: compare(intrinsic('name'), '=', 'GET /rates') })).span, ['host.name'])
  const values = async (field: SpanField, filter: SpanFilter = EVERY_SPAN, limit = 100): Promise<string[]> => (await store.spanAttributes.values(field, { range, filter, limit })).map(({ type, value }) => `${type} ${value}`)
  assert.deepEqual(await values({ scope: 'span', key: 'http.route' }), ['string /cart', 'string '])
  assert.deepEqual(await values({ scope: 'span', key: 'http.response.status_code' }), ['int 200', 'int 500'])
  assert.deepEqual(await values({ scope: 'span', key: 'ratio' }), ['float 0.5', 'float 2'])
  assert.deepEqual(await values({ scope: 'span', key: 'retry' }), ['bool true'])
  assert.deepEqual(await values({ scope: 'resource', key: 'service.name' }), ['string shop', 'string bank'])
  assert.deepEqual(await values({ scope: 'resource', key: 'host.name' }), ['string one', 'string three', 'string two'])
  assert.deepEqual(await values({ scope: 'any', key: 'host.name' }, compare(intrinsic('name'), '=', 'GET /rates')), ['string of the span', 'string three'])
  assert.deepEqual(await values({ scope: 'event', key: 'exception.type' }), ['string TypeError'])
  assert.deepEqual(await values({ scope: 'link', key: 'why' }), ['string batch'])
  assert.deepEqual(await values(intrinsic('status')), ['keyword unset', 'keyword error', 'keyword ok'])
  assert.deepEqual(await values(intrinsic('kind'), compare({ scope: 'resource', key: 'service.name' }, '=', 'shop'), 1), ['keyword server'])
  assert.deepEqual(await values(intrinsic('rootName'), compare({ scope: 'resource', key: 'service.name' }, '=', 'bank')), ['string GET /rates'])
  assert.deepEqual(await values(intrinsic('eventName')), ['string exception'])
  assert.deepEqual(await values(intrinsic('duration')), [])
})
