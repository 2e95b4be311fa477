// Simulated series of which nothing is wrong. Seeded, so that everything can be made again.
import type { Chance } from '@andon/bench'
import type { Milliseconds } from '@andon/model'
import type { SeriesSlices } from '@andon/server'
import { STEP_MS } from '../scoring/stretch.ts'

export const DAY_SLICES: number = 86_400_000 / STEP_MS
/** A Monday at midnight. */
export const BEGIN: Milliseconds = Date.UTC(2026, 0, 5)

/** A slice of a series: its value, or how many were bad, and of how many. */
export type Slice = readonly [value: number, count: number]

/** A series in which nothing is wrong. */
export interface NullSeries {
  readonly name: string
  readonly signal: SeriesSlices['id']['signal']
  /** Makes the next slice; called in the order of time. */
  readonly make: (chance: Chance) => (slice: number) => Slice
}

const hourOf = (slice: number): number => ((slice % DAY_SLICES) / DAY_SLICES) * 24
/** Between 0.3 at four in the morning and 1.7 at four in the afternoon. */
export const daily = (slice: number): number => 1 - 0.7 * Math.cos(((hourOf(slice) - 4) / 12) * Math.PI)
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
