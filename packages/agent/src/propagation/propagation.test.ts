// Every propagator: what it writes it reads again, whatever it is given it takes without failing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { baggageEntryMetadataFromString, type Context, defaultTextMapGetter, defaultTextMapSetter, propagation, trace } from '@opentelemetry/api'
import fc from 'fast-check'
import { NO_CONTEXT } from '../context.ts'
import { createPropagator, PROPAGATOR_NAMES } from '../propagation.ts'
import { parseTraceParent } from './trace-context.ts'
import { TraceState } from './trace-state.ts'

const TRACE = '80f198ee56343ba864fe8b2a57d3eff7'
const SPAN = 'e457b5a2e4d86bd1'

function extract(name: string, carrier: Readonly<Record<string, string | string[]>>): Context {
  return createPropagator([name]).extract(NO_CONTEXT, carrier, defaultTextMapGetter)
}

function inject(name: string, context: Context): Record<string, string> {
  const carrier: Record<string, string> = {}
  createPropagator([name]).inject(context, carrier, defaultTextMapSetter)
  return carrier
}

function ids(context: Context): string | undefined {
  const span = trace.getSpanContext(context)
  return span && `${span.traceId} ${span.spanId} ${span.traceFlags} ${span.isRemote}`
}

function id(bytes: number): fc.Arbitrary<string> {
  return fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((array) => Buffer.from(array).toString('hex'))
    .filter((text) => !/^0+$/.test(text))
}

for (const name of ['tracecontext', 'b3', 'b3multi', 'jaeger']) {
  test(`${name}: the span that is read is the one that was written`, () => {
    fc.assert(
      fc.property(id(16), id(8), fc.integer({ min: 0, max: 1 }), (traceId, spanId, traceFlags) => {
        const context = trace.setSpanContext(NO_CONTEXT, { traceId, spanId, traceFlags })
        assert.equal(ids(extract(name, inject(name, context))), `${traceId} ${spanId} ${traceFlags} true`)
      }),
    )
  })
}

test('no propagator fails on any header, and none writes a header of an invalid span', () => {
  const value = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom(`${TRACE}-${SPAN}`, `${TRACE}:${SPAN}:0:1`, '%', 'a=%zz;x'), fc.array(fc.string(), { maxLength: 3 }))
  const names = ['traceparent', 'tracestate', 'baggage', 'b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-sampled', 'x-b3-flags', 'uber-trace-id', 'uberctx-a', 'x-trace-id']
  const headers = fc.dictionary(fc.constantFrom(...names), value)
  fc.assert(
    fc.property(headers, (carrier) => {
      for (const name of PROPAGATOR_NAMES) {
        const found = extract(name, carrier)
        const span = trace.getSpanContext(found)
        assert.ok(span === undefined || trace.isSpanContextValid(span))
        for (const text of Object.values(inject(name, found))) assert.match(text, /^[\x20-\x7e]*$/)
      }
    }),
    { numRuns: 200 },
  )
  const invalid = trace.setSpanContext(NO_CONTEXT, { traceId: 'x'.repeat(32), spanId: SPAN, traceFlags: 1 })
  for (const name of PROPAGATOR_NAMES) assert.deepEqual(inject(name, invalid), {})
})

test('a traceparent is read as a regular expression would', () => {
  const pattern = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-[\da-f]([\da-f])(-.*)?$/s
  const near = fc.tuple(id(16), id(8), fc.constantFrom('00', '01', 'cc', 'ff', 'f0'), fc.nat(60), fc.string({ maxLength: 1 }), fc.constantFrom('', '-x', 'x')).map(([traceId, spanId, version, at, character, rest]) => {
    const header = `${version}-${traceId}-${spanId}-01${rest}`
    return header.slice(0, at) + character + header.slice(at + (at % 2))
  })
  fc.assert(
    fc.property(near, (header) => {
      const text = header.replaceAll(/^[ \t]+|[ \t]+$/g, '')
      const match = pattern.exec(text)
      const isWrong = match === null || (match[1] === '00' && match[5] !== undefined)
      assert.deepEqual(parseTraceParent(header), isWrong ? undefined : { traceId: match[2], spanId: match[3], traceFlags: Number.parseInt(match[4] ?? '', 16) & 3, isRemote: true })
    }),
    { numRuns: 2000 },
  )
})

