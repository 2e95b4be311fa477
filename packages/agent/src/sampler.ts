// Which traces are kept. Rates, errors and durations come from metrics of every request, so that this never bends them.
import { type SpanContext, TraceFlags, type TraceState } from '@opentelemetry/api'
import type { Milliseconds, Ratio } from '@andon/model'
import { type EndedSpan, LocalTrace, type TailDecision } from './local-trace.ts'
import type { Sampling } from './options.ts'
import { WaitingTraces } from './waiting-traces.ts'

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

/** How far the wanted share of traces is lowered to keep the agent's cost down. */
export interface SamplingLimit {
  /** Of the traces that are wanted, also by a remote parent: the share that is kept. Above 0, at most 1. */
  readonly keep: Ratio
  /** The share that is recorded until its end, so that the slow, failed and rare ones of it are kept. At least `keep`, at most 1. */
  readonly watch: Ratio
}

export const UNLIMITED: SamplingLimit = { keep: 1, watch: 1 }

/**
 * A number of 0 to 1 from a trace's id that does not depend on whether another service chose this trace by the size of a part of the
 * id: of the traces that arrive sampled all may begin alike.
 *
 * @see Murmur3's finalizer, public domain
 */
function mixed({ c, d }: LocalTrace): Ratio {
  let hash = Math.imul(c ^ (d >>> 15) ^ d, 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13) ^ c, 0xc2b2_ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / SPACE
}

/** How many traces one stands for by the sampler above: W3C's threshold, read as the server reads it; 1 where there is none. */
function weightAbove(state: TraceState | undefined): number {
  const threshold = /(?:^|;)th:([\da-f]{1,14})(?:;|$)/.exec(state?.get('ot') ?? '')?.[1]
  return threshold === undefined ? 1 : 2 ** 56 / (2 ** 56 - Number.parseInt(threshold.padEnd(14, '0'), 16))
}

/** Keeps a share of all traces, and all that are slow, failed or rare, where the share is below 1. */
export class Sampler {
  #sampling: Sampling
  #limit = UNLIMITED
  /** Traces that began in this process or went on in it, since its start. */
  traces = 0
  /** Those of them whose spans are recorded, whether they are kept at the end or not. */
  recorded = 0
  /** Spans below a span of this process. */
  children = 0
  readonly #operations = new Map<string, Operation>()
  readonly #now: () => Milliseconds
  readonly #waiting: WaitingTraces
  #second = 0
  #failed = 0

  /** @param waiting - where traces are counted while they wait for their decision */
  constructor(sampling: Sampling, now: () => Milliseconds = () => performance.now(), waiting: WaitingTraces = new WaitingTraces()) {
    this.#sampling = sampling
    this.#now = now
    this.#waiting = waiting
  }

  get sampling(): Sampling {
    return this.#sampling
  }

  /** From now on; traces that run keep their decision. */
  setSampling(sampling: Sampling, limit: SamplingLimit = UNLIMITED): void {
    this.#sampling = sampling
    this.#limit = limit
  }

  /** Starts this process' part of a trace. @param above - the span in another process; undefined at the root */
  start(above: SpanContext | undefined): LocalTrace {
    const { parentBased, ratio } = this.#sampling
    const { keep } = this.#limit
    const sampled = TraceFlags.SAMPLED
    this.traces += 1
    if (above !== undefined && parentBased) return this.#follow(above)
    const others = (above?.traceFlags ?? 0) & ~sampled
    const share = ratio * keep
    if (share <= 0) return new LocalTrace(above, others, 'drop')
    if (share >= 1) {
      this.recorded += 1
      return new LocalTrace(above, others | sampled, 'keep')
    }
    const trace = new LocalTrace(above, others, 'drop')
    // A share of traces is chosen by their id, so that every service chooses the same ones.
    const at = (trace.d >>> 0) / SPACE
    return this.#choose(trace, { at, share, weight: 1 }, at < share ? others | sampled : others)
  }

  /**
   * Does as a remote parent has decided, as far as the limit lets it. The decision travels on unchanged: services below are to keep
   * what they can, and know nothing of this one's weight.
   */
  #follow(above: SpanContext): LocalTrace {
    const { keep } = this.#limit
    if ((above.traceFlags & TraceFlags.SAMPLED) === 0) return new LocalTrace(above, above.traceFlags, 'drop')
    if (keep >= 1) {
      this.recorded += 1
      return new LocalTrace(above, above.traceFlags, 'keep')
    }
    const trace = new LocalTrace(above, above.traceFlags, 'drop')
    return this.#choose(trace, { at: mixed(trace), share: keep, weight: weightAbove(above.traceState) }, above.traceFlags)
  }

  /** Has a trace of the watched share decided at its end. Each that is kept stands for those of its sort that were not. */
  #choose(trace: LocalTrace, { at, share, weight }: { readonly at: Ratio; readonly share: Ratio; readonly weight: number }, flags: number): LocalTrace {
    const { watch } = this.#limit
    if (at >= watch) return trace
    this.recorded += 1
    trace.decideLater(flags, { decide: this.#decision(at < share ? weight / share : 0, weight / watch), among: this.#waiting })
    return trace
  }

  /** @param ordinary - what the trace stands for where it is not special; 0: it is not kept then */
  #decision(ordinary: number, special: number): TailDecision {
    return (root, hasFailed, isOver) => (this.#isSpecial(root, hasFailed, isOver) ? special : ordinary)
  }

  /** Whether a trace is kept whatever the share: it stands for itself alone then. */
  #isSpecial(root: EndedSpan, hasFailed: boolean, isOver: boolean): boolean {
    const now = this.#now()
    const isSlowOrRare = isOver ? this.#learn(root, now) : this.#isSlowAlready(root, now)
    return isSlowOrRare || (hasFailed && this.#mayKeepFailed(now))
  }

  /** Of a trace that is decided while its root runs. Nothing is learned from it: how long it takes is not known. */
  #isSlowAlready({ name, startMs }: EndedSpan, now: Milliseconds): boolean {
    const operation = this.#operations.get(name)
    return operation !== undefined && operation.seen > LEARNED && Math.log(Math.max(now - startMs, 0.001)) > operation.slow
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
