// What is written straight from the bytes of a span is what is written of its record.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttributeValue, SpanRecord } from '@andon/model'
import { decodeSpans, encodeSpans, SpanView, viewSpans } from '@andon/wire'
import fc from 'fast-check'
import { appendSpan, SPAN_COLUMNS, WEIGHT_MAX, weightOf } from './span-row.ts'
import { SpanViewRows } from './span-view-row.ts'
import { TsvBytes } from './tsv-bytes.ts'
import { TsvRows } from './tsv.ts'

const LIMITS = { attributes: 128, attributeLength: 8192, nameLength: 1024 }
const NAMES = ['http.route', 'http.response.status_code', 'http.status_code', 'andon.weight', 'andon.repeat', 'db.query.text', 'db.statement', 'peer.service', 'db.system', 'db.namespace', 'server.address', 'server.port', 'net.peer.name', 'a\tkey', "it's", 'back\\slash', 'ключ']

const id = (bytes: number): fc.Arbitrary<string> => fc.uint8Array({ minLength: bytes, maxLength: bytes }).filter((each) => each.some((byte) => byte !== 0)).map((each) => Buffer.from(each).toString('hex'))
const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.constantFrom('', ' SELECT 1 ', '/a/:id', "'\\\t\n\0\r"))
const plainValue: fc.Arbitrary<AttributeValue> = fc.oneof(text, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(0n, 200n, -1n, 404n), fc.constantFrom(2 ** 32, 2 ** 32 + 1, 1e300), fc.double(), fc.constantFrom(Infinity, -Infinity, Number.NaN, -0), fc.boolean())
const anyValue: fc.Arbitrary<AttributeValue> = fc.oneof({ weight: 30, arbitrary: plainValue }, { weight: 1, arbitrary: fc.constantFrom<AttributeValue>(null, ['a', 1n], { a: 'b' }, new Uint8Array([1])) })
const attributes = fc.dictionary(fc.oneof(fc.constantFrom(...NAMES), fc.string().filter((key) => !/^\d+$/.test(key))), anyValue, { maxKeys: 20 })
const time = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), fc.bigInt({ min: 0n, max: 4_000_000_000n }).map((seconds) => seconds * 1_000_000_000n), fc.bigInt({ min: 1n, max: 4_000_000_000n }).map((seconds) => seconds * 1_000_000_000n - 1n))

const hex = fc.nat({ max: 15 }).map((digit) => digit.toString(16))
/** Thresholds of any length, many of them near the highest. */
const threshold = fc.oneof(fc.string({ unit: hex, minLength: 1, maxLength: 14 }), fc.tuple(fc.nat({ max: 13 }), hex).map(([length, last]) => `${'f'.repeat(length)}${last}`))

const span: fc.Arbitrary<SpanRecord> = fc.record({
  traceId: id(16),
  spanId: id(8),
  parentSpanId: fc.oneof(fc.constant(''), id(8)),
  traceState: fc.oneof({ weight: 9, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constantFrom('ot=th:8', 'a=b') }, { weight: 1, arbitrary: threshold.map((digits) => `ot=th:${digits}`) }),
  flags: fc.nat(),
  name: text,
  kind: fc.constantFrom('unspecified' as const, 'internal' as const, 'server' as const, 'client' as const, 'producer' as const, 'consumer' as const),
  start: time,
  end: time,
  attributes,
  droppedAttributes: fc.nat(),
  events: fc.oneof({ weight: 9, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.constant([{ time: 5n, name: 'exception', attributes: { 'exception.type': 'E' }, droppedAttributes: 0 }]) }),
  droppedEvents: fc.nat(),
  links: fc.constant([]),
  droppedLinks: fc.nat(),
  status: fc.record({ code: fc.constantFrom('unset' as const, 'ok' as const, 'error' as const), message: text }),
  resource: fc.constantFrom({ attributes: { 'service.name': 'shop', 'service.version': "1'" }, droppedAttributes: 0, schemaUrl: '' }, { attributes: {}, droppedAttributes: 0, schemaUrl: '' }),
  scope: fc.constantFrom({ name: 'http', version: '1', attributes: {}, droppedAttributes: 0, schemaUrl: '' }, { name: 'other', version: '', attributes: { a: 'b' }, droppedAttributes: 0, schemaUrl: '' }),
})

function refuse(problem: string): never {
  throw new Error(problem)
}

function rowsOf(bytes: Uint8Array): { readonly direct: string; readonly recorded: string; readonly written: number } {
  const direct = new TsvRows(16)
  const recorded = new TsvRows(16)
  const views = new SpanViewRows()
  let written = 0
  for (const view of viewSpans(bytes, refuse)) {
    if (!(view instanceof SpanView)) appendSpan(direct, view)
    else if (views.append(direct, view, LIMITS)) written += 1
    else appendSpan(direct, view.record)
  }
  for (const record of decodeSpans(bytes)) appendSpan(recorded, record)
  assert.equal(direct.rows, recorded.rows)
  return { direct: direct.bytes().toString('latin1'), recorded: recorded.bytes().toString('latin1'), written }
}

