// Tells what is owed: when a destination takes it, again when it did not, each group in order.
import { setMaxListeners } from 'node:events'
import { AndonError, type Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import { RefusedAddress } from './address-guard.ts'
import type { Channel, Outcome, OutMessage, Picture, SendContext } from './channel.ts'
import { Destination } from './destination.ts'
import type { Lane } from './lane.ts'
import type { Owed } from './message.ts'
import { backOffMs } from './token-bucket.ts'

/** How patient it is. */
export interface Timing {
  /** Between attempts: exponential from the first, never longer than the second. */
  readonly baseMs: Milliseconds
  readonly capMs: Milliseconds
  /** After which the fall-back channel is told as well. */
  readonly fallbackAfterMs: Milliseconds
  readonly giveUpAfterMs: Milliseconds
}

export const defaultTiming: Timing = { baseMs: 1000, capMs: 300_000, fallbackAfterMs: 300_000, giveUpAfterMs: 86_400_000 }

/** How often a channel that was disabled is asked whether it was mended. */
const DISABLED_PROBE_MS: Milliseconds = 3_600_000

/** An attempt that is over. */
export interface Attempt {
  readonly lane: Lane
  readonly owed: Owed
  /** What was told; undefined where there was nothing that the channel wants to hear. */
  readonly message: OutMessage | undefined
  readonly outcome: Outcome
  readonly at: Milliseconds
  readonly tookMs: Milliseconds
}

export interface WorkerDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly timing: Timing
  readonly picture: (message: OutMessage) => Promise<Picture | undefined>
  /** Whether another group of the same incident still fires on this channel. */
  readonly othersFire: (lane: Lane, owed: Owed) => boolean
  /** Settles when what came of an attempt is stored; the lane tells nothing before. Never rejects. */
  readonly settled: (attempt: Attempt) => Promise<void>
  /** Told of what should not happen. */
  readonly failed: (error: unknown) => void
  /** Told of lanes whose message has waited too long; says when it wants to be told again, if it does. */
  readonly waited: (lane: Lane, owed: Owed, now: Milliseconds) => Milliseconds | undefined
}

/** Owns one timer from `start` to `stop`. */
export class Worker {
  readonly #deps: WorkerDeps
  readonly #destinations = new Map<string, Destination>()
  readonly #underWay = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  #isRunning = false
  #isSoon = false
  #endTimer: () => void = () => undefined

