// Names, values and series of Prometheus' API over a few series.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LabelMatcher, Labels } from '@andon/model'
import { labelMatch } from '../query/promql/label-match.ts'
import { type Answer, ask as askOf } from './metrics-fixture.test.ts'
import type { MetricsApiDeps } from './metrics.ts'

const SERIES: readonly Labels[] = [
  { __name__: 'up', job: 'b' },
  { __name__: 'up', job: 'a' },
  { __name__: 'requests_total', job: 'b', route: '/' },
]

const matching = (matchers: readonly LabelMatcher[]): Labels[] => SERIES.filter((labels) => matchers.every((matcher) => labelMatch(matcher)(labels)))

/** How many were asked for, request by request. */
const wanted: number[] = []

function list<T>(found: readonly T[], most: number): Promise<readonly T[]> {
  wanted.push(most)
  return Promise.resolve(found)
}

const metrics: MetricsApiDeps['metrics'] = {
  seriesOf: (matchers, _range, most) => list(matching(matchers), most),
  labelNames: (matchers, _range, most) => list(matching(matchers).flatMap((labels) => Object.keys(labels)), most),
  labelValues: (label, matchers, _range, most) => list(matching(matchers).flatMap((labels) => labels[label] ?? []), most),
  metadata: () => Promise.resolve([]),
  exemplars: () => Promise.resolve([]),
}

const ask = (path: string): Promise<Answer> => askOf(path, {}, { metrics })

const [upB, upA, requests] = SERIES

test('a series that several selectors match is answered once', async () => {
  assert.deepEqual((await ask('series?match[]=up&match[]={job="b"}')).data, [upB, upA, requests])
  // Two of three: the limit counts series, not how often they were found.
  assert.deepEqual(await ask('series?match[]=requests_total&match[]={job="b"}&limit=2'), { status: 'success', data: [requests, upB] })
})

test('limit cuts names, values and series with a warning, and no more than that is read', async () => {
  wanted.length = 0
  const warnings = ['results truncated due to limit']
  assert.deepEqual(await ask('labels?limit=2'), { status: 'success', data: ['__name__', 'job'], warnings })
  assert.deepEqual(await ask('labels?limit=3'), { status: 'success', data: ['__name__', 'job', 'route'] })
  assert.deepEqual(await ask('label/job/values?limit=1'), { status: 'success', data: ['a'], warnings })
  assert.deepEqual(await ask('series?match[]=up&limit=1'), { status: 'success', data: [upB], warnings })
  assert.deepEqual(wanted.splice(0).toSorted((a, b) => a - b), [2, 2, 3, 4], 'one more than is answered says whether there are more')
  assert.deepEqual((await ask('labels?limit=0')).data, ['__name__', 'job', 'route'])
  await ask('series?match[]=up&limit=5000000')
  assert.deepEqual(wanted.splice(0), [100_001, 100_001])
})
