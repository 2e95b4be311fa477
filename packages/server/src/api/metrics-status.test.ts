import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'
import { parse } from 'yaml'
import type { ScrapedTarget } from '../ingest/scrape/index.ts'
import { ask, NOW } from './metrics-fixture.test.ts'

const scraped = (job: string, instance: string, more: Partial<ScrapedTarget> = {}): ScrapedTarget => ({
  job, url: `http://${instance}/metrics`, labels: { job, instance }, health: 'up', lastScrape: NOW, lastDuration: 50, lastError: '', intervalMs: 15_000, timeoutMs: 10_000, ...more,
})

test('the flags that have a counterpart, all of them text', async () => {
  const flags = { 'query.lookback-delta': '5m', 'query.max-samples': '50000000', 'query.timeout': '2m', 'web.enable-admin-api': 'false', 'web.enable-lifecycle': 'false', 'web.enable-remote-write-receiver': 'true' }
  assert.deepEqual(await ask('status/flags'), { status: 'success', data: flags })
  assert.deepEqual((await ask('status/flags', {}, { retentionDays: 15 })).data, { ...flags, 'storage.tsdb.retention.time': '15d' })
})

test('the configuration is what is scraped, as prometheus.yml says it', async () => {
  const targets = [
    scraped('node', 'a:1'),
    scraped('node', 'b:1', { labels: { job: 'node', instance: 'b:1', rack: '7' } }),
    scraped('probe', 'c:1', { url: 'https://c:1/probe?module=http&target=x&target=y', intervalMs: 90_000 }),
  ]
  const { data } = (await ask('status/config', {}, { targets: () => targets, externalLabels: { site: 'here' } })) as { data: { yaml: string } }
  assert.deepEqual(Object.keys(data), ['yaml'])
  const common = { scrape_timeout: '10s' }
  assert.deepEqual(parse(data.yaml), {
    global: { external_labels: { site: 'here' } },
    scrape_configs: [
      { job_name: 'node', scrape_interval: '15s', ...common, metrics_path: '/metrics', scheme: 'http', static_configs: [{ targets: ['a:1'] }, { targets: ['b:1'], labels: { rack: '7' } }] },
      { job_name: 'probe', scrape_interval: '1m30s', ...common, metrics_path: '/probe', scheme: 'https', params: { module: ['http'], target: ['x', 'y'] }, static_configs: [{ targets: ['c:1'] }] },
    ],
  })
})

test('since when and where it runs, and which version it is', async () => {
  const time = new Date(NOW).toISOString()
  const runtime = { startTime: time, CWD: process.cwd(), hostname: hostname(), serverTime: time }
  assert.deepEqual((await ask('status/runtimeinfo')).data, runtime)
  assert.deepEqual((await ask('status/runtimeinfo', {}, { retentionDays: 15 })).data, { ...runtime, storageRetention: '15d' })
  assert.deepEqual((await ask('status/buildinfo')).data, { version: '1.2.3', revision: '', branch: '', buildUser: '', buildDate: '', goVersion: '', features: {} })
})