  constructor(deps: WorkerDeps) {
    this.#deps = deps
    // As many listen as messages are under way.
    setMaxListeners(0, this.#stop.signal)
  }

  start(): void {
    this.#isRunning = true
    this.soon()
  }

  /** Begins nothing more; waits for what is under way, and breaks it off after a while. */
  async stop(waitMs: Milliseconds): Promise<void> {
    this.#isRunning = false
    this.#endTimer()
    const cut = this.#deps.clock.after(waitMs, () => this.#stop.abort(new Error('the server stops')))
    await Promise.all(this.#underWay)
    cut()
    this.#stop.abort(new Error('the server stops'))
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  destination(channel: Channel): Destination {
    const known = this.#destinations.get(channel.destination)
    if (known !== undefined) return known
    const made = new Destination(channel.pace, this.#deps.clock, this.#deps.random)
    this.#destinations.set(channel.destination, made)
    return made
  }

  /** Takes note that a lane is owed something. */
  owes(lane: Lane): void {
    this.destination(lane.channel).waiting.add(lane)
    this.soon()
  }

  /** Looks at all that waits, once for all that happens at the same moment. */
  soon(): void {
    if (this.#isSoon || !this.#isRunning) return
    this.#isSoon = true
    queueMicrotask(() => {
      this.#isSoon = false
      this.#look()
    })
  }

  #look(): void {
    if (!this.#isRunning) return
    const now = this.#deps.clock.now()
    let wakeAt = Number.POSITIVE_INFINITY
    for (const destination of this.#destinations.values()) {
      for (const lane of destination.waiting) {
        if (lane.isIdle) destination.waiting.delete(lane)
        else if (lane.pending !== undefined) wakeAt = Math.min(wakeAt, this.#deps.waited(lane, lane.pending, now) ?? wakeAt)
      }
      wakeAt = Math.min(wakeAt, this.#begin(destination, now))
    }
    this.#endTimer()
    if (Number.isFinite(wakeAt)) this.#endTimer = this.#deps.clock.after(Math.max(1, wakeAt - now), () => this.soon())
  }

  /** Begins what may begin now. @returns when the next may */
  #begin(destination: Destination, now: Milliseconds): Milliseconds {
    for (;;) {
      const at = destination.nextAt()
      if (at === undefined) return Number.POSITIVE_INFINITY
      const lane = destination.next()
      if (at > now || lane === undefined) return at
      const work = this.#tell(destination, lane)
        .catch((error: unknown) => this.#broken(lane, error))
        .finally(() => {
          this.#underWay.delete(work)
          this.soon()
        })
      this.#underWay.add(work)
    }
  }

  /** A defect: what is owed is tried again later. */
  #broken(lane: Lane, error: unknown): void {
    const { clock, timing, failed } = this.#deps
    if (lane.current !== undefined) lane.putBack(lane.current, undefined)
    lane.nextAt = clock.now() + timing.capMs
    failed(error)
  }

  async #tell(destination: Destination, lane: Lane): Promise<void> {
    const { clock } = this.#deps
    const begun = clock.now()
    const owed = lane.take()
    const { progress } = lane
    destination.reserve()
    destination.underWay += 1
    let message: OutMessage | undefined
    let outcome: Outcome = { state: 'delivered' }
    try {
      message = lane.message(owed)
      if (message !== undefined) outcome = await this.#attempt(lane, owed, message, { destination, progress })
    } finally {
      destination.underWay -= 1
    }
    const at = clock.now()
    if (this.#stop.signal.aborted && outcome.state !== 'delivered') return
    this.#judge(destination, lane, outcome)
    if (outcome.state === 'retry' || outcome.state === 'disabled') lane.putBack(owed, outcome.progress)
    this.soon()
    await this.#deps.settled({ lane, owed, message, outcome, at, tookMs: at - begun })
  }

  /** Tells a message once, past the queue. */
  async once(lane: Lane, owed: Owed): Promise<Outcome> {
    const destination = this.destination(lane.channel)
    const wait = destination.reserve()
    if (wait > 0) await this.#deps.clock.sleep(wait, this.#stop.signal)
    const message = lane.message(owed)
    return message === undefined ? { state: 'delivered' } : await this.#attempt(lane, owed, message, { destination, progress: undefined })
  }

  async #attempt(lane: Lane, owed: Owed, message: OutMessage, { destination, progress }: { readonly destination: Destination; readonly progress: unknown }): Promise<Outcome> {
    const { clock, picture, othersFire } = this.#deps
    const now = clock.now()
    const isRemembered = lane.remembers(owed, now)
    const context: SendContext = {
      memory: isRemembered ? lane.told?.memory : undefined,
      progress,
      isReopened: isRemembered && !lane.isOpen && message.notification.status === 'firing',
      othersFire: othersFire(lane, owed),
      pace: async () => {
        const wait = destination.reserve()
        if (wait > 0) await clock.sleep(wait, this.#stop.signal)
      },
      picture: async () => await picture(message),
      now,
      signal: this.#stop.signal,
    }
    try {
      return await lane.channel.send(message, context)
    } catch (error) {
      return outcomeOf(error, progress)
    }
  }

  /** What an attempt says about the destination, and when the lane may try again. */
  #judge(destination: Destination, lane: Lane, outcome: Outcome): void {
    const { clock, random, timing } = this.#deps
    if (outcome.state === 'delivered' || outcome.state === 'refused') {
      lane.attempts = 0
      lane.nextAt = 0
      lane.progress = undefined
      destination.succeeded()
      return
    }
    lane.lastError = outcome.detail
    lane.attempts += 1
    if (outcome.state === 'disabled') {
      destination.closed(DISABLED_PROBE_MS)
      return
    }
    const { afterMs } = outcome
    lane.nextAt = clock.now() + Math.max(afterMs ?? 0, afterMs === 0 ? 0 : backOffMs(lane.attempts, random, timing))
    // Nothing is wrong with the destination where the same may be sent at once in another form.
    if (afterMs !== 0) destination.failed(afterMs)
  }
}

function outcomeOf(error: unknown, progress: unknown): Outcome {
  const detail = error instanceof AndonError ? error.message : error instanceof Error ? withCause(error) : String(error)
  if (error instanceof RefusedAddress) return { state: 'disabled', detail: `${detail}; notify.allow_hosts allows it` }
  return { state: 'retry', detail, progress }
}

const withCause = (error: Error): string => (error.message !== '' ? error.message : String(Reflect.get(error, 'code') ?? error.name))
