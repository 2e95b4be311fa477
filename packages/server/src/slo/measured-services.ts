// Services that say how many requests failed by a metric, and send no spans of them: found so that they get an objective as well.
import type { Milliseconds } from '@andon/model'
import type { RangeQuery } from './count-slices.ts'
import { hasDefaults } from './defaults.ts'

/** A service in an environment; '' for one that does not say its environment. */
export interface FoundService {
  readonly service: string
  readonly environment: string
}

/** Of so long no span must have come: those of a service may be sampled, or begin later than its metrics. */
const QUIET_MS: Milliseconds = 10 * 60_000
const REQUESTS = 'sum by (service_name, deployment_environment_name) (increase(http_server_request_duration_seconds_count[10m])) > 0'
/** Services that are remembered; further ones wait. */
const SERVICES_MAX = 10_000

const keyOf = ({ service, environment }: FoundService): string => `${service}\0${environment}`

/** Looks for them, once a minute. Remembers which services sent spans. */
export class MeasuredServices {
  readonly #query: RangeQuery
  readonly #since: Milliseconds
  /** When spans of a service were last seen. */
  readonly #spansAt = new Map<string, Milliseconds>()

  /** @param now - when it begins to look */
  constructor(query: RangeQuery, now: Milliseconds) {
    this.#query = query
    this.#since = now
  }

  /** Notes services that sent spans. */
  note(services: Iterable<FoundService>, now: Milliseconds): void {
    for (const each of services) if (this.#spansAt.size < SERVICES_MAX || this.#spansAt.has(keyOf(each))) this.#spansAt.set(keyOf(each), now)
  }

  /** Services with requests in the last ten minutes and no spans of them. @throws what the query does */
  async find(now: Milliseconds): Promise<FoundService[]> {
    if (now - this.#since < QUIET_MS) return []
    const found = await this.#query(REQUESTS, now, now, 60_000)
    const services = found.map(({ labels }): FoundService => ({ service: labels['service_name'] ?? '', environment: labels['deployment_environment_name'] ?? '' }))
    return services.filter((each) => hasDefaults(each.service) && now - (this.#spansAt.get(keyOf(each)) ?? -Infinity) >= QUIET_MS)
  }
}
