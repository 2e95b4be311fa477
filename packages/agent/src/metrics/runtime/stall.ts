// Times in which the event loop was blocked for long: one request's work that holds up all others.
import type { Meter } from '@opentelemetry/api'
import type { Milliseconds, StallKind } from '@andon/model'

/** A block that has ended. */
export interface Stall {
  readonly endMs: Milliseconds
  readonly lengthMs: Milliseconds
  /** CPU time of the process meanwhile: far less than the length where the process waited or was not let run. */
  readonly cpuMs: Milliseconds
  readonly kind: StallKind
}

/** How often the loop is looked at, so that a block of a threshold is found. */
export function stallPeriod(thresholdMs: Milliseconds): Milliseconds {
  return Math.max(20, thresholdMs / 2)
}

/**
 * Sees how late a timer comes. A block is found with an error of one period of the timer at most, always to the short
 * side.
 */
export class StallDetector {
  readonly #thresholdMs: Milliseconds
  readonly #periodMs: Milliseconds
  #lastMs: Milliseconds
  #lastCpuMs: Milliseconds

  constructor(thresholdMs: Milliseconds, nowMs: Milliseconds, cpuMs: Milliseconds) {
    this.#thresholdMs = thresholdMs
    this.#periodMs = stallPeriod(thresholdMs)
    this.#lastMs = nowMs
    this.#lastCpuMs = cpuMs
  }

  get periodMs(): Milliseconds {
    return this.#periodMs
  }

  /** To be called once in a period. @returns the block that held it up, when it was longer than the threshold */
  tick(nowMs: Milliseconds, cpuMs: Milliseconds): Stall | undefined {
    const lengthMs = nowMs - this.#lastMs - this.#periodMs
    const worked = Math.min(lengthMs, cpuMs - this.#lastCpuMs)
    this.#lastMs = nowMs
    this.#lastCpuMs = cpuMs
    return lengthMs > this.#thresholdMs ? { endMs: nowMs, lengthMs, cpuMs: worked, kind: worked > lengthMs / 2 ? 'cpu' : 'waiting' } : undefined
  }
}

function cpuTime(): Milliseconds {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/**
 * Measures blocks longer than the threshold as the histogram `andon.eventloop.stall.duration`.
 *
 * @param found - told of each, after its end
 * @returns what ends it
 */
export function observeStalls(meter: Meter, thresholdMs: Milliseconds, found: (stall: Stall) => void = () => undefined): () => void {
  const duration = meter.createHistogram('andon.eventloop.stall.duration', { unit: 's', description: 'How long the event loop was blocked, of blocks over the threshold, by what the process did meanwhile.' })
  const detector = new StallDetector(thresholdMs, performance.now(), cpuTime())
  const timer = setInterval(() => {
    const stall = detector.tick(performance.now(), cpuTime())
    if (stall === undefined) return
    duration.record(stall.lengthMs / 1000, { 'andon.stall.kind': stall.kind })
    found(stall)
  }, detector.periodMs)
  timer.unref()
  return () => clearInterval(timer)
}
