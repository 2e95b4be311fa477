import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EdgeRecord } from '@andon/model'
import fc from 'fast-check'
import { resolveEdges, ServiceMapReader, type ServiceRates } from './edges.ts'

const MINUTE = 60_000

function record(more: Partial<EdgeRecord>): EdgeRecord {
  const calls = more.calls ?? 1
  return { client: 'shop', server: '', peer: 'cart:80', kind: 'service', env: '', minute: 0, calls, errors: 0, unseenErrors: 0, seconds: calls / 100, buckets: new Map([[-54, calls]]), serverCalls: 0, serverSeconds: 0, serverBuckets: new Map(), ...more }
}

const close = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-6, `${a} is not ${b}`)

const share = fc.record({ client: fc.constantFrom('a', 'b'), peer: fc.constantFrom('x:1', 'y:2', ''), minute: fc.constantFrom(0, MINUTE), calls: fc.integer({ min: 1, max: 100 }), errors: fc.integer({ min: 0, max: 100 }), named: fc.array(fc.record({ server: fc.constantFrom('s', 't'), part: fc.double({ min: 0, max: 0.5, noNaN: true }) }), { maxLength: 2 }) })

test('no call, no error and no time is lost or made up when calls are given to servers', () => {
  fc.assert(
    fc.property(fc.uniqueArray(share, { maxLength: 8, selector: ({ client, peer, minute }) => `${client}${peer}${minute}` }), (shares) => {
      const records = shares.flatMap(({ client, peer, minute, calls, errors, named }) => {
        const failed = Math.min(calls, errors)
        const servers = new Map(named.map(({ server, part }) => [server, part]))
        return [
          record({ client, peer, minute, calls, errors: failed, seconds: calls / 100, buckets: new Map([[-54, calls]]) }),
          ...[...servers].map(([server, part]) => record({ client, peer, minute, server, calls: calls * part, errors: failed * part, seconds: (calls / 100) * part, buckets: new Map([[-54, calls * part]]) })),
        ]
      })
      const edges = resolveEdges(records)
      for (const client of ['a', 'b']) {
        const of = shares.filter((each) => each.client === client)
        const got = edges.filter((each) => each.client === client)
        close(got.reduce((sum, { calls }) => sum + calls, 0), of.reduce((sum, { calls }) => sum + calls, 0))
        close(got.reduce((sum, { errors }) => sum + errors, 0), of.reduce((sum, { calls, errors }) => sum + Math.min(calls, errors), 0))
        close(got.reduce((sum, { seconds }) => sum + seconds, 0), of.reduce((sum, { calls }) => sum + calls / 100, 0))
        close(got.reduce((sum, { buckets }) => sum + (buckets.get(-54) ?? 0), 0), of.reduce((sum, { calls }) => sum + calls, 0))
      }
      assert.ok(edges.every(({ calls, errors }) => calls >= 0 && errors >= 0))
    }),
  )
})

test('calls that name no server go to those behind the same address, errors among them; else to the address', () => {
  const calls = [record({ calls: 10, errors: 4 }), record({ server: 'cart', calls: 4, errors: 1 }), record({ server: 'basket', calls: 1 }), record({ peer: 'smtp:25', calls: 2 }), record({ peer: '', calls: 1 })]
  assert.deepEqual(
    resolveEdges(calls).map(({ server, kind, calls: n, errors }) => [server, kind, n, errors]),
    [['cart', 'service', 4 + 5 * 0.8, 1 + 3 * 0.8], ['basket', 'service', 1 + 5 * 0.2, 3 * 0.2], ['smtp:25', 'external', 2, 0], ['unknown', 'external', 1, 0]],
  )
})

test('an address keeps the names that were found behind it before: a server that is down stays the same node', () => {
  const named = [{ client: 'shop', peer: 'cart:80', env: '', server: 'cart', calls: 3 }]
  assert.deepEqual(resolveEdges([record({ calls: 5, errors: 5 })], named).map(({ server, kind, calls, errors }) => [server, kind, calls, errors]), [['cart', 'service', 5, 5]])
})

const rates: ServiceRates = {
  services: () =>
    Promise.resolve([{ service: 'shop', source: 'metrics', rate: 7, errorRatio: 0.5, p50: 1, p95: 2, p99: 3, course: { t: [], rate: [], p95: [] }, version: undefined, lastSeen: 0 }]),
}

test('the map shows services by their own rates and everything else as its callers saw it', async () => {
  const records = [
    record({ calls: 60, errors: 6 }),
    record({ server: 'cart', calls: 60, errors: 6, serverCalls: 60, serverSeconds: 0.3, serverBuckets: new Map([[-62, 60]]) }),
    record({ kind: 'database', peer: '', server: 'postgresql/orders', calls: 120 }),
    record({ kind: 'queue', peer: '', server: 'kafka/mails', calls: 30 }),
    record({ kind: 'consumer', peer: '', client: 'kafka/mails', server: 'mailer', calls: 30, buckets: new Map(), seconds: 0, serverCalls: 30, serverSeconds: 3, serverBuckets: new Map([[-27, 30]]) }),
    record({ client: 'mailer', peer: 'shop', calls: 1 }),
  ]
  const asked: unknown[] = []
  const reader = new ServiceMapReader({ read: (query) => Promise.resolve((asked.push(query), records)), named: () => Promise.resolve([]) }, rates)
  const { nodes, edges } = await reader.read({ start: 30_000, end: MINUTE })
  assert.deepEqual(asked, [{ range: { start: 0, end: MINUTE }, buckets: true }])
  assert.deepEqual(
    nodes.map(({ name, kind, source, rate, errorRatio }) => [name, kind, source, rate, errorRatio]),
    [
      ['cart', 'service', 'calls', 1, 0.1],
      ['kafka/mails', 'queue', 'calls', 0.5, 0],
      ['mailer', 'service', 'calls', 0.5, 0],
      ['postgresql/orders', 'database', 'calls', 2, 0],
      ['shop', 'service', 'metrics', 7, 0.5],
    ],
  )
  assert.deepEqual(
    edges.map(({ client, server, kind, rate, errorRatio }) => [client, server, kind, rate, errorRatio]),
    [
      ['shop', 'postgresql/orders', 'database', 2, 0],
      ['shop', 'cart', 'service', 1, 0.1],
      ['kafka/mails', 'mailer', 'consumer', 0.5, 0],
      ['shop', 'kafka/mails', 'queue', 0.5, 0],
      ['mailer', 'shop', 'service', 1 / 60, 0],
    ],
  )
  const [, cart, taken] = edges
  for (const [value, low, high] of [[cart?.p50, 0.0085, 0.0101], [cart?.serverP50, 0.004, 0.0051], [taken?.p95, 0.09, 0.106]] as const) assert.ok(value !== undefined && value !== null && value > low && value < high, String(value))
  const alone = await reader.read({ start: 0, end: MINUTE }, 'mailer')
  assert.deepEqual([alone.nodes.map(({ name }) => name), alone.edges.length], [['kafka/mails', 'mailer', 'shop'], 2])
})
