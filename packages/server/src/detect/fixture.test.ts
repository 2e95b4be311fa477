// Simulated series: what is usual (null suite) and what is wrong (injected suite). Seeded, so that everything can be made again.
import { type Milliseconds, seeded } from '@andon/model'
import { COUNTS, SLICE_MS } from './parameters.ts'
import type { Recording, TruthWindow } from './score.ts'
import type { SeriesSlices } from './slices.ts'
import type { SignalName } from './signals.ts'

export const DAY_SLICES: number = 86_400_000 / SLICE_MS
/** A Monday at midnight. */
export const BEGIN: Milliseconds = Date.UTC(2026, 0, 5)

/** Random numbers of several distributions from one seed. */
export class Chance {
  /** Within 0..1. */
  readonly uniform: () => number
  #spare: number | undefined

  constructor(seed: number) {
    this.uniform = seeded(seed)
  }

  normal(): number {
    const spare = this.#spare
    if (spare !== undefined) {
      this.#spare = undefined
      return spare
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()))
    const angle = 2 * Math.PI * this.uniform()
    this.#spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }

  /** Student's t of few degrees of freedom: a heavy tail. */
  student(freedom: number): number {
    let squares = 0
    for (let index = 0; index < freedom; index += 1) squares += this.normal() ** 2
    return this.normal() / Math.sqrt(squares / freedom)
  }

  poisson(mean: number): number {
    if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()))
    const limit = Math.exp(-mean)
    let [count, product] = [0, this.uniform()]
    while (product > limit) {
      count += 1
      product *= this.uniform()
    }
    return count
  }

  binomial(n: number, p: number): number {
    if (p > 0.5) return n - this.binomial(n, 1 - p)
    if (n <= 40) {
      let hits = 0
      for (let index = 0; index < n; index += 1) if (this.uniform() < p) hits += 1
      return hits
    }
    if (n * p < 20) return Math.min(n, this.poisson(n * p))
    return Math.max(0, Math.min(n, Math.round(n * p + Math.sqrt(n * p * (1 - p)) * this.normal())))
  }
}

/** A slice of a series: its value, or how many were bad, and of how many. */
export type Slice = readonly [value: number, count: number]

/** A series in which nothing is wrong. */
export interface NullSeries {
  readonly name: string
  readonly signal: SignalName
  /** Makes the next slice; called in the order of time. */
  readonly make: (chance: Chance) => (slice: number) => Slice
}

const hourOf = (slice: number): number => ((slice % DAY_SLICES) / DAY_SLICES) * 24
/** Between 0.3 at four in the morning and 1.7 at four in the afternoon. */
const daily = (slice: number): number => 1 - 0.7 * Math.cos(((hourOf(slice) - 4) / 12) * Math.PI)
const NONE = Number.NaN

