// The fast writer against the encoder of records: a server reads the same from both.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeSpans, encodeAttributes, encodeSpanRequest, type SpanSource, SpanWriter, toAttributeValue } from './index.ts'

const resource = { attributes: { 'service.name': 's' }, droppedAttributes: 0, schemaUrl: '' }
const scope = { name: 'scope', version: '1', attributes: {}, droppedAttributes: 0, schemaUrl: '' }

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const value = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({ minLength: 100, maxLength: 300 }),
  fc.boolean(),
  fc.double({ noNaN: true }),
  fc.maxSafeInteger(),
  fc.array(fc.oneof(fc.string(), fc.integer(), fc.boolean()), { maxLength: 4 }),
)
const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((text) => text !== '__proto__')
const source: fc.Arbitrary<SpanSource> = fc.record({
  trace: fc.record({ a: int32, b: int32, c: int32, d: int32.filter((d) => d !== 0), state: fc.constantFrom('', 'a=1,b=2') }),
  idHigh: int32,
  idLow: int32.filter((low) => low !== 0),
  parentHigh: fc.constantFrom(0, -1, 7),
  parentLow: fc.constantFrom(0, -2, 9),
  flags: fc.constantFrom(0x100, 0x101, 0x301),
  name: fc.string({ unit: 'grapheme', maxLength: 200 }),
  kind: fc.integer({ min: 0, max: 5 }),
  startMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
  endMs: fc.double({ min: 1e9, max: 2e9, noNaN: true }),
  attributes: fc.dictionary(key, value, { maxKeys: 20 }).map((pairs) => Object.entries(pairs).flat(1)),
  block: fc.constantFrom(undefined, encodeAttributes(['block.key', 'v', 'block.number', 3])),
  droppedAttributes: fc.nat(3),
  events: fc.constantFrom(undefined, [{ time: 5n, name: 'e', attributes: { x: 'y' }, droppedAttributes: 0 }]),
  droppedEvents: fc.nat(3),
  links: fc.constantFrom(undefined, [{ traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceState: '', flags: 1, attributes: {}, droppedAttributes: 0 }]),
  statusCode: fc.integer({ min: 0, max: 2 }),
  statusMessage: fc.string({ unit: 'grapheme', maxLength: 200 }),
})

const hex = (...halves: readonly number[]): string => halves.map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('')

test('what is written is what is read: ids, times, attributes of every kind, events, links, status', () => {
  const epoch = 1_790_000_000_123_456_000n
  const writer = new SpanWriter(() => undefined)
  fc.assert(
    fc.property(fc.array(source, { minLength: 1, maxLength: 5 }), (sources) => {
      writer.setEpoch(epoch)
      for (const each of sources) writer.write(each)
      assert.equal(writer.count, sources.length)
      const spans = decodeSpans(encodeSpanRequest(resource, [[scope, writer.take()]]))
      assert.equal(spans.length, sources.length)
      sources.forEach((each, index) => {
        const span = spans[index]
        assert.ok(span !== undefined)
        assert.equal(span.traceId, hex(each.trace.a, each.trace.b, each.trace.c, each.trace.d))
        assert.equal(span.spanId, hex(each.idHigh, each.idLow))
        assert.equal(span.parentSpanId, each.parentHigh === 0 && each.parentLow === 0 ? '' : hex(each.parentHigh, each.parentLow))
        assert.deepEqual([span.start, span.end], [epoch + BigInt(Math.round(each.startMs * 1e6)), epoch + BigInt(Math.round(each.endMs * 1e6))])
        assert.deepEqual([span.name, span.traceState, span.flags], [each.name, each.trace.state, each.flags])
        assert.deepEqual([span.droppedAttributes, span.droppedEvents, span.status.message], [each.droppedAttributes, each.droppedEvents, each.statusMessage])
        assert.deepEqual([span.events.length, span.links.length], [each.events?.length ?? 0, each.links?.length ?? 0])
        const expected = new Map<unknown, unknown>(each.block === undefined ? [] : [['block.key', 'v'], ['block.number', 3n]])
        for (let at = 0; at < each.attributes.length; at += 2) expected.set(each.attributes[at], toAttributeValue(each.attributes[at + 1]))
        assert.deepEqual(new Map<unknown, unknown>(Object.entries(span.attributes)), expected)
      })
    }),
    { numRuns: 500 },
  )
})

const redaction = (name: string) => (name === 'secret' ? () => '[redacted]' : undefined)

test('values of a key that is redacted never reach the bytes, also within a list', () => {
  const text = Buffer.from(encodeAttributes(['secret', 'canary', 'secret', ['canary', 'x'], 'open', 'seen'], redaction)).toString('latin1')
  assert.ok(!text.includes('canary') && text.includes('[redacted]') && text.includes('seen'))
})
