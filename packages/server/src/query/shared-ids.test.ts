import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SpanRecord } from '@andon/model'
import fc from 'fast-check'
import { withOwnIds } from './shared-ids.ts'

function span(id: string, parent: string, service: string, kind: SpanRecord['kind'], more: Partial<SpanRecord> = {}): SpanRecord {
  return {
    traceId: 'a'.repeat(32),
    spanId: id,
    parentSpanId: parent,
    traceState: '',
    flags: 1,
    name: `${service} ${kind}`,
    kind,
    start: 0n,
    end: 1n,
    attributes: {},
    droppedAttributes: 0,
    events: [],
    droppedEvents: 0,
    links: [],
    droppedLinks: 0,
    status: { code: 'unset', message: '' },
    resource: { attributes: { 'service.name': service }, droppedAttributes: 0, schemaUrl: '' },
    scope: { name: '', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' },
    ...more,
  }
}

/** Names of the spans on the way up from one. */
function ancestors(spans: readonly SpanRecord[], name: string): string[] {
  const path: string[] = []
  let at = spans.find((each) => each.name === name)
  while (at !== undefined && path.length < 20) {
    path.push(at.name)
    const { parentSpanId } = at
    at = spans.find((each) => each.spanId === parentSpanId)
  }
  return path
}

const X = '1'.repeat(16)
const trace = [
  span('2'.repeat(16), '', 'web', 'server'),
  span(X, '2'.repeat(16), 'web', 'client', { name: 'call' }),
  span(X, '2'.repeat(16), 'shop', 'server', { name: 'answer', attributes: { 'zipkin.shared': true } }),
  span('3'.repeat(16), X, 'shop', 'client', { name: 'query' }),
  span('4'.repeat(16), X, 'web', 'internal', { name: 'retry' }),
]

test('the called side hangs under the caller, its own spans under it, the caller’s under the caller', () => {
  const seen = withOwnIds(trace)
  assert.equal(new Set(seen.map(({ spanId }) => spanId)).size, trace.length)
  assert.deepEqual(ancestors(seen, 'query'), ['query', 'answer', 'call', 'web server'])
  assert.deepEqual(ancestors(seen, 'retry'), ['retry', 'call', 'web server'])
  assert.deepEqual(withOwnIds(trace.toReversed()).toReversed(), seen, 'the order in which they lie does not matter')
})

test('a called side without its caller stays where it is, and so does a trace without shared ids', () => {
  const alone = trace.filter(({ name }) => name !== 'call')
  assert.equal(withOwnIds(alone), alone)
  const plain = [trace[0], trace[1]].flatMap((each) => each ?? [])
  assert.equal(withOwnIds(plain), plain)
})

test('a call that two servers answered: each gets an id of its own', () => {
  const seen = withOwnIds([...trace, span(X, '2'.repeat(16), 'shop', 'server', { name: 'second answer' })])
  assert.equal(new Set(seen.map(({ spanId }) => spanId)).size, 6)
  assert.deepEqual(ancestors(seen, 'second answer'), ['second answer', 'call', 'web server'])
})

test('of any spans: none is lost, ids of callers stay, nothing becomes its own parent', () => {
  const id = fc.constantFrom('1', '2', '3').map((digit) => digit.repeat(16))
  const any = fc.record({ id, parent: fc.oneof(fc.constant(''), id), service: fc.constantFrom('a', 'b'), kind: fc.constantFrom<SpanRecord['kind'][]>('client', 'server', 'internal', 'consumer', 'producer') })
  fc.assert(
    fc.property(fc.array(any, { maxLength: 8 }), (drawn) => {
      const sent = drawn.filter(({ id: own, parent }) => own !== parent).map(({ id: own, parent, service, kind }) => span(own, parent, service, kind))
      const seen = withOwnIds(sent)
      assert.equal(seen.length, sent.length)
      seen.forEach((each, index) => {
        assert.notEqual(each.spanId, each.parentSpanId)
        if (sent[index]?.kind === 'client') assert.equal(each.spanId, sent[index].spanId)
      })
    }),
  )
})
