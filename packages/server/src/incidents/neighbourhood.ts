// Which services stand beside those of alerts.
import { type AlertChange, type Milliseconds, serviceOfLabels } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'

/** No alert waits longer for the map. */
const LATE: Milliseconds = 2000
/** A map that has failed is left alone for so long, so that many alerts do not wait one after the other. */
const REST: Milliseconds = 30_000
const NONE: ReadonlySet<string> = new Set()

/** Asks the service map; where it fails or takes too long, alerts join by their service alone. May be called concurrently. */
export class Neighbourhood {
  readonly #ask: (service: string) => Promise<ReadonlySet<string>>
  readonly #clock: Pick<Clock, 'after' | 'now'>
  readonly #logger: Pick<Log, 'warn'>
  #restsUntil: Milliseconds = 0

  constructor(ask: (service: string) => Promise<ReadonlySet<string>>, clock: Pick<Clock, 'after' | 'now'>, logger: Pick<Log, 'warn'>) {
    this.#ask = ask
    this.#clock = clock
    this.#logger = logger
  }

  /** The neighbours of each service that has an alert which fires. */
  async ofAlerts(changes: readonly AlertChange[]): Promise<Map<string, ReadonlySet<string>>> {
    const services = new Set(changes.flatMap(({ status, alert }) => (status === 'firing' ? [serviceOfLabels(alert.labels)] : [])).filter((service) => service !== ''))
    return new Map(await Promise.all([...services].map(async (service) => [service, await this.of(service)] as const)))
  }

  /** The neighbours of a service; none where the map cannot be had. */
  async of(service: string): Promise<ReadonlySet<string>> {
    if (this.#clock.now() < this.#restsUntil) return NONE
    let cancel: (() => void) | undefined
    const late = new Promise<ReadonlySet<string>>((_resolve, reject) => {
      cancel = this.#clock.after(LATE, () => reject(new Error('the service map takes too long')))
    })
    try {
      return await Promise.race([this.#ask(service), late])
    } catch (error) {
      this.#restsUntil = this.#clock.now() + REST
      this.#logger.warn('alerts are joined without the service map for a while', { service, error: String(error) })
      return NONE
    } finally {
      cancel?.()
    }
  }
}