test('several traceparent headers start a new trace; one in a list is read', () => {
  const header = `00-${TRACE}-${SPAN}-03`
  assert.equal(ids(extract('tracecontext', { traceparent: [header, header] })), undefined)
  assert.equal(ids(extract('tracecontext', { traceparent: [header] })), `${TRACE} ${SPAN} 3 true`)
  assert.equal(inject('tracecontext', extract('tracecontext', { traceparent: [header], tracestate: ['a=1', 'b=2'] }))['tracestate'], 'a=1,b=2')
})

test('a trace state is immutable, puts what is set to the front, holds 32 members and writes at most 512 characters', () => {
  const state = TraceState.parse('a=1,b=2') ?? assert.fail()
  assert.equal(state.set('b', '3').serialize(), 'b=3,a=1')
  assert.equal(state.unset('a').serialize(), 'b=2')
  assert.equal(state.set('B', '3').set('c', 'x,y').set('d', '').serialize(), 'a=1,b=2')
  assert.deepEqual([state.serialize(), state.get('a'), state.get('z')], ['a=1,b=2', '1', undefined])
  const full = TraceState.parse(Array.from({ length: 32 }, (_, index) => `k${index}=v`).join(',')) ?? assert.fail()
  assert.deepEqual([full.set('new', '1').get('k31'), full.set('new', '1').get('k30')], [undefined, 'v'])
  const long = TraceState.parse(`a=1,${'b'.repeat(10)}=${'x'.repeat(200)},c=3,d=${'y'.repeat(250)},e=${'z'.repeat(100)}`) ?? assert.fail()
  assert.equal(long.serialize(), `a=1,${'b'.repeat(10)}=${'x'.repeat(200)},c=3,e=${'z'.repeat(100)}`)
  const many = TraceState.parse(Array.from({ length: 30 }, (_, index) => `k${index}=${'v'.repeat(40)}`).join(',')) ?? assert.fail()
  assert.ok(many.serialize().length <= 512 && many.serialize().startsWith('k0=') && TraceState.parse(many.serialize()) !== undefined)
})

test('baggage: keys, values and metadata come through, also those that are no header text', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(fc.dictionary(text, fc.string({ unit: 'grapheme', maxLength: 20 }), { maxKeys: 10 }), (values) => {
      const entries = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { value }]))
      const carrier = inject('baggage', propagation.setBaggage(NO_CONTEXT, propagation.createBaggage(entries)))
      for (const header of Object.values(carrier)) assert.match(header, /^[\x21-\x7e]+$/)
      const found = propagation.getBaggage(extract('baggage', carrier))?.getAllEntries() ?? []
      assert.deepEqual(new Map(found.map(([key, { value }]) => [key, value])), new Map(Object.entries(values)))
    }),
  )
  const header = 'userId=alice%20a;property=1;flag , serverNode = DF%2028 ,__proto__=x'
  const found = propagation.getBaggage(extract('baggage', { baggage: header })) ?? assert.fail()
  assert.deepEqual([found.getEntry('userId')?.value, found.getEntry('userId')?.metadata?.toString(), found.getEntry('serverNode')?.value, found.getEntry('__proto__')?.value], ['alice a', 'property=1;flag', 'DF 28', 'x'])
  assert.equal(inject('baggage', propagation.setBaggage(NO_CONTEXT, found))['baggage'], 'userId=alice%20a;property=1;flag,serverNode=DF%2028,__proto__=x')
})

test('baggage: members beyond the limits are left out, wrong ones passed over, and no line break gets into a header', () => {
  const many = Array.from({ length: 200 }, (_, index) => `k${index}=v`).join(',')
  assert.equal(propagation.getBaggage(extract('baggage', { baggage: many }))?.getAllEntries().length, 180)
  const large = Array.from({ length: 10 }, (_, index) => `k${index}=${'v'.repeat(2000)}`).join(',')
  assert.equal(propagation.getBaggage(extract('baggage', { baggage: large }))?.getAllEntries().length, 4)
  const wrong = propagation.getBaggage(extract('baggage', { baggage: `=1,a b=2,novalue,ok=%zz,huge=${'v'.repeat(5000)}` }))
  assert.deepEqual(wrong?.getAllEntries(), [['ok', { value: '%zz' }]])
  const bag = propagation.createBaggage({ a: { value: '1', metadata: baggageEntryMetadataFromString('x\r\ny: 1') }, '\ud800': { value: 'lone' }, b: { value: '2' } })
  assert.equal(inject('baggage', propagation.setBaggage(NO_CONTEXT, bag))['baggage'], 'a=1,b=2')
})

