import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoverageReader, type CoverageSources } from './coverage.ts'

const RANGE = { start: 1_000_000_000_000, end: 1_000_000_900_000 }

function sources(more: Partial<CoverageSources> = {}): CoverageSources {
  return {
    inventory: {
      services: () => Promise.resolve(['shop']),
      items: () =>
        Promise.resolve([
          { kind: 'route', name: 'GET /a', lastSeen: 1 },
          { kind: 'route', name: 'GET /b', lastSeen: 1 },
          { kind: 'route', name: 'GET /c', lastSeen: 1 },
          { kind: 'job', name: 'digest', lastSeen: 1 },
          { kind: 'dependency', name: 'postgresql/shop', lastSeen: 1 },
          { kind: 'dependency', name: 'api:443', lastSeen: 1 },
        ]),
    },
    called: { peers: () => Promise.resolve(['bank', 'postgresql/shop']), statements: () => Promise.resolve([{ id: '1', text: 'SELECT 1' }]) },
    spans: { services: () => Promise.resolve(['bank']), operations: () => Promise.resolve([{ name: 'GET /a', kind: 'server' }, { name: 'GET /c', kind: 'client' }, { name: 'digest', kind: 'internal' }]) },
    metrics: {
      seriesOf: ([name]) =>
        Promise.resolve(name?.value === 'http_server_request_duration_seconds' ? [{ http_request_method: 'GET', http_route: '/b' }] : name?.value === 'http_client_request_duration_seconds' ? [{ server_address: 'api', server_port: '443' }] : []),
    },
    ...more,
  }
}

test('each operation is held against metrics and traces of its own, and the share is of all of them', async () => {
  const [shop] = await new CoverageReader(sources()).read(RANGE, 'shop')
  assert.ok(shop)
  const told = shop.operations.map(({ kind, name, registered, metrics, traces }) => [kind, name, registered, metrics, traces])
  assert.deepEqual(told, [
    ['route', 'GET /a', true, false, true],
    ['route', 'GET /b', true, true, false],
    // A client's span of that name is not the route served.
    ['route', 'GET /c', true, false, false],
    ['job', 'digest', true, false, true],
    ['dependency', 'postgresql/shop', true, false, true],
    ['dependency', 'api:443', true, true, false],
    ['dependency', 'bank', false, false, true],
    ['statement', 'SELECT 1', false, false, true],
  ])
  assert.deepEqual([shop.covered, shop.total, shop.share, shop.reports], [7, 8, 7 / 8, true])
  assert.deepEqual(new Set(shop.operations.flatMap(({ objective, alert }) => [objective, alert])), new Set([null]))
})

test('a service without any operation has no share; without a name all services are told', async () => {
  const none = { inventory: { services: () => Promise.resolve(['shop']), items: () => Promise.resolve([]) }, called: { peers: () => Promise.resolve([]), statements: () => Promise.resolve([]) } }
  const told = await new CoverageReader(sources(none)).read(RANGE)
  assert.deepEqual(told.map(({ service, total, share, reports }) => [service, total, share, reports]), [['bank', 0, null, false], ['shop', 0, null, false]])
})

test('what was registered shortly before the range counts, because agents report once an hour', async () => {
  const asked: number[] = []
  const inventory = { services: () => Promise.resolve(['shop']), items: (_service: string, { start }: { start: number }) => Promise.resolve(asked.push(start)).then(() => []) }
  await new CoverageReader(sources({ inventory })).read(RANGE, 'shop')
  assert.deepEqual(asked, [RANGE.start - 2 * 3_600_000])
})
