import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EdgeRecord, SpanRecord } from '@andon/model'
import fc from 'fast-check'
import { FakeClock } from '../runtime/clock.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import { call, NOON, spanOf } from './call-spans.test.ts'
import { EdgeMatcher } from './edges.ts'

const LIMITS = { edgeSpans: 100_000, edgeWaitMs: 120_000 }

function matcher(limits: Partial<typeof LIMITS> = {}): { edges: EdgeMatcher; clock: FakeClock; own: OwnMetrics; feed: (...spans: SpanRecord[]) => readonly EdgeRecord[] } {
  const clock = new FakeClock(NOON)
  const own = new OwnMetrics()
  const edges = new EdgeMatcher({ clock, own, limits: { ...LIMITS, ...limits } })
  const feed = (...spans: SpanRecord[]): readonly EdgeRecord[] => {
    const plan = edges.plan(spans)
    plan.commit()
    return plan.edges
  }
  return { edges, clock, own, feed }
}

/** Sums of calls, errors and errors unseen by client, server, peer and kind, and what the servers saw. */
function summed(records: readonly EdgeRecord[]): Record<string, number[]> {
  const sums: Record<string, number[]> = {}
  for (const { client, server, peer, kind, calls, errors, unseenErrors, seconds, serverCalls, serverSeconds } of records) {
    const key = `${client} > ${server} [${peer}] ${kind}`
    const values = [calls, errors, unseenErrors, seconds, serverCalls, serverSeconds]
    sums[key] = values.map((value, index) => Math.round(((sums[key]?.[index] ?? 0) + value) * 1e6) / 1e6)
  }
  return sums
}

function givenUp(own: OwnMetrics): Record<string, number> {
  const family = own.render().find(({ name }) => name === 'andon_ingest_edges_given_up_total')
  return Object.fromEntries((family?.samples ?? []).map(({ labels, value }) => [labels['reason'] ?? '', value]))
}

const service = fc.constantFrom('shop', 'cart', 'bank')
const failed = fc.constantFrom<SpanRecord['status']>({ code: 'unset', message: '' }, { code: 'error', message: '' })
const calls = fc
  .array(fc.record({ client: service, server: service, clientStatus: failed, serverStatus: failed, weight: fc.constantFrom(1, 2, 2.5), serverWeight: fc.constantFrom(1, 10) }), { minLength: 1, maxLength: 12 })
  .map((list) =>
    list.map(({ client, server, clientStatus, serverStatus, weight, serverWeight }, n) =>
      call(n, client, server, {
        client: { status: clientStatus, attributes: { 'server.address': `${server}.local`, 'andon.weight': weight } },
        server: { status: serverStatus, attributes: { 'andon.weight': serverWeight } },
      }),
    ),
  )

test('the halves of calls are matched once, in any order, in any batches, whatever is planned and not stored', () => {
  fc.assert(
    fc.property(
      calls.chain((pairs) => fc.tuple(fc.constant(pairs), fc.shuffledSubarray(pairs.flat(), { minLength: pairs.length * 2 }), fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 24, maxLength: 24 }), fc.array(fc.boolean(), { minLength: 24, maxLength: 24 }))),
      ([pairs, spans, sizes, failures]) => {
        const expected = summed(matcher().feed(...pairs.flat()))
        const { edges } = matcher()
        const got: EdgeRecord[] = []
        let at = 0
        for (const [index, size] of sizes.entries()) {
          const batch = spans.slice(at, at + size)
          at += size
          if (batch.length === 0) break
          // An insert that failed is planned again, and gives the same.
          if (failures[index] === true) assert.deepEqual(edges.plan(batch).edges, edges.plan(batch).edges)
          const plan = edges.plan(batch)
          plan.commit()
          got.push(...plan.edges)
        }
        assert.ok(at >= spans.length)
        assert.deepEqual(summed(got), expected)
        // Each call counts once under its address and once under its server, by the client's weight.
        const total = (isNamed: boolean): number => got.filter(({ server }) => (server !== '') === isNamed).reduce((sum, each) => sum + each.calls, 0)
        const weights = pairs.reduce((sum, [client]) => sum + Number(client.attributes['andon.weight']), 0)
        assert.deepEqual([total(false), total(true)], [weights, weights])
      },
    ),
  )
})

test('weights and folded spans count; each side by its own weight; an error that only the server saw is told apart', () => {
  const { feed } = matcher()
  const [client, server] = call(0, 'shop', 'cart', { client: { attributes: { 'peer.service': 'carts', 'andon.weight': 2, 'andon.repeat': 5n } }, server: { status: { code: 'error', message: '' }, attributes: { 'andon.weight': 3 } } })
  assert.deepEqual(summed(feed(client)), { 'shop >  [carts] service': [10, 0, 0, 0.02, 0, 0] })
  assert.deepEqual(summed(feed(server)), { 'shop > cart [carts] service': [10, 0, 10, 0.02, 3, 0.03] })
  const [edge] = feed(...call(1, 'shop', 'cart', { client: { traceState: 'ot=th:8' } }))
  assert.equal(edge?.calls, 2)
  assert.deepEqual([...edge.buckets], [[Math.ceil(Math.log2(0.01) * 8) - 1, 2]])
})

