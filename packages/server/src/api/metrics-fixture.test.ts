// Prometheus' routes alone, over what a test gives them.
import assert from 'node:assert/strict'
import fastify from 'fastify'
import { Engine } from '../query/engine.ts'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { type MetricsApiDeps, registerMetricsApi } from './metrics.ts'

export const NOW: number = Date.UTC(2026, 0, 1, 12)

export interface Answer {
  readonly status: string
  readonly data?: unknown
  readonly warnings?: readonly string[]
  readonly errorType?: string
  readonly error?: string
}

export interface AskOptions {
  /** Sent as the body of a POST. */
  readonly form?: string
  /** 200 when absent. */
  readonly status?: number
}

const none = (): Promise<never[]> => Promise.resolve([])
const noMetrics: MetricsApiDeps['metrics'] = { seriesOf: none, labelNames: none, labelValues: none, metadata: none, exemplars: none }

/** Asks a path below /api/v1 of routes over some parts, nothing where they are absent; fails at another status. */
export async function ask(path: string, { form, status = 200 }: AskOptions = {}, deps: Partial<MetricsApiDeps> = {}): Promise<Answer> {
  const app = fastify()
  const engine = new Engine({ select: none }, { querySamples: 50_000_000, querySteps: 11_000, queryMs: 120_000 })
  registerMetricsApi(app, { engine, metrics: noMetrics, targets: () => [], rules: () => [], clock: new FakeClock(NOW), log: silentLog, version: '1.2.3', ...deps })
  const url = `/api/v1/${path}`
  const { statusCode, body } = await app.inject(form === undefined ? { url } : { url, method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: form })
  assert.equal(statusCode, status, body)
  return JSON.parse(body) as Answer
}
