// Says that this server lives, to whom it matters when it does not: a dead man's switch.
import type { Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import type { OutboundHttp } from './http.ts'
import type { Secret } from './secret.ts'

export interface HeartbeatDeps {
  readonly url: Secret
  readonly intervalMs: Milliseconds
  readonly http: Pick<OutboundHttp, 'send'>
  readonly clock: Pick<Clock, 'every' | 'now'>
  readonly logger: Pick<Log, 'warn'>
  readonly own: Pick<OwnMetrics, 'counter'>
}

/** Owns its timer from `start` to `stop`. A beat that is not taken is not sent again: the next one comes. */
export class Heartbeat {
  readonly #deps: HeartbeatDeps
  readonly #beats: ReturnType<OwnMetrics['counter']>
  #end: () => void = () => undefined
  #isFailing = false

  constructor(deps: HeartbeatDeps) {
    this.#deps = deps
    this.#beats = deps.own.counter('andon_notify_heartbeats_total', 'Heartbeats that were sent out, by outcome.')
  }

  start(): void {
    const beat = (): void => {
      void this.#beat()
    }
    this.#end = this.#deps.clock.every(this.#deps.intervalMs, beat)
    beat()
  }

  stop(): void {
    this.#end()
  }

  async #beat(): Promise<void> {
    const { url, http, clock, logger } = this.#deps
    let problem = ''
    try {
      const { status } = await http.send({ url: url.read(), headers: { 'content-type': 'application/json' }, body: JSON.stringify({ source: 'andon', status: 'alive', at: clock.now() }) })
      if (status < 200 || status >= 300) problem = `it answered ${status}`
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error)
    }
    this.#beats.add(1, { outcome: problem === '' ? 'taken' : 'failed' })
    if (problem !== '' && !this.#isFailing) logger.warn('a heartbeat was not taken', { problem })
    this.#isFailing = problem !== ''
  }
}
