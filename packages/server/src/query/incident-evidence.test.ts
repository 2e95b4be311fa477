import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EdgeRecord } from '@andon/model'
import { FakeClock } from '../runtime/clock.ts'
import type { Engine, QueryResult } from './engine.ts'
import type { ErrorReader } from './exceptions.ts'
import { type IncidentSources, IncidentEvidenceReader } from './incident-evidence.ts'
import { NeighbourReader } from './neighbours.ts'
import type { FoundTrace, SpanReader, TraceQuery } from './spans.ts'
import type { StatementReader } from './statements.ts'

/** The readers that there are fit; the compiler says where they do not. */
export const fromReaders = (spans: SpanReader, errors: ErrorReader, statements: StatementReader, engine: Engine): IncidentSources => ({ spans, errors, statements, engine })

const found = (index: number, durationNs: number): FoundTrace => ({ traceId: String(index), start: index, durationNs, rootService: 'shop', rootName: 'GET /', spanCount: 1, errorCount: 0, matched: 1, latest: BigInt(index), services: [] })

function sources(more: Partial<IncidentSources>): IncidentSources {
  const none: QueryResult = { type: 'vector', time: 0, samples: [], infos: [], warnings: [] }
  return {
    spans: { search: () => Promise.resolve([]), trace: () => Promise.resolve([]) },
    errors: { list: () => Promise.resolve([]) },
    statements: { list: () => Promise.resolve({ statements: [] }) },
    engine: { instant: () => Promise.resolve(none), range: () => Promise.resolve({ type: 'matrix', series: [], infos: [], warnings: [] }) },
    ...more,
  }
}

test('the slowest of many traces are found, also where they are not among the newest', async () => {
  const all = Array.from({ length: 2000 }, (_, index) => found(index, index < 3 ? 5e9 + index : 1e6 + (index % 100) * 1e5))
  const asked: TraceQuery[] = []
  const search = (query: TraceQuery): Promise<readonly FoundTrace[]> => {
    asked.push(query)
    return Promise.resolve(all.filter(({ durationNs }) => durationNs >= (query.minDurationNs ?? 0)).toReversed().slice(0, query.limit))
  }
  const reader = new IncidentEvidenceReader(sources({ spans: { search, trace: () => Promise.resolve([]) } }))
  const traces = await reader.slowTraces('shop', { start: 0, end: 1000 })
  assert.deepEqual([traces.length, asked.length, traces.slice(0, 3).map(({ traceId }) => traceId)], [5, 2, ['2', '1', '0']])
})

const answer = (value: number): QueryResult => ({ type: 'vector', time: 0, samples: [{ labels: {}, value }], infos: [], warnings: [] })

const count = async (values: Readonly<Record<string, number>>): Promise<unknown> => {
  const instant = (expression: string): Promise<QueryResult> => {
    const [, value] = Object.entries(values).find(([part]) => expression.includes(part)) ?? []
    return Promise.resolve(value === undefined ? { type: 'vector', time: 0, samples: [], infos: [], warnings: [] } : answer(value))
  }
  return await new IncidentEvidenceReader(sources({ engine: { instant, range: () => assert.fail() } })).requests('shop', { start: 0, end: 60_000 })
}

test('requests are counted by metrics, by spans where a service sends none, and are unknown where it sends nothing', async () => {
  assert.deepEqual(await count({ '5..': 3, http_server: 100 }), { requests: 100, failed: 3 })
  assert.deepEqual(await count({ '5..': Number.NaN, http_server: 100 }), { requests: 100, failed: 0 })
  assert.deepEqual(await count({ STATUS_CODE_ERROR: 1, traces_spanmetrics: 7 }), { requests: 7, failed: 1 })
  assert.deepEqual(await count({}), { requests: null, failed: null })
})

test('the map is asked once a minute, however many ask; calls to an address go to whom was found behind it; a failure is not kept', async () => {
  const clock = new FakeClock()
  let reads = 0
  let fails = true
  const edge = (client: string, server: string, calls: number, peer = ''): EdgeRecord => ({ client, server, peer, kind: 'service', env: '', minute: clock.now(), calls, errors: 0, unseenErrors: 0, seconds: calls, buckets: new Map(), serverCalls: calls, serverSeconds: calls, serverBuckets: new Map() })
  const reader = new NeighbourReader(
    {
      read: () => {
        reads += 1
        return fails ? Promise.reject(new Error('away')) : Promise.resolve([edge('web', 'shop', 3), edge('shop', 'db', 1), edge('shop', 'old', 0), edge('shop', 'shop', 5), edge('shop', '', 2, 'mail:25')])
      },
      named: () => Promise.resolve([{ client: 'shop', peer: 'mail:25', env: '', server: 'mail', calls: 9 }]),
    },
    clock,
  )
  await assert.rejects(reader.of('shop'))
  fails = false
  const both = await Promise.all([reader.of('shop'), reader.of('db'), reader.of('nobody')])
  assert.deepEqual(both.map((set) => [...set].toSorted()), [['db', 'mail', 'web'], ['shop'], []])
  assert.equal(reads, 2)
  await clock.advance(60_000)
  await reader.of('shop')
  assert.equal(reads, 3)
})
