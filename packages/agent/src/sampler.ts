// Which traces are kept. Rates, errors and durations come from metrics of every request, so that this never bends them.
import { type SpanContext, TraceFlags } from '@opentelemetry/api'
import type { Milliseconds } from '@andon/model'
import { type EndedSpan, LocalTrace, type TailDecision } from './local-trace.ts'
import type { Sampling } from './options.ts'

const SPACE = 2 ** 32

/** Of an operation what tells slow and rare requests. */
interface Operation {
  /** An estimate of the 98th percentile of ln(ms), moved a step at each request. */
  slow: number
  seen: number
  keptAt: Milliseconds
}

const MAX_OPERATIONS = 1000
const SLOW_QUANTILE = 0.98
/** Requests before the estimate is believed. */
const LEARNED = 50
/** An operation of which no trace was kept for so long is rare. */
const RARE: Milliseconds = 60_000
/** Failed traces kept in one second by themselves; further ones are kept as all others are. */
const MAX_FAILED = 50

/** Keeps a share of all traces, and all that are slow, failed or rare, where the share is below 1. */
export class Sampler {
  #sampling: Sampling
  readonly #operations = new Map<string, Operation>()
  readonly #now: () => Milliseconds
  #second = 0
  #failed = 0

  constructor(sampling: Sampling, now: () => Milliseconds = () => performance.now()) {
    this.#sampling = sampling
    this.#now = now
  }

  get sampling(): Sampling {
    return this.#sampling
  }

  /** From now on; traces that run keep their decision. */
  setSampling(sampling: Sampling): void {
    this.#sampling = sampling
  }

  /** Starts this process' part of a trace. @param above - the span in another process; undefined at the root */
  start(above: SpanContext | undefined): LocalTrace {
    const { parentBased, ratio } = this.#sampling
    const sampled = TraceFlags.SAMPLED
    if (above !== undefined && parentBased) {
      const isSampled = (above.traceFlags & sampled) !== 0
      return new LocalTrace(above, above.traceFlags, isSampled ? 'keep' : 'drop')
    }
    const others = (above?.traceFlags ?? 0) & ~sampled
    if (ratio >= 1) return new LocalTrace(above, others | sampled, 'keep')
    if (ratio <= 0) return new LocalTrace(above, others, 'drop')
    const trace = new LocalTrace(above, others, 'drop')
    // A share of traces is chosen by their id, so that every service chooses the same ones.
    const isChosen = (trace.d >>> 0) / SPACE < ratio
    trace.decideLater(isChosen ? others | sampled : others, this.#decision(isChosen, 1 / ratio))
    return trace
  }

  #decision(isChosen: boolean, weight: number): TailDecision {
    return (root, hasFailed) => {
      if (this.#isSpecial(root, hasFailed)) return 1
      return isChosen ? weight : 0
    }
  }

  /** Whether a trace is kept whatever the share: it stands for itself alone then. */
  #isSpecial(root: EndedSpan, hasFailed: boolean): boolean {
    const now = this.#now()
    const isSlowOrRare = this.#learn(root, now)
    return isSlowOrRare || (hasFailed && this.#mayKeepFailed(now))
  }

  #learn({ name, startMs, endMs }: EndedSpan, now: Milliseconds): boolean {
    let operation = this.#operations.get(name)
    if (operation === undefined) {
      if (this.#operations.size >= MAX_OPERATIONS) return false
      this.#operations.set(name, (operation = { slow: 0, seen: 0, keptAt: -RARE }))
    }
    const value = Math.log(Math.max(endMs - startMs, 0.001))
    operation.seen += 1
    if (operation.seen === 1) operation.slow = value
    // Steps grow smaller while it learns; one that stays lets it follow a change.
    const step = Math.max(0.05, 1 / operation.seen)
    const isSlow = value > operation.slow
    operation.slow += isSlow ? step * SLOW_QUANTILE : -step * (1 - SLOW_QUANTILE)
    const isRare = now - operation.keptAt >= RARE
    if (!isRare && !(isSlow && operation.seen > LEARNED)) return false
    operation.keptAt = now
    return true
  }

  #mayKeepFailed(now: Milliseconds): boolean {
    const second = Math.floor(now / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#failed = 0
    }
    this.#failed += 1
    return this.#failed <= MAX_FAILED
  }
}
