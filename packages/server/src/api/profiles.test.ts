// The routes of profiles, over fakes of store and ingest.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { decodePprof } from '@andon/wire'
import type { ProfileReads } from '../query/profiles.ts'
import type { ErrorBody } from './errors.ts'
import { createFixture, type Fixture, HOST, NOW } from './fixture.test.ts'
import { hashToken } from './guard.ts'

const main = { name: 'main', file: '/app/main.ts', line: 1 }
const slow = { name: 'slow', file: '/app/slow.ts', line: 7 }

interface Answer<T> {
  readonly status: number
  readonly type: string
  readonly raw: Buffer
  readonly body: T
}

/** Answers one stack for the service `shop`, nothing for others, and keeps what it was asked. */
function reads(): ProfileReads & { readonly asked: unknown[] } {
  const asked: unknown[] = []
  return {
    asked,
    merged: (query) => {
      asked.push(query)
      const isKnown = query.service === 'shop'
      return Promise.resolve({ stacks: isKnown ? [{ stack: [slow, main], value: 30 }, { stack: [main], value: 12 }] : [], other: { stacks: 0, value: 0 }, profiles: isKnown ? 2 : 0, rollup: null, isExpired: false })
    },
    sets: (query) => {
      asked.push(query)
      return Promise.resolve([{ service: 'shop', type: 'cpu', profiles: 2, samples: 5, first: NOW - 1000, last: NOW - 500, until: NOW }])
    },
  }
}

const as = (role: string): Record<string, string> => ({ authorization: `Bearer ${role}-token-0123456789` })

async function get<T>({ app }: Fixture, url: string, headers: Record<string, string> = {}): Promise<Answer<T>> {
  const { statusCode, headers: answered, rawPayload } = await app.inject({ url, headers: { host: HOST, ...headers } })
  const type = String(answered['content-type'])
  return { status: statusCode, type, raw: rawPayload, body: (type.startsWith('application/json') ? JSON.parse(rawPayload.toString('utf8')) : undefined) as T }
}

test('what was sent by whom, of a service and an instance, within a range', async () => {
  const profiles = reads()
  const fixture = await createFixture({ profiles })
  const { status, body } = await get<{ from: number; to: number; sets: { type: string }[] }>(fixture, '/api/profiles')
  assert.deepEqual([status, body.from, body.to, body.sets.length], [200, NOW - 900_000, NOW, 1])
  await get(fixture, '/api/profiles?service=a%20b&instance=host%3A1&from=now-2h&to=now-1h')
  assert.deepEqual(profiles.asked, [{ range: { start: NOW - 900_000, end: NOW } }, { range: { start: NOW - 7_200_000, end: NOW - 3_600_000 }, service: 'a b', instance: 'host:1' }])
})

test('a flame graph: the heaviest first, with unit and what was left out; all that can be asked for reaches the store', async () => {
  const profiles = reads()
  const fixture = await createFixture({ profiles })
  const { status, body } = await get<{ root: { total: number; children: unknown[] } }>(fixture, '/api/profiles/flame?service=shop')
  assert.equal(status, 200)
  assert.deepEqual(body, {
    from: NOW - 900_000,
    to: NOW,
    type: 'cpu',
    unit: 'nanoseconds',
    profiles: 2,
    rollup: null,
    infos: [],
    other: { stacks: 0, nodes: 0, value: 0 },
    root: { name: '', file: '', line: 0, self: 0, total: 42, children: [{ ...main, self: 12, total: 42, children: [{ ...slow, self: 30, total: 30, children: [] }] }] },
  })
  const heap = await get<{ unit: string; root: { total: number } }>(fixture, `/api/profiles/flame?service=shop&type=heap_space&from=${NOW - 5000}&to=${NOW}&instance=i&version=1&route=%2Fcart&trace=AB&span=${'F'.repeat(16)}`)
  assert.deepEqual([heap.body.unit, heap.body.root.total], ['bytes', 21])
  assert.deepEqual(profiles.asked.at(-1), { service: 'shop', type: 'heap_space', range: { start: NOW - 5000, end: NOW }, instance: 'i', version: '1', route: '/cart', traceId: 'ab'.padStart(32, '0'), spanId: 'f'.repeat(16) })
})

