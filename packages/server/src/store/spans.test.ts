import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Attributes, AttributeValue, Resource, Scope, SpanRecord } from '@andon/model'
import { SPAN_KINDS, SPAN_STATUSES } from '@andon/model'
import fc, { type Arbitrary } from 'fast-check'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { openTestStore } from './fixture.test.ts'
import type { Store } from './index.ts'

/** The engine's own clock decides what has expired, and the times of this test are fixed. */
const forever = { rawDays: 3650, spansDays: 3650, rollupDays: 3650, longDays: 3650 }

const now = Date.UTC(2026, 5, 1, 12)
const folder = mkdtempSync(join(tmpdir(), 'andon-spans-'))
let store: Store

before(async () => {
  store = await openTestStore({ dataDir: folder, log: silentLog, clock: new FakeClock(now), retention: forever })
})
after(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

const text = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: 'grapheme', maxLength: 10 }), fc.constantFrom("'", '\\', '\t', '\n', '\0', '__proto__'))
const hex = (bytes: number): Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((array) => Buffer.from(array).toString('hex')).filter((id) => !/^0+$/.test(id))
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff })
const { value }: { value: Arbitrary<AttributeValue> } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    text,
    fc.boolean(),
    fc.double({ noNaN: true }).map((each) => each + 0),
    fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
    fc.uint8Array({ maxLength: 6 }),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(text, tie('value'), { maxKeys: 2 }),
  ),
})) as { value: Arbitrary<AttributeValue> }
const attributes = fc.oneof(fc.dictionary(text, value, { maxKeys: 4 }), fc.dictionary(text, text, { maxKeys: 4 }))
const at = fc.bigInt({ min: BigInt(now - 1000) * 1_000_000n, max: BigInt(now) * 1_000_000n })
const resource: Arbitrary<Resource> = fc.record({ attributes, droppedAttributes: fc.oneof(fc.constant(0), uint32), schemaUrl: fc.oneof(fc.constant(''), text) })
const scope: Arbitrary<Scope> = fc.record({ name: text, version: text, attributes, droppedAttributes: fc.oneof(fc.constant(0), uint32), schemaUrl: fc.oneof(fc.constant(''), text) })
const span: Arbitrary<SpanRecord> = fc
  .record({
    traceId: hex(16),
    spanId: hex(8),
    parentSpanId: fc.oneof(fc.constant(''), hex(8)),
    traceState: text,
    flags: uint32,
    name: text,
    kind: fc.constantFrom(...SPAN_KINDS),
    start: at,
    length: fc.bigInt({ min: 0n, max: 1n << 40n }),
    attributes,
    droppedAttributes: uint32,
    events: fc.array(fc.record({ time: fc.oneof(at, fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })), name: text, attributes, droppedAttributes: fc.oneof(fc.constant(0), uint32) }), { maxLength: 2 }),
    droppedEvents: uint32,
    links: fc.array(fc.record({ traceId: hex(16), spanId: hex(8), traceState: fc.oneof(fc.constant(''), text), flags: fc.oneof(fc.constant(0), uint32), attributes, droppedAttributes: fc.constant(0) }), { maxLength: 2 }),
    droppedLinks: uint32,
    status: fc.record({ code: fc.constantFrom(...SPAN_STATUSES), message: text }),
    resource,
    scope,
  })
  .map(({ length, ...rest }) => ({ ...rest, end: rest.start + length }))

/** Records without the prototypes that plain objects have and read ones have not, and without an order of keys. */
function plain(record: unknown): unknown {
  if (record instanceof Uint8Array) return Buffer.from(record).toString('hex')
  if (Array.isArray(record)) return record.map(plain)
  if (typeof record !== 'object' || record === null) return record
  return Object.entries(record)
    .map(([key, each]) => [key, plain(each)])
    .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))
}

let traces = 0

test('a stored span gives back the span with nothing lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(span, { minLength: 1, maxLength: 20 }), async (drawn) => {
      // A trace of its own for each, in every run: what an earlier run stored is still there.
      const spans = drawn.map((each) => ({ ...each, traceId: (traces += 1).toString(16).padStart(32, '0') }))
      await store.spans.write(spans)
      for (const each of spans) assert.deepEqual(plain(await store.spans.trace(each.traceId)), plain([each]))
    }),
    { numRuns: 20 },
  )
})

test('ids of every byte come back', async () => {
  const [template] = fc.sample(span, 1)
  assert.ok(template)
  const spans = Array.from({ length: 16 }, (_, row) => {
    const traceId = Buffer.from(Array.from({ length: 16 }, (_each, column) => row * 16 + column)).toString('hex')
    return { ...template, traceId, spanId: traceId.slice(0, 16).replace(/^0+$/, '1'.padStart(16, '0')), parentSpanId: traceId.slice(16), start: BigInt(now) * 1_000_000n, end: BigInt(now) * 1_000_000n }
  })
  await store.spans.write(spans)
  for (const each of spans) assert.deepEqual((await store.spans.trace(each.traceId, now)).map(({ traceId, spanId, parentSpanId }) => [traceId, spanId, parentSpanId]), [[each.traceId, each.spanId, each.parentSpanId]])
})

test('a search finds traces whose ids begin or end with zero bytes', async () => {
  const [template] = fc.sample(span, 1)
  assert.ok(template)
  const ids = ['00', '20', '0a', 'ff'].flatMap((edge) => [`${edge}${'5'.repeat(30)}`, `${'5'.repeat(30)}${edge}`])
  await store.spans.write(ids.map((traceId) => ({ ...template, traceId, name: 'edges', start: BigInt(now) * 1_000_000n, end: BigInt(now) * 1_000_000n })))
  const found = await store.spanSearch.search({ range: { start: now - 1000, end: now + 1000 }, operation: 'edges', limit: 100 })
  assert.deepEqual(found.map(({ traceId }) => traceId).toSorted(), ids.toSorted())
})

test('a search reads attributes of the span and of its resource, whatever stands in their keys', async () => {
  const [template] = fc.sample(span, 1)
  assert.ok(template)
  const time = BigInt(now) * 1_000_000n
  const each = (digit: string, own: Attributes, of: Attributes): SpanRecord => ({ ...template, traceId: digit.repeat(32), name: 'attributes', start: time, end: time, attributes: own, resource: { attributes: of, droppedAttributes: 0, schemaUrl: '' } })
  await store.spans.write([each('c', { 'a"\\\n': 'x', n: 7n }, { 'host.name': 'one' }), each('d', { n: 8n }, { 'host.name': 'two', '\u0001"': 'y' })])
  const found = async (asked: Record<string, string>): Promise<string[]> =>
    (await store.spanSearch.search({ range: { start: now - 1000, end: now + 1000 }, operation: 'attributes', attributes: asked, limit: 10 })).map(({ traceId }) => traceId[0] ?? '')
  assert.deepEqual(await found({ 'host.name': 'one' }), ['c'])
  assert.deepEqual(await found({ n: '8', 'host.name': 'two' }), ['d'])
  assert.deepEqual(await found({ 'a"\\\n': 'x' }), ['c'])
  const [stored] = await store.spans.trace('d'.repeat(32))
  assert.equal(stored?.resource.attributes['\u0001"'], 'y')
})

test('an unknown trace is empty', async () => {
  assert.deepEqual(await store.spans.trace('e'.repeat(32)), [])
})
