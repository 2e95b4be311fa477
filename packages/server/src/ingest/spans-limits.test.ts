import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttributeValue, ExceptionRecord, SpanRecord } from '@andon/model'
import { encodeSpans, encodeSpansJson, SpanView } from '@andon/wire'
import { FakeClock } from '../runtime/clock.ts'
import { defaultLimits } from '../runtime/limits.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import { TsvRows } from '../store/tsv.ts'
import { SpanIngest } from './spans.ts'

const clock = new FakeClock()
const now = BigInt(clock.now()) * 1_000_000n
const MINUTE = 60_000_000_000n
const DAY = 1440n * MINUTE
const span: SpanRecord = {
  traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), parentSpanId: '', traceState: '', flags: 0, name: 'good', kind: 'server', start: now - MINUTE, end: now, attributes: {}, droppedAttributes: 0,
  events: [], droppedEvents: 0, links: [], droppedLinks: 0, status: { code: 'unset', message: '' },
  resource: { attributes: { 'service.name': 'shop' }, droppedAttributes: 0, schemaUrl: '' },
  scope: { name: '', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' },
}

interface Setting {
  readonly ingest: SpanIngest
  readonly stored: SpanRecord[]
  readonly errors: ExceptionRecord[]
  readonly own: OwnMetrics
}

function setting(): Setting {
  const stored: SpanRecord[] = []
  const errors: ExceptionRecord[] = []
  const own = new OwnMetrics()
  const ingest = new SpanIngest(
    {
      spans: {
        // What a view becomes past the limits is what its store is told to make of it.
        prepare: (spans, bounds) => ({ spans: spans.map((each) => (each instanceof SpanView ? bounds.cut(each.record) : each)), rows: new TsvRows(16), resources: new Set() }),
        insert: (prepared) => Promise.resolve(void stored.push(...prepared.flatMap(({ spans }) => spans))),
      },
      exceptions: { write: (exceptions) => Promise.resolve(void errors.push(...exceptions)) },
      edges: { write: () => Promise.resolve() },
      statements: { write: () => Promise.resolve() },
    },
    { clock, own, retentionDays: 7, limits: { ...defaultLimits, gatherMs: 0, attributes: 3, attributeLength: 10, spanEvents: 2 } },
  )
  return { ingest, stored, errors, own }
}

test('spans out of time, or with ids that are none, are refused by partial success, and all others are stored', async () => {
  const cases: readonly (readonly [Partial<SpanRecord>, 'kept' | 'refused'])[] = [
    [{}, 'kept'],
    [{ start: now + 9n * MINUTE, end: now + 10n * MINUTE }, 'kept'],
    [{ start: now + 11n * MINUTE, end: now + 11n * MINUTE }, 'refused'],
    [{ end: now + 11n * MINUTE }, 'refused'],
    [{ start: now - 7n * DAY }, 'kept'],
    [{ start: now - 7n * DAY - 1n }, 'refused'],
    [{ start: 0n, end: 0n }, 'refused'],
    [{ start: 1n << 63n, end: (1n << 64n) - 1n }, 'refused'],
    [{ end: 0n }, 'kept'],
    [{ traceId: '0'.repeat(32) }, 'refused'],
    [{ spanId: 'b'.repeat(14) }, 'refused'],
  ]
  for (const content of ['protobuf', 'json'] as const) {
    const { ingest, stored, own } = setting()
    const spans = cases.map(([more, outcome]) => ({ ...span, name: outcome, ...more }))
    const body = content === 'protobuf' ? encodeSpans(spans) : Buffer.from(encodeSpansJson(spans))
    const { rejected, message } = await ingest.accept(body, content)
    assert.equal(rejected, cases.filter(([, outcome]) => outcome === 'refused').length)
    assert.match(message, /^5 spans begin or end in the future, or begin before the retention of 7 days; 2 spans have ids that are none, the first: span "refused": has no trace id/)
    assert.deepEqual(stored.map(({ name }) => name), ['kept', 'kept', 'kept', 'kept'])
    const counts = own.render().flatMap(({ name, samples }) => (name === 'andon_ingest_spans_refused_total' ? samples.map(({ labels, value }) => `${labels['reason']} ${value}`) : []))
    assert.deepEqual(counts.toSorted(), ['ids 2', 'time 5'])
  }
})

