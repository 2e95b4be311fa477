// The injected suite: one simulated service with faults of known effect. Seeded, so that everything can be made again.
import { Chance } from '@andon/bench'
import { COUNTS } from '@andon/server'
import { isBelowFloor } from '../scoring/effect.ts'
import { STEP_MS, type Stretch, type Track, type Truth, type What } from '../scoring/stretch.ts'
import { BEGIN, daily, DAY_SLICES } from './null-series.ts'

/** What is switched on, by how much in which signal. */
interface Fault extends Pick<Truth, 'fault' | 'strength'> {
  readonly latency?: number
  readonly errors?: number
  readonly throughput?: number
  readonly cpu?: number
  readonly loop?: number
}

const FAULTS: readonly Fault[] = [
  { fault: 'latency', strength: 1.5, latency: 1.5 },
  { fault: 'latency', strength: 2, latency: 2 },
  { fault: 'latency', strength: 5, latency: 5 },
  { fault: 'latency', strength: 1.3, latency: 1.3 },
  { fault: 'errors', strength: 0.02, errors: 0.02 },
  { fault: 'errors', strength: 0.1, errors: 0.1 },
  { fault: 'throughput', strength: 0.3, throughput: 0.3 },
  { fault: 'cpu-burn', strength: 0.5, cpu: 0.5, loop: 4, latency: 1.3 },
]

const FAULT_SLICES = 20
const BETWEEN_SLICES = 120
const ROUND = FAULT_SLICES + BETWEEN_SLICES
const SECONDS = STEP_MS / 1000
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

/** A track that is filled slice by slice. */
function track(key: string, what: What, unit: string, slices: number): Track {
  return { key, what, unit, values: new Float64Array(slices) }
}

/** A track of a share, or of what says more the more requests there are. */
function counted(key: string, what: What, unit: string, counts: Float64Array): Track & { readonly failed: Float64Array } {
  return { ...track(key, what, unit, counts.length), counts, failed: new Float64Array(counts.length) }
}

/** Notes how many were bad. */
function setShare({ values, failed }: { readonly values: Float64Array; readonly failed: Float64Array }, index: number, bad: number, all: number): void {
  failed[index] = bad
  values[index] = all > 0 ? bad / all : Number.NaN
}

export interface InjectedOptions {
  /** Requests per second, on average over the day. */
  readonly rate: number
  /** Days of history. */
  readonly days: number
  /** How often each fault is switched on. */
  readonly rounds: number
  readonly seed: number
}

/** One service of which all signals are watched: history, then faults of five minutes between half hours of quiet. */
export function injectedService({ rate, days, rounds, seed }: InjectedOptions): Stretch {
  const chance = new Chance(seed)
  const history = days * DAY_SLICES
  const order = Array.from({ length: rounds }, () => FAULTS).flat()
  const slices = history + order.length * ROUND + BETWEEN_SLICES
  const total = new Float64Array(slices)
  const [errors, slow] = [counted('errors', 'errors', 'share', total), counted('slow', 'latency', 'share', total)]
  const [p50, p95] = [{ ...track('latency.p50', 'latency', 's', slices), counts: total }, { ...track('latency.p95', 'latency', 's', slices), counts: total }]
  const throughput: Track = { key: 'throughput', what: 'throughput', unit: 'requests per slice', values: total }
  const [cpu, loop] = [track('cpu', 'cpu', 'share of the processors', slices), track('loop.p99', 'loop', 's', slices)]
  const faultAt = (index: number): Fault | undefined => {
    const since = index - history - BETWEEN_SLICES
    return since < 0 || since % ROUND >= FAULT_SLICES ? undefined : order[Math.floor(since / ROUND)]
  }
  let wander = 0
  for (let index = 0; index < slices; index += 1) {
    const fault = faultAt(index)
    wander = 0.7 * wander + 0.04 * chance.normal()
    const load = daily(index)
    const requests = chance.poisson(rate * SECONDS * load * (fault?.throughput ?? 1))
    const middle = MEDIAN * load ** 0.2 * Math.exp(wander) * (fault?.latency ?? 1)
    const noise = (factor: number): number => Math.exp((factor * SIGMA * chance.normal()) / Math.sqrt(Math.max(1, requests)))
    total[index] = requests
    setShare(errors, index, chance.binomial(requests, 0.001 + (fault?.errors ?? 0)), requests)
    setShare(slow, index, chance.binomial(requests, beyond(SLOW_LIMIT, middle)), requests)
    p50.values[index] = requests === 0 ? Number.NaN : middle * noise(1.25)
    p95.values[index] = requests === 0 ? Number.NaN : middle * Math.exp(1.645 * SIGMA) * noise(2.1)
    cpu.values[index] = Math.max(0, 0.08 * load + 0.03 + (fault?.cpu ?? 0) + 0.012 * chance.normal())
    loop.values[index] = 0.012 * (fault?.loop ?? 1) * Math.exp(0.1 * chance.normal())
  }
  const truth = order.map(({ fault, strength }, index): Truth => {
    const start = BEGIN + (history + BETWEEN_SLICES + index * ROUND) * STEP_MS
    const one = { index, fault, strength, start, set: start, end: start + FAULT_SLICES * STEP_MS }
    return { ...one, hasEffect: !isBelowFloor(one) }
  })
  return {
    name: `${rate} requests a second`,
    service: 'shop',
    part: 'tuning',
    load: rate,
    stepMs: STEP_MS,
    start: BEGIN + STEP_MS,
    slices,
    history,
    tracks: [errors, slow, p50, p95, throughput, cpu, loop],
    truth,
  }
}
