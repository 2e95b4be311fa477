// Names, values and series of Prometheus' API over a few series.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LabelMatcher, Labels } from '@andon/model'
import fastify from 'fastify'
import { Engine } from '../query/engine.ts'
import { labelMatch } from '../query/promql/label-match.ts'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { type MetricsApiDeps, registerMetricsApi } from './metrics.ts'

const SERIES: readonly Labels[] = [
  { __name__: 'up', job: 'b' },
  { __name__: 'up', job: 'a' },
  { __name__: 'requests_total', job: 'b', route: '/' },
]

const matching = (matchers: readonly LabelMatcher[]): Labels[] => SERIES.filter((labels) => matchers.every((matcher) => labelMatch(matcher)(labels)))

const metrics: MetricsApiDeps['metrics'] = {
  seriesOf: (matchers) => Promise.resolve(matching(matchers)),
  labelNames: (matchers) => Promise.resolve(matching(matchers).flatMap((labels) => Object.keys(labels))),
  labelValues: (label, matchers) => Promise.resolve(matching(matchers).flatMap((labels) => labels[label] ?? [])),
  metadata: () => Promise.resolve([]),
  exemplars: () => Promise.resolve([]),
}

interface Answer {
  readonly data: unknown
  readonly warnings?: readonly string[]
}

async function ask(path: string): Promise<Answer> {
  const app = fastify()
  const engine = new Engine({ select: () => Promise.resolve([]) }, { querySamples: 10, querySteps: 10, queryMs: 1000 })
  registerMetricsApi(app, { engine, metrics, targets: () => [], rules: () => [], clock: new FakeClock(0), log: silentLog, version: '0' })
  const { statusCode, body } = await app.inject(`/api/v1/${path}`)
  assert.equal(statusCode, 200, body)
  return JSON.parse(body) as Answer
}

const [upB, upA, requests] = SERIES

test('a series that several selectors match is answered once', async () => {
  assert.deepEqual((await ask('series?match[]=up&match[]={job="b"}')).data, [upB, upA, requests])
  // Two of three: the limit counts series, not how often they were found.
  assert.deepEqual(await ask('series?match[]=requests_total&match[]={job="b"}&limit=2'), { status: 'success', data: [requests, upB] })
})
