import assert from 'node:assert/strict'
import { test } from 'node:test'
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

test('the map is asked once a minute for each service, however many ask; a failure is not kept', async () => {
  const clock = new FakeClock()
  let reads = 0
  let fails = true
  const edge = { client: 'web', server: 'shop', calls: 3 }
  const reader = new NeighbourReader(
    {
      read: () => {
        reads += 1
        return fails ? Promise.reject(new Error('away')) : Promise.resolve({ edges: [edge, { client: 'shop', server: 'db', calls: 1 }, { client: 'shop', server: 'old', calls: 0 }] })
      },
    },
    clock,
  )
  await assert.rejects(reader.of('shop'))
  fails = false
  const both = await Promise.all([reader.of('shop'), reader.of('shop')])
  assert.deepEqual(both.map((set) => [...set]), [['web', 'db'], ['web', 'db']])
  assert.equal(reads, 2)
  await clock.advance(60_000)
  await reader.of('shop')
  assert.equal(reads, 3)
})
