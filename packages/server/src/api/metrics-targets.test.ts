import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Labels } from '@andon/model'
import type { ScrapedTarget } from '../ingest/scrape/index.ts'
import { labelMatch } from '../query/promql/label-match.ts'
import { type Answer, ask, type AskOptions, NOW } from './metrics-fixture.test.ts'

const target = (instance: string, more: Partial<ScrapedTarget> = {}): ScrapedTarget => ({
  job: 'node', url: `http://${instance}/metrics`, labels: { job: 'node', instance }, health: 'up', lastScrape: NOW, lastDuration: 50, lastError: '', intervalMs: 15_000, timeoutMs: 10_000, ...more,
})
const TARGETS = [target('a:1'), target('b:1'), target('c:1', { job: 'other', labels: { job: 'other', instance: 'c:1' }, health: 'unknown', lastScrape: 0 })]
const SERIES: readonly Labels[] = [
  { __name__: 'up', job: 'node', instance: 'a:1' },
  { __name__: 'requests_total', job: 'node', instance: 'a:1' },
  { __name__: 'seconds_bucket', job: 'node', instance: 'b:1' },
  { __name__: 'up', job: 'node', instance: 'b:1' },
  { __name__: 'sent_by_otlp', job: 'node', instance: 'z' },
]
const METADATA = [
  { name: 'requests_total', type: 'counter', unit: '', help: 'How many.' },
  { name: 'seconds', type: 'histogram', unit: 's', help: '' },
  { name: 'sent_by_otlp', type: 'updown', unit: '', help: '' },
  { name: 'up', type: 'updown', unit: '', help: 'Whether it answers.' },
]
const ranges: number[] = []
const none = (): Promise<never[]> => Promise.resolve([])

const askTargets = (path: string, options: AskOptions = {}): Promise<Answer> =>
  ask(path, options, {
    targets: () => TARGETS,
    metrics: {
      seriesOf: none,
      labelNames: none,
      exemplars: none,
      metadata: () => Promise.resolve(METADATA),
      labelValues: (label, matchers, { start, end }) => {
        ranges.push(end - start)
        return Promise.resolve(SERIES.filter((labels) => matchers.every((matcher) => labelMatch(matcher)(labels))).flatMap((labels) => labels[label] ?? []))
      },
    },
  })

const urls = async (path: string): Promise<string[]> => ((await askTargets(path)).data as { activeTargets: { scrapeUrl: string }[] }).activeTargets.map(({ scrapeUrl }) => scrapeUrl)

test('targets by state and pool, as Prometheus tells them', async () => {
  const { data } = (await askTargets('targets')) as { data: { activeTargets: object[]; droppedTargets: object[] } }
  assert.deepEqual(data.activeTargets[0], {
    discoveredLabels: { job: 'node', instance: 'a:1' },
    labels: { job: 'node', instance: 'a:1' },
    scrapePool: 'node',
    scrapeUrl: 'http://a:1/metrics',
    globalUrl: 'http://a:1/metrics',
    lastError: '',
    lastScrape: '2026-01-01T12:00:00.000Z',
    lastScrapeDuration: 0.05,
    health: 'up',
    scrapeInterval: '15000ms',
    scrapeTimeout: '10000ms',
  })
  assert.equal(Reflect.get(data.activeTargets[2] ?? {}, 'lastScrape'), '0001-01-01T00:00:00Z', 'not yet')
  assert.deepEqual(data.droppedTargets, [])
  assert.deepEqual(await urls('targets?state=active&scrapePool=other'), ['http://c:1/metrics'])
  assert.deepEqual(await urls('targets?state=dropped'), [])
})

test('metadata of what a target brought in the last hour, as the documentation of Prometheus shows it', async () => {
  const up = { type: 'gauge', help: 'Whether it answers.', unit: '' }
  const [a, b] = [{ job: 'node', instance: 'a:1' }, { job: 'node', instance: 'b:1' }]
  assert.deepEqual(await askTargets('targets/metadata?metric=up&match_target={job="node"}&limit=2'), { status: 'success', data: [{ target: a, ...up }, { target: b, ...up }] })
  assert.deepEqual((await askTargets('targets/metadata')).data, [
    { target: a, metric: 'requests_total', type: 'counter', help: 'How many.', unit: '' },
    { target: a, metric: 'up', ...up },
    { target: b, metric: 'seconds', type: 'histogram', help: '', unit: 's' },
    { target: b, metric: 'up', ...up },
  ])
  assert.deepEqual((await askTargets('targets/metadata?metric=up&limit=1')).data, [{ target: a, ...up }])
  assert.ok(ranges.every((length) => length === 3_600_000))
  assert.equal((await askTargets('targets/metadata?metric=sent_by_otlp', { status: 404 })).errorType, 'not_found')
  assert.equal((await askTargets('targets/metadata?match_target=rate(up[1m])', { status: 400 })).errorType, 'bad_data')
})