test('rows written from bytes are the rows of the records', () => {
  let written = 0
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: 5 }), (spans) => {
      const rows = rowsOf(encodeSpans(spans))
      written += rows.written
      assert.equal(rows.direct, rows.recorded)
    }),
    { numRuns: 500 },
  )
  assert.ok(written > 200, `only ${written} rows were written from bytes`)
})

const WEIGHT = SPAN_COLUMNS.indexOf('weight')

test('no span stands for more than is believed, whatever it says (property)', () => {
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: 5 }), (spans) => {
      for (const row of rowsOf(encodeSpans(spans)).direct.split('\n').slice(0, -1)) {
        const weight = Number(row.split('\t')[WEIGHT])
        assert.ok(weight > 0 && weight <= WEIGHT_MAX, String(weight))
      }
    }),
    { numRuns: 500 },
  )
  const [plain] = fc.sample(span, { numRuns: 1, seed: 1 })
  assert.ok(plain)
  const weight = (traceState: string, own?: AttributeValue): number => weightOf({ ...plain, traceState, attributes: own === undefined ? {} : { 'andon.weight': own } })
  assert.deepEqual(['', 'ot=th:0', 'ot=th:8', 'ot=th:c;rv:1', 'a=b,ot=th:ff'].map((state) => weight(state)), [1, 1, 2, 4, 256])
  assert.deepEqual(['ot=th:ffffffff', 'ot=th:ffffffff8', 'ot=th:ffffffffffffff', 'ot=th:fffffffffffffff'].map((state) => weight(state)), [2 ** 32, 1, 1, 1])
  assert.deepEqual([2 ** 32, 2 ** 32 + 1, 1e300, -1, '7', 'x'].map((own) => weight('ot=th:8', own)), [2 ** 32, 2, 2, 2, 7, 2])
})

test('what is past the limits, comes twice, or is no UTF-8 is left to the record', () => {
  const plain: SpanRecord = { ...(fc.sample(span, { numRuns: 1, seed: 1 })[0] as SpanRecord), traceState: '', events: [], scope: { name: 's', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }, attributes: { a: 'x'.repeat(40), b: 1n } }
  const bytes = encodeSpans([plain])
  const refused = (limits: typeof LIMITS, from = bytes): boolean => {
    const rows = new TsvRows(16)
    const [view] = viewSpans(from, refuse)
    assert.ok(view instanceof SpanView)
    const done = new SpanViewRows().append(rows, view, limits)
    assert.equal(rows.length > 0, done)
    return !done
  }
  assert.equal(refused(LIMITS), false)
  assert.equal(refused({ ...LIMITS, attributes: 1 }), true)
  assert.equal(refused({ ...LIMITS, attributeLength: 39 }), true)
  const at = Buffer.from(bytes).indexOf('xxxx')
  assert.equal(refused(LIMITS, Uint8Array.from(bytes, (byte, index) => (index === at ? 0xff : byte))), true)
})

const shown = (write: (out: TsvBytes) => void): string => {
  const out = new TsvBytes(64)
  write(out)
  return Buffer.from(out.written()).toString('latin1')
}
const halves = (value: bigint): [number, number] => [Number(value >> 32n), Number(value & 0xffff_ffffn)]

test('numbers are written as they are in decimal', () => {
  const wide = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.nat({ max: 63 }).map((bits) => 2n ** BigInt(bits)), fc.nat({ max: 18 }).map((power) => 10n ** BigInt(power) - 1n))
  fc.assert(
    fc.property(wide, (value) => {
      assert.equal(shown((out) => out.unsigned(...halves(value))), String(value))
      assert.equal(shown((out) => out.signed(...halves(value))), String(BigInt.asIntN(64, value)))
    }),
    { numRuns: 2000 },
  )
  fc.assert(fc.property(time.filter((ns) => ns < 9_999_999_999_999_999_999n), (ns) => assert.equal(shown((out) => out.nanoseconds(...halves(ns))), `${String(ns / 1_000_000_000n).padStart(10, '0')}.${String(ns % 1_000_000_000n).padStart(9, '0')}`)))
  fc.assert(fc.property(fc.nat({ max: 9_999_999_999_999 }), (ms) => assert.equal(shown((out) => out.milliseconds(ms)), `${String(Math.floor(ms / 1000)).padStart(10, '0')}.${String(ms % 1000).padStart(3, '0')}`)))
  fc.assert(fc.property(fc.double(), (value) => assert.ok(Object.is(Number(shown((out) => out.number(value)).replace('inf', 'Infinity')), value))))
})
