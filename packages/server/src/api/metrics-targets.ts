// Targets that are scraped, and what is known of the metrics that they brought.
// @see https://prometheus.io/docs/prometheus/latest/querying/api/#targets
import { AndonError, type LabelMatcher, type Labels, type Milliseconds } from '@andon/model'
import type { FastifyInstance } from 'fastify'
import type { MetadataReader, MetricMetadata } from '../query/metadata.ts'
import { labelMatch } from '../query/promql/label-match.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ScrapedTarget } from '../ingest/scrape/index.ts'
import { limitOf, parameters, selectorOf, success, typeName } from './metrics-request.ts'
import { type Query, text } from './parameters.ts'

export interface TargetsApiDeps {
  readonly targets: () => readonly ScrapedTarget[]
  readonly metrics: Pick<MetadataReader, 'labelValues' | 'metadata'>
  readonly clock: Pick<Clock, 'now'>
}

/** Prometheus' time of what never was. */
const NEVER = '0001-01-01T00:00:00Z'
/** A target's metrics are those of which it brought series in this time. */
const CURRENT: Milliseconds = 3_600_000
/** Names of metrics of one target. */
const NAMES_MAX = 10_000
/** Endings of the series of one metric. */
const ENDINGS = ['', '_total', '_bucket', '_count', '_sum', '_info'] as const

function targetJson({ url, labels, health, lastScrape, lastDuration, lastError, job, intervalMs, timeoutMs }: ScrapedTarget): object {
  return {
    discoveredLabels: labels,
    labels,
    scrapePool: job,
    scrapeUrl: url,
    globalUrl: url,
    lastError,
    lastScrape: lastScrape === 0 ? NEVER : new Date(lastScrape).toISOString(),
    lastScrapeDuration: lastDuration / 1000,
    health,
    scrapeInterval: `${intervalMs}ms`,
    scrapeTimeout: `${timeoutMs}ms`,
  }
}

/** None is dropped: those that are configured are all there are. */
function activeOf(query: Query, targets: readonly ScrapedTarget[]): readonly ScrapedTarget[] {
  if (text(query, 'state')?.toLowerCase() === 'dropped') return []
  const pool = text(query, 'scrapePool')
  return pool === undefined ? targets : targets.filter(({ job }) => job === pool)
}

const sameAs = (labels: Labels): LabelMatcher[] => Object.entries(labels).map(([name, value]) => ({ name, operator: '=', value }))

/** What is known of the metrics of which a target brought series lately. */
async function metadataOf({ labels }: ScrapedTarget, known: readonly MetricMetadata[], { metrics, clock }: TargetsApiDeps): Promise<MetricMetadata[]> {
  const now = clock.now()
  const names = new Set(await metrics.labelValues('__name__', sameAs(labels), { start: now - CURRENT, end: now }, NAMES_MAX))
  return known.filter(({ name }) => ENDINGS.some((ending) => names.has(`${name}${ending}`)))
}

/** /api/v1/targets and /api/v1/targets/metadata. */
export function registerTargets(app: FastifyInstance, deps: TargetsApiDeps): void {
  app.get('/api/v1/targets', { config: { role: 'viewer', live: true } }, (request, reply) => success(reply, { activeTargets: activeOf(parameters(request), deps.targets()).map(targetJson), droppedTargets: [] }))
  app.get('/api/v1/targets/metadata', { config: { role: 'viewer' } }, async (request, reply) => {
    const query = parameters(request)
    const [selector, metric] = [text(query, 'match_target'), text(query, 'metric')]
    const conditions = selector === undefined ? [] : selectorOf('match_target', selector).map(labelMatch)
    const chosen = deps.targets().filter(({ labels }) => conditions.every((holds) => holds(labels))).slice(0, limitOf(query))
    const known = (await deps.metrics.metadata()).filter(({ name }) => metric === undefined || name === metric)
    const found = []
    for (const target of chosen) {
      // The name is told where it was not asked for, as Prometheus does.
      for (const { name, type, help, unit } of await metadataOf(target, known, deps)) found.push({ target: target.labels, ...(metric === undefined && { metric: name }), type: typeName(type), help, unit })
    }
    if (found.length === 0) throw new AndonError('not_found', 'specified metadata not found')
    return success(reply, found)
  })
}