test('what sends no spans is known by its callers alone; queues stand between who sends and who takes', () => {
  const { feed } = matcher()
  const edges = feed(
    spanOf('shop', { trace: 1, span: 1 }, { kind: 'client', attributes: { 'db.system.name': 'postgresql', 'db.namespace': 'orders', 'server.address': 'db' } }),
    spanOf('shop', { trace: 1, span: 2 }, { kind: 'client', attributes: { 'db.system': 'redis', 'db.namespace': '0' } }),
    spanOf('shop', { trace: 1, span: 3 }, { kind: 'producer', attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'mails' } }),
    spanOf('mailer', { trace: 1, span: 4, parent: 3 }, { kind: 'consumer', status: { code: 'error', message: '' }, attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'mails' } }),
    spanOf('mailer', { trace: 1, span: 5 }, { kind: 'client', attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'mails', 'messaging.operation.type': 'receive' } }),
    spanOf('mailer', { trace: 1, span: 6 }, { kind: 'client', attributes: { 'server.address': 'smtp.example', 'server.port': 25n } }),
    spanOf('mailer', { trace: 1, span: 7 }, { kind: 'internal' }),
  )
  assert.deepEqual(summed(edges), {
    'shop > postgresql/orders [] database': [1, 0, 0, 0.01, 0, 0],
    'shop > redis/0 [] cache': [1, 0, 0, 0.01, 0, 0],
    'shop > kafka/mails [] queue': [1, 0, 0, 0.01, 0, 0],
    'kafka/mails > mailer [] consumer': [1, 1, 0, 0, 1, 0.01],
    'mailer >  [smtp.example:25] service': [1, 0, 0, 0.01, 0, 0],
  })
})

test('a message without a queue is matched by its parent, as a call is', () => {
  const { feed } = matcher()
  feed(spanOf('shop', { trace: 1, span: 1 }, { kind: 'producer' }))
  assert.deepEqual(Object.keys(summed(feed(spanOf('mailer', { trace: 1, span: 2, parent: 1 }, { kind: 'consumer' })))), ['shop > mailer [] service'])
})

test("a server's span that has the id of its client's is its other half", () => {
  const { feed } = matcher()
  const [client, server] = call(0, 'shop', 'cart')
  feed({ ...server, spanId: client.spanId, parentSpanId: '', attributes: { 'zipkin.shared': true } })
  assert.deepEqual(Object.keys(summed(feed(client))), ['shop >  [cart.local:80] service', 'shop > cart [cart.local:80] service'])
})

test('a call of which two libraries tell counts once', () => {
  const http = spanOf('shop', { trace: 1, span: 2, parent: 1 }, { kind: 'client', attributes: { 'server.address': 'es', 'server.port': 9200n } })
  const database = spanOf('shop', { trace: 1, span: 1 }, { kind: 'client', attributes: { 'db.system.name': 'elasticsearch' } })
  assert.deepEqual(Object.keys(summed(matcher().feed(http, database))), ['shop > elasticsearch [] database'])
  const rpc = spanOf('shop', { trace: 1, span: 1 }, { kind: 'client', attributes: { 'server.address': 'storage' } })
  assert.deepEqual(Object.keys(summed(matcher().feed(http, rpc))), ['shop >  [es:9200] service'])
})

test('a server whose parent is known to be of its own process waits for nobody', () => {
  const { feed, own } = matcher()
  const [client, server] = call(0, 'shop', 'cart')
  feed({ ...server, flags: 0x101 })
  assert.equal(own.render().find(({ name }) => name === 'andon_ingest_edges_waiting')?.samples[0]?.value, 0)
  feed({ ...server, flags: 0x301 })
  assert.equal(feed(client).length, 2)
})

test('memory is bounded by number and by time, and what is given up is counted', async () => {
  const { feed, own, clock } = matcher({ edgeSpans: 10, edgeWaitMs: 1000 })
  const waiting = (): number | undefined => own.render().find(({ name }) => name === 'andon_ingest_edges_waiting')?.samples[0]?.value
  const pairs = Array.from({ length: 30 }, (_, n) => call(n, 'shop', 'cart'))
  for (const [client] of pairs) feed(client)
  assert.equal(waiting(), 10)
  assert.deepEqual(givenUp(own), { memory: 20 })
  // The newest are still there.
  assert.equal(feed(...pairs.map(([, server]) => server)).reduce((sum, { calls: each }) => sum + each, 0), 10)
  assert.equal(waiting(), 10)
  await clock.advance(1001)
  feed(...call(100, 'shop', 'cart'))
  assert.equal(waiting(), 0)
  assert.deepEqual(givenUp(own), { memory: 30, server_alone: 10 })
})

function addresses(from: number): SpanRecord[] {
  return Array.from({ length: 600 }, (_, n) => spanOf('shop', { trace: from + n, span: 1 }, { kind: 'client', attributes: { 'server.address': `host${from + n}` } }))
}

test('a service cannot fill the map with addresses', async () => {
  const { feed, own, clock } = matcher()
  const records = feed(...addresses(1))
  assert.equal(records.length, 501)
  assert.equal(records.find(({ peer }) => peer === '(other)')?.calls, 100)
  assert.equal(givenUp(own)['addresses'], 100)
  await clock.advance(3_600_000)
  assert.equal(feed(...addresses(1001)).length, 501)
})

test('the halves of a call that share an id, as Zipkin sends them, are matched', () => {
  const caller = spanOf('shop', { trace: 1, span: 5 }, { kind: 'client', attributes: { 'server.address': 'cart' } })
  const called = spanOf('cart', { trace: 1, span: 5 }, { kind: 'server', attributes: { 'zipkin.shared': true } })
  for (const halves of [[caller, called], [called, caller]]) {
    const { feed } = matcher()
    const sums = summed(halves.flatMap((half) => feed(half)))
    assert.deepEqual(Object.keys(sums).toSorted(), ['shop >  [cart] service', 'shop > cart [cart] service'])
    assert.deepEqual(sums['shop > cart [cart] service']?.slice(0, 1), [1])
  }
})
