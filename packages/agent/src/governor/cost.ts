// What the agent costs, by what it did: an estimate. Paired runs of benchmarks/agent say what is true.
import type { Bytes, Milliseconds, Ratio } from '@andon/model'
import { type Level, profileFactor, samplingLimit } from './level.ts'

/** What the agent did in an interval. */
export interface Load {
  readonly elapsed: Milliseconds
  /** Requests and other traces that began in this process or went on in it. */
  readonly traces: number
  /** Those whose spans were recorded. */
  readonly recordedTraces: number
  /** All spans, recorded or not. */
  readonly spans: number
  /** Spans that were encoded. */
  readonly written: number
  /** Values that instruments took. */
  readonly measurements: number
  /** Measured time of this thread, for the spans' requests and for all others. */
  readonly sending: { readonly spans: Milliseconds; readonly others: Milliseconds }
  readonly posts: number
  readonly compressed: Bytes
  readonly profile: {
    /** Samples a second that are wanted; 0: none. */
    readonly wanted: number
    /** Measured processor time of uploads, per second. */
    readonly uploads: Milliseconds
  }
}

/** Processor time of an interval by part, milliseconds. */
export interface Cost {
  readonly requests: Milliseconds
  readonly spans: Milliseconds
  readonly metrics: Milliseconds
  readonly export: Milliseconds
  readonly profile: Milliseconds
  readonly runtime: Milliseconds
}

export const PARTS: readonly (keyof Cost)[] = ['requests', 'spans', 'metrics', 'export', 'profile', 'runtime']

/**
 * Nanoseconds on the machine of benchmarks/results (Node 20, AMD EPYC), where a span of the calibration takes REFERENCE_SPAN. What an
 * operation does to a real application (its promises, caches and collections) is several times what it takes in a loop: requests and
 * spans are therefore what paired runs of a saturated application with three spans a request give (`agent/application`), the others are
 * differences of a process with and without. At 20, 200 and 1,000 requests a second of a small application on a busy machine the sum was
 * 0.6 to 1.7 of what a run with the agent cost more than one without: code that runs seldom is not compiled, and costs more than this.
 */
const PRICES = {
  /** Context over all of its callbacks, headers, histogram, span at the server: the part that no share of traces lowers. */
  request: 24_000,
  recordedSpan: 6000,
  writtenSpan: 2000,
  silentSpan: 1500,
  measurement: 80,
  /** Of a request to the server, what comes after it was handed over: writing, reading the answer. */
  post: 150_000,
  /** zlib at its default level, on a thread of its own. */
  compressedByte: 20,
  sample: 100_000,
  /** The labels of a request while the sampler runs. */
  label: 3000,
} as const

/** Since Node 24 a context is carried by V8 itself. */
const CONTEXT_FACTOR: Ratio = Number(process.versions.node.split('.', 1)[0]) >= 24 ? 0.6 : 1

/** The timers of the runtime metrics, of an idle process, of one core; a busy one pays less. */
const RUNTIME: Ratio = 0.01

/** The share of traces that is recorded at a level, from that at another. */
function recordedAt(share: Ratio, from: Level, to: Level): Ratio {
  return Math.min(1, (share * samplingLimit(to).watch) / samplingLimit(from).watch)
}

/**
 * What an interval's load costs at a level.
 *
 * @param slowness - how many times longer a span of the calibration takes here than on the machine of the prices
 * @param from - the level at which the load was measured
 * @param to - the level that is asked about
 */
export function costAt(load: Load, slowness: number, from: Level, to: Level): Cost {
  const ms = slowness / 1e6
  const { traces, spans, elapsed, profile, sending } = load
  const recorded = spans * recordedAt(traces > 0 ? load.recordedTraces / traces : 0, from, to)
  const written = Math.min(recorded, (load.written * samplingLimit(to).keep) / samplingLimit(from).keep)
  const rate = profile.wanted * profileFactor(to)
  const sampled = rate > 0 ? ((rate * PRICES.sample * elapsed) / 1000 + traces * PRICES.label * CONTEXT_FACTOR) * ms + (profile.uploads * elapsed) / 1000 : 0
  return {
    requests: traces * PRICES.request * CONTEXT_FACTOR * ms,
    spans: (recorded * PRICES.recordedSpan + (spans - recorded) * PRICES.silentSpan + written * PRICES.writtenSpan) * ms,
    metrics: load.measurements * PRICES.measurement * ms,
    export: sending.others + (load.written > 0 ? (sending.spans * written) / load.written : sending.spans) + (load.posts * PRICES.post + load.compressed * PRICES.compressedByte) * ms,
    profile: sampled,
    runtime: elapsed * RUNTIME * slowness,
  }
}

/** All of it, as a share of one core. */
export function shareOf(cost: Cost, elapsed: Milliseconds): Ratio {
  return elapsed > 0 ? PARTS.reduce((sum, part) => sum + cost[part], 0) / elapsed : 0
}
