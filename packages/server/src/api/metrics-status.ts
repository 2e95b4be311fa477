// What Prometheus tells of itself, as far as it is true of Andon; what only Go's runtime or Prometheus' files have is left out.
// @see https://prometheus.io/docs/prometheus/latest/querying/api/#status
import { hostname } from 'node:os'
import type { Labels, Milliseconds } from '@andon/model'
import { formatDuration } from '@andon/promql'
import type { FastifyInstance } from 'fastify'
import { stringify } from 'yaml'
import type { Engine } from '../query/engine.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ScrapedTarget } from '../ingest/scrape/index.ts'
import { success } from './metrics-request.ts'

export interface MetricsStatusDeps {
  readonly engine: Pick<Engine, 'limits' | 'lookback'>
  readonly targets: () => readonly ScrapedTarget[]
  readonly clock: Pick<Clock, 'now'>
  readonly version: string
  readonly externalLabels?: Labels
  /** How long samples are kept; not told when absent. */
  readonly retentionDays?: number
}

const VIEWER = { config: { role: 'viewer' } } as const
const DAY: Milliseconds = 86_400_000

/** The part of prometheus.yml that Andon has as well; without the headers that are sent along, which are secret. */
function configYaml(targets: readonly ScrapedTarget[], externalLabels: Labels): string {
  const scrapes = [...new Set(targets.map(({ job }) => job))].map((job) => {
    const of = targets.filter((target) => target.job === job)
    const [first] = of
    const { protocol, pathname, searchParams } = new URL(first?.url ?? 'http://localhost/metrics')
    const params = Object.fromEntries([...searchParams.keys()].map((name) => [name, searchParams.getAll(name)]))
    return {
      job_name: job,
      scrape_interval: formatDuration(first?.intervalMs ?? 0),
      scrape_timeout: formatDuration(first?.timeoutMs ?? 0),
      metrics_path: pathname,
      scheme: protocol.slice(0, -1),
      ...(searchParams.size > 0 && { params }),
      static_configs: of.map(({ labels: { job: _job, instance, ...labels } }) => ({ targets: [instance ?? ''], ...(Object.keys(labels).length > 0 && { labels }) })),
    }
  })
  return stringify({ global: { external_labels: externalLabels }, scrape_configs: scrapes })
}

/** Flags of Prometheus that have a counterpart here, with what holds here. */
function flags({ engine: { limits, lookback }, retentionDays }: MetricsStatusDeps): Readonly<Record<string, string>> {
  return {
    'query.lookback-delta': formatDuration(lookback),
    'query.max-samples': String(limits.querySamples),
    'query.timeout': formatDuration(limits.queryMs),
    ...(retentionDays !== undefined && { 'storage.tsdb.retention.time': formatDuration(retentionDays * DAY) }),
    'web.enable-admin-api': 'false',
    'web.enable-lifecycle': 'false',
    'web.enable-remote-write-receiver': 'true',
  }
}

/** /api/v1/status/buildinfo, config, flags and runtimeinfo. */
export function registerMetricsStatus(app: FastifyInstance, deps: MetricsStatusDeps): void {
  const { targets, clock, version, externalLabels = {}, retentionDays } = deps
  const startTime = new Date(clock.now()).toISOString()
  // Without features, so that Grafana does not look for a ruler.
  app.get('/api/v1/status/buildinfo', VIEWER, (_request, reply) => success(reply, { version, revision: '', branch: '', buildUser: '', buildDate: '', goVersion: '', features: {} }))
  app.get('/api/v1/status/config', VIEWER, (_request, reply) => success(reply, { yaml: configYaml(targets(), externalLabels) }))
  app.get('/api/v1/status/flags', VIEWER, (_request, reply) => success(reply, flags(deps)))
  app.get('/api/v1/status/runtimeinfo', VIEWER, (_request, reply) =>
    success(reply, { startTime, CWD: process.cwd(), hostname: hostname(), serverTime: new Date(clock.now()).toISOString(), ...(retentionDays !== undefined && { storageRetention: formatDuration(retentionDays * DAY) }) }),
  )
}