/** The null suite. */
export const NULLS: readonly NullSeries[] = [
  { name: 'independent latency', signal: 'p95', make: (chance) => () => [0.2 * Math.exp(0.1 * chance.normal()), 400] },
  {
    name: 'latency of few requests',
    signal: 'p95',
    make: (chance) => () => {
      const count = chance.poisson(8)
      let most = 0
      for (let index = 0; index < count; index += 1) most = Math.max(most, 0.05 * Math.exp(0.6 * chance.normal()))
      return [count === 0 ? NONE : most, count]
    },
  },
  {
    name: 'errors of few requests',
    signal: 'errors',
    make: (chance) => () => {
      const count = chance.poisson(8)
      return [chance.binomial(count, 0.003), count]
    },
  },
  { name: 'throughput of day and night', signal: 'throughput', make: (chance) => (slice) => [chance.poisson(300 * daily(slice)) / 15, NONE] },
  { name: 'throughput of few requests', signal: 'throughput', make: (chance) => (slice) => [chance.poisson(8 * daily(slice)) / 15, NONE] },
  {
    name: 'latency of day and night',
    signal: 'p95',
    make: (chance) => (slice) => {
      const count = chance.poisson(120 * daily(slice))
      return [0.1 * daily(slice) ** 0.6 * Math.exp((2.1 * 0.5 * chance.normal()) / Math.sqrt(Math.max(1, count))), count]
    },
  },
  {
    name: 'autocorrelated latency (φ = 0.8)',
    signal: 'p95',
    make: (chance) => {
      let state = 0
      return () => {
        state = 0.8 * state + 0.09 * chance.normal()
        return [0.2 * Math.exp(state), 400]
      }
    },
  },
  {
    name: 'drifting CPU',
    signal: 'cpu',
    make: (chance) => {
      let level = 0.2
      return (slice) => {
        level = Math.max(0.05, Math.min(0.8, level + 0.0008 * chance.normal()))
        return [Math.max(0, level * (0.8 + 0.2 * daily(slice)) + 0.015 * chance.normal()), NONE]
      }
    },
  },
  {
    name: 'latency with cron spikes',
    signal: 'p95',
    make: (chance) => (slice) => {
      const isHourly = slice % 240 < 8
      const isNightly = slice % DAY_SLICES >= 720 && slice % DAY_SLICES < 760
      return [0.1 * (isNightly ? 6 : isHourly ? 3 : 1) * Math.exp(0.12 * chance.normal()), 400]
    },
  },
  { name: 'heavy-tailed latency', signal: 'p95', make: (chance) => () => [0.1 * Math.exp(0.08 * chance.student(3)), 400] },
  {
    name: 'event loop with rare long delays',
    signal: 'event-loop',
    make: (chance) => () => [(0.011 + (chance.uniform() < 0.004 ? 0.15 * chance.uniform() : 0)) * Math.exp(0.08 * chance.normal()), NONE],
  },
  {
    name: 'heap floor, saw teeth',
    signal: 'heap-floor',
    make: (chance) => {
      let cache = 0
      return () => {
        cache = cache > 30 || chance.uniform() < 0.0004 ? 0 : cache + 0.03 * chance.uniform()
        return [(80 + cache + 3 * chance.normal()) * 1e6, NONE]
      }
    },
  },
  {
    name: 'errors in bursts below what matters',
    signal: 'errors',
    make: (chance) => {
      let share = 0.002
      return (slice) => {
        if (slice % 20 === 0) share = 0.002 * Math.exp(0.5 * chance.normal())
        const count = chance.poisson(200 * daily(slice))
        return [chance.binomial(count, Math.min(0.5, share)), count]
      }
    },
  },
  {
    name: 'slow requests of day and night',
    signal: 'slow',
    make: (chance) => (slice) => {
      const count = chance.poisson(200 * daily(slice))
      return [chance.binomial(count, 0.05 * daily(slice)), count]
    },
  },
]

/** What is switched on in the injected suite. */
interface Fault {
  readonly name: string
  readonly latency?: number
  readonly errors?: number
  readonly throughput?: number
  readonly cpu?: number
  readonly loop?: number
  readonly isBelowFloor?: boolean
}

export const FAULTS: readonly Fault[] = [
  { name: 'latency × 1.5', latency: 1.5 },
  { name: 'latency × 2', latency: 2 },
  { name: 'latency × 5', latency: 5 },
  { name: 'latency × 1.3 (below the floor)', latency: 1.3, isBelowFloor: true },
  { name: 'errors 2 %', errors: 0.02 },
  { name: 'errors 10 %', errors: 0.1 },
  { name: 'throughput × 0.3', throughput: 0.3 },
  { name: 'CPU burn', cpu: 0.5, loop: 4, latency: 1.3 },
]

const FAULT_SLICES = 20
const BETWEEN_SLICES = 120
const MEDIAN = 0.02
const SIGMA = 0.5
const SLOW_LIMIT = MEDIAN * Math.exp(1.2816 * SIGMA) * COUNTS.slowFactor

