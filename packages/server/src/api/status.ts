import type { Bytes, Milliseconds } from '@andon/model'
import { encodePrometheusText, type ExpositionFamily } from '@andon/wire'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../runtime/clock.ts'
import type { OwnUse } from './overview.ts'

export interface StatusDeps {
  readonly version: string
  readonly clock: Pick<Clock, 'now'>
  readonly startedAt: Milliseconds
  /** What the store says of itself; rejects while it cannot be read. */
  readonly store: () => Promise<unknown>
  /** How full the disk is, and what was done about it. */
  readonly disk: () => unknown
  /** Whether requests can be served: the store is open and not closing. */
  readonly ready: () => boolean
  readonly live: () => Readonly<Record<string, number>>
  readonly limits: Readonly<Record<string, number>>
  /** The server's own metrics as they stand now. */
  readonly metrics: () => ExpositionFamily[]
}

const PLAIN = 'text/plain; version=0.0.4; charset=utf-8'
const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** Measures the share of a core that this process uses, between one call and the next. */
export class OwnCpu {
  readonly #clock: Pick<Clock, 'now'>
  #at: Milliseconds
  #used: NodeJS.CpuUsage
  #ratio = 0

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
    this.#at = clock.now()
    this.#used = process.cpuUsage()
  }

  /** At least a second is measured; asked more often, the last answer is given again. */
  ratio(): number {
    const elapsed = this.#clock.now() - this.#at
    if (elapsed < 1000) return this.#ratio
    const { user, system } = process.cpuUsage(this.#used)
    this.#ratio = (user + system) / 1000 / elapsed
    this.#at += elapsed
    this.#used = process.cpuUsage()
    return this.#ratio
  }
}

/** What this process uses; `storeBytes` is null when the store cannot say. */
export async function ownUse(cpu: OwnCpu, storeBytes: () => Promise<Bytes | null>): Promise<OwnUse> {
  return { cpuRatio: cpu.ratio(), residentBytes: process.memoryUsage.rss(), storeBytes: await storeBytes() }
}

/** The newest of the OpenMetrics versions where it is asked for before plain text. */
function wantsOpenMetrics(request: FastifyRequest): boolean {
  return (request.headers.accept ?? '').includes('application/openmetrics-text')
}

/** Counters of one area by their names without `andon_AREA_` and `_total`; gauges are on the page already, as the groups they belong to. */
function counters(families: readonly ExpositionFamily[], area: string): Record<string, number> {
  const prefix = `andon_${area}_`
  const sums = families
    .filter(({ type, name }) => type === 'counter' && name.startsWith(prefix))
    .map((family): [string, number] => [family.name.slice(prefix.length).replace(/_total$/, ''), family.samples.reduce((sum, sample) => sum + sample.value, 0)])
  return Object.fromEntries(sums)
}

/** GET /api/status, /metrics (text or OpenMetrics by Accept), /healthz, /readyz, and these two by Prometheus' names. */
export function registerStatus(app: FastifyInstance, deps: StatusDeps): void {
  app.get('/api/status', { config: { role: 'viewer', live: true } }, async () => {
    const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage()
    return {
      version: deps.version,
      node: process.version,
      uptimeSeconds: Math.round((deps.clock.now() - deps.startedAt) / 1000),
      store: await deps.store(),
      disk: deps.disk(),
      ingest: counters(deps.metrics(), 'ingest'),
      rules: counters(deps.metrics(), 'rules'),
      live: deps.live(),
      memory: { residentBytes: rss, heapUsedBytes: heapUsed, heapTotalBytes: heapTotal, externalBytes: external, arrayBuffersBytes: arrayBuffers },
      limits: deps.limits,
    }
  })
  app.get('/metrics', { config: { role: 'viewer' } }, (request, reply) =>
    wantsOpenMetrics(request)
      ? reply.type(OPENMETRICS).send(encodePrometheusText(deps.metrics(), 'openmetrics'))
      : reply.type(PLAIN).send(encodePrometheusText(deps.metrics(), 'prometheus')),
  )
  for (const path of ['/healthz', '/-/healthy']) app.get(path, { config: { role: 'open' } }, (_request, reply) => reply.type('text/plain').send('ok\n'))
  for (const path of ['/readyz', '/-/ready']) {
    app.get(path, { config: { role: 'open' } }, (_request, reply) =>
      deps.ready() ? reply.type('text/plain').send('ready\n') : reply.code(503).type('text/plain').send('the store is not open\n'),
    )
  }
}
