// Which faults are to be injected, in which order and under which load: the same for the same seed.
import { seeded } from '@andon/model'
import type { Part } from '../scoring/stretch.ts'

/** One fault to come. */
export interface Injection {
  readonly index: number
  readonly fault: string
  readonly strength: number
  /** Requests per second. */
  readonly load: number
  readonly part: Part
  /** Share of a fault's length by which the quiet time before it is longer than the fault. */
  readonly patience: number
}

/** Requests per second of the team's traffic, the usual one first. */
export const LOADS = [5, 15, 2] as const

/**
 * Faults with their strengths. no-compression is left out: on loopback it shows in no series that is recorded.
 */
export const INJECTIONS: readonly (readonly [fault: string, ...strengths: number[]])[] = [
  ['errors', 0.02, 0.1, 0.5],
  ['latency', 1.3, 1.5, 2, 5],
  ['dropped-connections', 0.5, 0.9],
  ['cpu-burn', 0.5, 1],
  ['blocked-loop', 100, 300],
  ['slow-query', 5, 20],
  ['held-connections', 300, 1000],
  ['memory-leak', 50, 200],
  ['n-plus-one', 3],
  ['reposition-loop', 5],
  ['quadratic', 4],
  ['sync-read', 16],
  ['no-pool', 1],
  ['small-pool', 1],
  ['gc-churn', 10],
  ['redos', 23],
  ['slow-dependency', 200],
  ['cache-off', 1],
]

/** Injections of one load that follow one another. */
const BLOCK = 6

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list.map((each) => [random(), each] as const).toSorted(([a], [b]) => a - b).map(([, each]) => each)
}

/** Every fault at every strength under every load once. Blocks of the loads take turns; the first block of each is for tuning. */
export function planOf(seed: number): readonly Injection[] {
  const random = seeded(seed)
  const every = INJECTIONS.flatMap(([fault, ...strengths]) => strengths.map((strength) => ({ fault, strength })))
  const orders = LOADS.map((load) => ({ load, order: shuffled(every, random) }))
  const plan: Omit<Injection, 'index'>[] = []
  for (let from = 0; from < every.length; from += BLOCK) {
    for (const { load, order } of orders) plan.push(...order.slice(from, from + BLOCK).map((each) => ({ ...each, load, part: from === 0 ? ('tuning' as const) : ('proof' as const), patience: random() })))
  }
  return plan.map((each, index) => ({ index, ...each }))
}