test('b3: the published examples, both forms under either name', () => {
  for (const name of ['b3', 'b3multi']) {
    assert.equal(ids(extract(name, { b3: `${TRACE}-${SPAN}-1-05e3ac9a4f6e3b90` })), `${TRACE} ${SPAN} 1 true`)
    assert.equal(ids(extract(name, { b3: `${TRACE}-${SPAN}-0` })), `${TRACE} ${SPAN} 0 true`)
    assert.equal(ids(extract(name, { b3: `${TRACE}-${SPAN}` })), `${TRACE} ${SPAN} 1 true`)
    assert.equal(ids(extract(name, { b3: '64FE8B2A57D3EFF7-E457B5A2E4D86BD1-1' })), `000000000000000064fe8b2a57d3eff7 ${SPAN} 1 true`)
    for (const b3 of ['0', '', TRACE, `${TRACE}-${SPAN}-2`, `${TRACE}-${SPAN}-1-zz`, `${TRACE}-${SPAN}-1-05e3ac9a4f6e3b90-x`, `${'0'.repeat(32)}-${SPAN}-1`]) assert.equal(ids(extract(name, { b3 })), undefined, b3)
    assert.equal(ids(extract(name, { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': '0' })), `${TRACE} ${SPAN} 0 true`)
    assert.equal(ids(extract(name, { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': 'false' })), `${TRACE} ${SPAN} 0 true`)
    assert.equal(ids(extract(name, { b3: 'junk', 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN })), `${TRACE} ${SPAN} 1 true`)
    assert.equal(ids(extract(name, { 'x-b3-traceid': TRACE })), undefined)
  }
  const debug = extract('b3', { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-flags': '1' })
  assert.deepEqual(inject('b3', debug), { b3: `${TRACE}-${SPAN}-d` })
  assert.deepEqual(inject('b3multi', debug), { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-flags': '1' })
  assert.deepEqual(inject('b3multi', extract('b3', { b3: `${TRACE}-${SPAN}-1` })), { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': '1' })
})

test('jaeger: encoded colons, short ids, debug and baggage', () => {
  assert.equal(ids(extract('jaeger', { 'uber-trace-id': `${TRACE}%3A${SPAN}%3A0%3A1` })), `${TRACE} ${SPAN} 1 true`)
  assert.equal(ids(extract('jaeger', { 'uber-trace-id': '64fe8b2a57d3eff7:1:0:00' })), '000000000000000064fe8b2a57d3eff7 0000000000000001 0 true')
  for (const header of [`${TRACE}:${SPAN}:0`, `${TRACE}:0:0:1`, `${TRACE}0:${SPAN}:0:1`, `${TRACE}:${SPAN}:0:x`, `${TRACE}:${SPAN}:0:1:1`]) assert.equal(ids(extract('jaeger', { 'uber-trace-id': header })), undefined, header)
  assert.deepEqual(inject('jaeger', extract('jaeger', { 'uber-trace-id': `${TRACE}:${SPAN}:0:3`, 'uberctx-tenant': 'a%20b' })), { 'uber-trace-id': `${TRACE}:${SPAN}:0:03`, 'uberctx-tenant': 'a%20b' })
  const bad = propagation.setBaggage(NO_CONTEXT, propagation.createBaggage({ 'a b': { value: '1' }, ok: { value: 'x\ny' } }))
  assert.deepEqual(inject('jaeger', bad), { 'uberctx-ok': 'x%0Ay' })
})

test('xtraceid: taken as it is or hashed, and only where no other header names a parent', () => {
  assert.match(ids(extract('xtraceid', { 'x-trace-id': TRACE.toUpperCase() })) ?? '', new RegExp(`^${TRACE} [\\da-f]{16} 1 true$`))
  const hashed = trace.getSpanContext(extract('xtraceid', { 'x-trace-id': 'order 17' }))?.traceId
  assert.equal(hashed, trace.getSpanContext(extract('xtraceid', { 'x-trace-id': 'order 17' }))?.traceId)
  assert.match(hashed ?? '', /^[\da-f]{32}$/)
  const both = createPropagator(['xtraceid', 'tracecontext']).extract(NO_CONTEXT, { 'x-trace-id': 'f'.repeat(32), traceparent: `00-${TRACE}-${SPAN}-01` }, defaultTextMapGetter)
  assert.equal(ids(both), `${TRACE} ${SPAN} 1 true`)
  assert.deepEqual(inject('xtraceid', both), { 'x-trace-id': TRACE })
})
