import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LabelMatcher, Labels } from '@andon/model'
import { MetadataReader, type StoredMetrics } from './metadata.ts'

const SERIES: readonly Labels[] = [
  { __name__: 'latency', service: 'shop', native: 'yes' },
  { __name__: 'scraped_count', service: 'old' },
  { __name__: 'scraped', service: 'old' },
  { __name__: 'gauge', service: 'shop' },
]
const METADATA = [
  { name: 'latency', type: 'histogram', unit: 's', help: '' },
  { name: 'scraped', type: 'histogram', unit: 's', help: '' },
  { name: 'gauge', type: 'gauge', unit: '', help: '' },
]

const matches = (matchers: readonly LabelMatcher[]): Labels[] => SERIES.filter((labels) => matchers.every(({ name, value }) => (labels[name] ?? '') === value))
const stored: StoredMetrics = {
  seriesOf: (matchers) => Promise.resolve(matches(matchers)),
  labelNames: (matchers) => Promise.resolve(matches(matchers).flatMap((labels) => Object.keys(labels))),
  labelValues: (label, matchers) => Promise.resolve(matches(matchers).flatMap((labels) => labels[label] ?? [])),
  select: (_matchers, { start, end }) => Promise.resolve(end - start === 300_000 ? [{ labels: { le: '0.1' } }, { labels: { le: '+Inf' } }] : []),
  exemplars: () => Promise.resolve([]),
  metadata: () => Promise.resolve(METADATA),
}
const reader = new MetadataReader(stored, () => 1_000_000)
const range = { start: 0, end: 8.64e15 }
const named = (value: string): LabelMatcher[] => [{ name: '__name__', operator: '=', value }]

test('what is computed of a histogram has names, values and series; what only looks like it has none', async () => {
  assert.deepEqual(await reader.seriesOf(named('latency_bucket'), range, 10), [{ __name__: 'latency_bucket', service: 'shop', native: 'yes' }])
  assert.deepEqual(await reader.seriesOf(named('gauge_count'), range, 10), [])
  assert.deepEqual(await reader.seriesOf(named('scraped_count'), range, 10), [{ __name__: 'scraped_count', service: 'old' }], 'sent as both, told once')
  assert.deepEqual(await reader.labelNames(named('latency_count'), range, 10), ['__name__', 'service', 'native'])
  assert.deepEqual(await reader.labelNames(named('latency_bucket'), range, 10), ['__name__', 'service', 'native', 'le'])
  assert.deepEqual(await reader.labelValues('service', named('latency_sum'), range, 10), ['shop'])
  assert.deepEqual(await reader.labelValues('le', named('latency_bucket'), range, 10), ['0.1', '+Inf'])
  assert.deepEqual(await reader.labelValues('le', named('latency_sum'), range, 10), [])
  assert.deepEqual(await reader.labelValues('__name__', named('latency_sum'), range, 10), ['latency_sum'])
  assert.deepEqual((await reader.labelValues('__name__', [], range, 10)).filter((name) => name.startsWith('latency')), ['latency', 'latency_bucket', 'latency_count', 'latency_sum'])
})