/** The share of a lognormal distribution beyond a limit. @see Abramowitz & Stegun 7.1.26 */
function beyond(limit: number, middle: number): number {
  const x = Math.log(limit / middle) / SIGMA / Math.SQRT2
  const t = 1 / (1 + 0.327_591_1 * Math.abs(x))
  const tail = 0.5 * t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429)))) * Math.exp(-x * x)
  return x >= 0 ? tail : 1 - tail
}

const SERVICE_SIGNALS = ['errors', 'slow', 'p50', 'p95', 'throughput', 'cpu', 'event-loop'] as const

/**
 * One service of which all signals are watched: `days` of history, then faults of five minutes between half hours of quiet.
 *
 * @param rate - requests per second, on average over the day
 * @param rounds - how often each fault is switched on
 */
export function injectedService(service: string, { rate, days, rounds, seed }: { readonly rate: number; readonly days: number; readonly rounds: number; readonly seed: number }): Recording {
  const chance = new Chance(seed)
  const history = days * DAY_SLICES
  const order = Array.from({ length: rounds }, () => FAULTS).flat()
  const count = history + order.length * (FAULT_SLICES + BETWEEN_SLICES) + BETWEEN_SLICES
  const series = new Map(SERVICE_SIGNALS.map((signal): [SignalName, SeriesSlices] => [signal, { id: { service, environment: '', signal, key: '' }, values: new Float64Array(count), counts: new Float64Array(count).fill(Number.NaN) }]))
  const set = (signal: SignalName, index: number, value: number, of = Number.NaN): void => {
    const one = series.get(signal)
    if (one === undefined) return
    one.values[index] = value
    one.counts[index] = of
  }
  const faultAt = (index: number): Fault | undefined => {
    const since = index - history - BETWEEN_SLICES
    return since < 0 || since % (FAULT_SLICES + BETWEEN_SLICES) >= FAULT_SLICES ? undefined : order[Math.floor(since / (FAULT_SLICES + BETWEEN_SLICES))]
  }
  let wander = 0
  for (let index = 0; index < count; index += 1) {
    const fault = faultAt(index)
    wander = 0.7 * wander + 0.04 * chance.normal()
    const load = daily(index)
    const requests = chance.poisson(rate * 15 * load * (fault?.throughput ?? 1))
    const middle = MEDIAN * load ** 0.2 * Math.exp(wander) * (fault?.latency ?? 1)
    const noise = (factor: number): number => Math.exp((factor * SIGMA * chance.normal()) / Math.sqrt(Math.max(1, requests)))
    set('errors', index, chance.binomial(requests, 0.001 + (fault?.errors ?? 0)), requests)
    set('slow', index, chance.binomial(requests, beyond(SLOW_LIMIT, middle)), requests)
    set('p50', index, requests === 0 ? NONE : middle * noise(1.25), requests)
    set('p95', index, requests === 0 ? NONE : middle * Math.exp(1.645 * SIGMA) * noise(2.1), requests)
    set('throughput', index, requests / 15)
    set('cpu', index, Math.max(0, 0.08 * load + 0.03 + (fault?.cpu ?? 0) + 0.012 * chance.normal()))
    set('event-loop', index, 0.012 * (fault?.loop ?? 1) * Math.exp(0.1 * chance.normal()))
  }
  const truth = order.map((fault, index): TruthWindow => {
    const start = BEGIN + (history + BETWEEN_SLICES + index * (FAULT_SLICES + BETWEEN_SLICES)) * SLICE_MS
    return { fault: fault.name, start, end: start + FAULT_SLICES * SLICE_MS, ...(fault.isBelowFloor === true && { isBelowFloor: true }) }
  })
  return { table: { start: BEGIN, count, series: [...series.values()] }, truth, scoreFrom: BEGIN + history * SLICE_MS }
}