test('a profile as gzipped pprof, for download', async () => {
  const fixture = await createFixture({ profiles: reads() })
  const { status, type, raw } = await get(fixture, '/api/profiles/pprof?service=shop&type=alloc_space')
  assert.deepEqual([status, type], [200, 'application/octet-stream'])
  const { valueTypes, samples } = decodePprof(gunzipSync(raw))
  assert.deepEqual(valueTypes, [{ type: 'alloc_space', unit: 'bytes' }])
  assert.deepEqual(samples.map(({ stack, values }) => [stack.map(({ name }) => name), values]), [[['slow', 'main'], [30]], [['main'], [12]]])
})

test('of a service that sent nothing there is an empty graph and no pprof', async () => {
  const fixture = await createFixture({ profiles: reads() })
  const flame = await get<{ profiles: number; root: { total: number; children: unknown[] } }>(fixture, '/api/profiles/flame?service=bank')
  assert.deepEqual([flame.status, flame.body.profiles, flame.body.root.total, flame.body.root.children], [200, 0, 0, []])
  const pprof = await get<ErrorBody>(fixture, '/api/profiles/pprof?service=bank&type=wall')
  assert.deepEqual([pprof.status, pprof.body.error.code], [404, 'not_found'])
  assert.match(pprof.body.error.message, /no wall profile of bank/)
  assert.match(pprof.body.error.hint, /GET \/api\/profiles/)
})

for (const [what, query, said] of [
  ['no service', '', /^service is missing/],
  ['an empty service', '?service=', /^service is missing/],
  ['a service twice', '?service=a&service=b', /^service may be given once/],
  ['a service without end', `?service=${'x'.repeat(257)}`, /^service is longer than 256 characters/],
  ['an instance without end', `?service=shop&instance=${'x'.repeat(257)}`, /^instance is longer/],
  ['a route without end', `?service=shop&route=${'x'.repeat(257)}`, /^route is longer/],
  ['another type', '?service=shop&type=heap', /^type="heap" is not one of cpu, wall/],
  ['a trace that is none', '?service=shop&trace=xyz', /^trace id="xyz"/],
  ['a span that is none', '?service=shop&span=12', /^span="12" is not 16 hex digits/],
  ['a range that ends before it begins', '?service=shop&from=now&to=now-1h', /^from must be before to/],
  ['a range that is too long', '?service=shop&from=now-401d', /more than 400 days/],
  ['a time that is none', '?service=shop&from=yesterday', /^from="yesterday" is not a time/],
] as const) {
  test(`${what} is refused with a message, and nothing is read`, async () => {
    const profiles = reads()
    const fixture = await createFixture({ profiles })
    for (const path of ['/api/profiles/flame', '/api/profiles/pprof']) {
      const { status, body } = await get<ErrorBody>(fixture, `${path}${query}`)
      assert.deepEqual([status, body.error.code], [400, 'bad_parameter'], path)
      assert.match(body.error.message, said)
    }
    assert.deepEqual(profiles.asked, [])
  })
}

test('profiles are read by viewers, written by senders, and by nobody without a token', async () => {
  const tokens = (['ingest', 'viewer'] as const).map((role) => ({ name: role, role, sha256: hashToken(`${role}-token-0123456789`) }))
  const fixture = await createFixture({ profiles: reads(), tokens })
  for (const path of ['/api/profiles', '/api/profiles/flame?service=shop', '/api/profiles/pprof?service=shop']) {
    assert.equal((await get(fixture, path)).status, 401, path)
    assert.equal((await get(fixture, path, as('unknown'))).status, 401, path)
    assert.equal((await get(fixture, path, as('ingest'))).status, 403, path)
    assert.equal((await get(fixture, path, as('viewer'))).status, 200, path)
  }
  const post = (headers: Record<string, string>, url = '/api/profiles?service=shop'): Promise<number> =>
    fixture.app.inject({ method: 'POST', url, headers: { host: HOST, 'content-type': 'application/octet-stream', ...headers }, payload: Buffer.from([1]) }).then(({ statusCode }) => statusCode)
  assert.deepEqual([await post({}), await post(as('viewer')), await post(as('ingest')), await post(as('ingest'), '/api/profiles')], [401, 403, 200, 400])
  assert.equal(await post({ ...as('ingest'), 'content-type': 'text/plain' }), 415)
  const big = await fixture.app.inject({ method: 'POST', url: '/api/profiles?service=shop', headers: { host: HOST, 'content-type': 'application/gzip', ...as('ingest') }, payload: Buffer.alloc(10_001) })
  assert.equal(big.statusCode, 413)
  assert.deepEqual(fixture.sink.got.map(({ content }) => content), ['profile of shop'])
})
