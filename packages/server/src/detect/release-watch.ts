// Looks for new versions, compares before and after every release, and raises an alert where one made something worse.
import type { Alert, AlertReceiver, ComparedSeries, DeployMarker, Milliseconds, ReleaseComparison, TimeRange } from '@andon/model'
import type { Evaluator } from '../query/grid.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { DeployBook, SeenVersion } from './deploy-book.ts'
import { RELEASE } from './parameters.ts'
import { compareRelease, windowsOf } from './regression.ts'
import type { SliceTable } from './slices.ts'
import { valueText } from './words.ts'

export interface ReleaseWatchDeps {
  readonly book: DeployBook
  readonly evaluator: Pick<Evaluator, 'at'>
  /** Slices of one service. */
  readonly read: (range: TimeRange, service: string) => Promise<SliceTable>
  readonly receiver: AlertReceiver
  readonly clock: Clock
  readonly logger: Pick<Log, 'warn'>
  /** Where Andon's pages are; '' where not known. */
  readonly externalUrl: string
  /** Told of each release that was seen. */
  readonly deployed?: (marker: DeployMarker) => Promise<void>
}

const MINUTE: Milliseconds = 60_000
/** How long a regression is told; the next release of the service ends it sooner. */
const TOLD_MS: Milliseconds = 24 * 60 * MINUTE
/** A version of which nothing came for so long is not running. */
const FRESH_MS: Milliseconds = 2 * MINUTE
/** Comparisons that are remembered. */
const REMEMBERED = 200
const VERSIONS = 'max by (service_name, deployment_environment_name, service_version) (timestamp({__name__=~"process_memory_usage_bytes|http_server_request_duration_seconds_count",service_version!=""}))'

/** The versions that run at a time, by their telemetry. */
export async function runningVersions(evaluator: Pick<Evaluator, 'at'>, now: Milliseconds): Promise<SeenVersion[]> {
  const found = await evaluator.at(VERSIONS, now)
  return found
    .filter(({ value }) => now - value * 1000 <= FRESH_MS)
    .map(({ labels }) => ({ service: labels['service_name'] ?? '', environment: labels['deployment_environment_name'] ?? '', version: labels['service_version'] ?? '', at: now }))
}

/** Owns its timer from `start` to `stop`. */
export class ReleaseWatch {
  readonly #deps: ReleaseWatchDeps
  /** Comparisons by marker; only whole ones answer again. */
  readonly #compared = new Map<string, ReleaseComparison>()
  /** Markers by the number of checks that were made. */
  readonly #checked = new Map<string, number>()
  readonly #alerts = new Map<string, Alert>()
  #under: Promise<void> | undefined
  #end: () => void = () => undefined

  constructor(deps: ReleaseWatchDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#end = this.#deps.clock.every(MINUTE, () => {
      this.#under ??= this.#look()
        .catch((error: unknown) => this.#deps.logger.warn('releases could not be compared; it is tried again', { error: String(error) }))
        .finally(() => {
          this.#under = undefined
        })
    })
  }

  async stop(): Promise<void> {
    this.#end()
    await this.#under
  }

  async #look(): Promise<void> {
    const { book, evaluator, clock } = this.#deps
    const now = clock.now()
    for (const marker of await book.see(await runningVersions(evaluator, now))) await this.#deps.deployed?.(marker)
    for (const marker of book.list({ start: now - TOLD_MS, end: now, limit: REMEMBERED })) await this.#check(marker, now)
    await this.#tell(now)
  }

  /** Makes the comparisons that are due; after a restart those of the last day again, from what is stored. */
  async #check(marker: DeployMarker, now: Milliseconds): Promise<void> {
    const due = RELEASE.checksMs.filter((after) => now >= marker.at + after).length
    const done = this.#checked.get(marker.id) ?? 0
    if (due <= done) return
    const checkedAt = marker.at + (RELEASE.checksMs[due - 1] ?? 0)
    const { series } = await this.compare(marker.id)
    this.#checked.set(marker.id, due)
    const worse = series.filter(({ verdict }) => verdict === 'worse')
    const known = this.#alerts.get(marker.id)
    if (worse.length > 0) this.#alerts.set(marker.id, this.#alertOf(marker, worse, known?.startsAt ?? checkedAt))
    else if (known !== undefined) this.#alerts.set(marker.id, { ...known, endsAt: now })
  }

  async #tell(now: Milliseconds): Promise<void> {
    if (this.#alerts.size === 0) return
    for (const [id, alert] of this.#alerts) if (this.#isOutdated(id, now)) this.#alerts.set(id, { ...alert, endsAt: now })
    await this.#deps.receiver.accept([...this.#alerts.values()])
    for (const [id, { endsAt = now }] of this.#alerts) if (endsAt <= now) this.#alerts.delete(id)
  }

  #isOutdated(id: string, now: Milliseconds): boolean {
    const { service, environment, at } = this.#deps.book.find(id)
    return this.#deps.book.list({ service, start: at + 1, end: now, limit: REMEMBERED }).some((each) => each.environment === environment)
  }

  #alertOf(marker: DeployMarker, worse: readonly ComparedSeries[], startsAt: Milliseconds): Alert {
    const { service, environment, version, at } = marker
    const { externalUrl } = this.#deps
    return {
      labels: { alertname: 'ReleaseRegression', service_name: service, ...(environment !== '' && { deployment_environment_name: environment }), service_version: version, severity: 'warning' },
      annotations: {
        summary: `${service} ${version} is worse than before: ${worse.map(({ title }) => title).join(', ')}`,
        description: worse.map(({ title, unit, before, after }) => `${title} ${valueText(before ?? Number.NaN, unit)} before, ${valueText(after ?? Number.NaN, unit)} after`).join('; '),
        deploy: marker.id,
      },
      source: 'detector',
      startsAt,
      endsAt: startsAt + TOLD_MS,
      generatorUrl: externalUrl === '' ? '' : `${externalUrl}/service/${encodeURIComponent(service)}`,
      value: worse[0]?.after ?? undefined,
      expression: undefined,
      onsetAt: at,
    }
  }

  /**
   * Before and after a release.
   *
   * @throws AndonError not_found
   */
  async compare(id: string): Promise<ReleaseComparison> {
    const known = this.#compared.get(id)
    if (known !== undefined) return known
    const { book, read, clock } = this.#deps
    const marker = book.find(id)
    const now = clock.now()
    const { before, after } = windowsOf(marker.at, now)
    const comparison = compareRelease(marker, await read({ start: before.start, end: Math.max(after.end, before.end) }, marker.service), now)
    if (comparison.isPreliminary) return comparison
    this.#compared.set(id, comparison)
    const [oldest] = this.#compared.keys()
    if (this.#compared.size > REMEMBERED && oldest !== undefined) this.#compared.delete(oldest)
    return comparison
  }
}