/** What is stored of a span. */
async function storedOf(more: Partial<SpanRecord>): Promise<SpanRecord> {
  const { ingest, stored } = setting()
  await ingest.acceptSpans([{ ...span, ...more }], 1)
  return stored[0] ?? assert.fail()
}

test('attributes are bounded in number, in the length of their keys and in all that lies in a value; what is dropped is counted', async () => {
  const value = async (given: AttributeValue): Promise<AttributeValue | undefined> => (await storedOf({ attributes: { a: given } })).attributes['a']
  assert.equal(await value('x'.repeat(11)), 'x'.repeat(10))
  assert.equal(await value(`${'x'.repeat(9)}\u{1F600}`), 'x'.repeat(9), 'not cut within a character')
  assert.deepEqual(await value(new Uint8Array(20)), new Uint8Array(10))
  assert.deepEqual(await value(['aaaa', 'bbbb', 'cccc']), ['aaaa', 'bbbb'])
  assert.deepEqual(await value(['aaaa', ['bbbbbb']]), ['aaaa', ['bbb']])
  assert.deepEqual(await value(Array.from({ length: 1000 }, () => 1n)), Array.from({ length: 10 }, () => 1n))
  assert.deepEqual({ ...((await value({ aa: 'bbb', cc: 'dddd' })) as object) }, { aa: 'bbb', cc: 'd' })
  const many = await storedOf({ droppedAttributes: 1, attributes: { ['k'.repeat(1025)]: 1n, a: 1n, b: 2n, c: 3n, d: 4n } })
  assert.deepEqual([Object.keys(many.attributes), many.droppedAttributes], [['a', 'b', 'c'], 3])
})

test('names, texts, events, links, resource and scope are bounded like attributes; what is within the limits is the same span', async () => {
  const long = 'n'.repeat(2000)
  const event = { time: now, name: long, attributes: { a: 'x'.repeat(11) }, droppedAttributes: 0 }
  const link = { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), traceState: long, flags: 0, attributes: { a: 1n, b: 1n, c: 1n, d: 1n }, droppedAttributes: 0 }
  const stored = await storedOf({
    name: long, traceState: long, status: { code: 'error', message: long }, events: [event, event, event], links: [link, link, link],
    resource: { attributes: { 'service.name': 'x'.repeat(11) }, droppedAttributes: 0, schemaUrl: long },
    scope: { name: long, version: long, attributes: { a: 'x'.repeat(11) }, droppedAttributes: 0, schemaUrl: long },
  })
  assert.deepEqual([stored.name.length, stored.traceState.length, stored.status.message.length], [1024, 1024, 10])
  assert.deepEqual([stored.events.length, stored.droppedEvents, stored.events[0]?.name.length, stored.events[0]?.attributes['a']], [2, 1, 1024, 'x'.repeat(10)])
  assert.deepEqual([stored.links.length, stored.droppedLinks, stored.links[0]?.traceState.length, stored.links[0]?.droppedAttributes], [2, 1, 1024, 1])
  assert.deepEqual([stored.resource.attributes['service.name'], stored.resource.schemaUrl.length], ['x'.repeat(10), 1024])
  assert.deepEqual([stored.scope.name.length, stored.scope.version.length, stored.scope.attributes['a']], [1024, 1024, 'x'.repeat(10)])
  const { ingest, stored: all } = setting()
  await ingest.acceptSpans([span], 1)
  assert.equal(all[0], span)
})

const exceptionAt = (time: bigint): SpanRecord['events'][number] => ({ time, name: 'exception', attributes: { 'exception.type': 'E' }, droppedAttributes: 0 })

test('an error of a span is of the time of its span, whatever time its event names', async () => {
  const { ingest, errors } = setting()
  await ingest.acceptSpans([{ ...span, events: [exceptionAt(now - 1n), exceptionAt((1n << 64n) - 1n)] }], 1)
  assert.deepEqual(errors.map(({ time }) => time), [now - 1n, now - MINUTE])
})
