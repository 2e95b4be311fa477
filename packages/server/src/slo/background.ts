// What share of bad ones a service has when all is well, learned from its own slices: an alarm must lie above it.
import { quantile, type Ratio, type Slice } from '@andon/model'

/** More bad ones than so many times the budget are never taken for normal. */
const TIMES_BUDGET_MAX = 30
const SHARE_MAX: Ratio = 0.3
/** So many times the budget are tolerated by the fast test, whatever was learned. */
const TIMES_BUDGET = 3
/** Of the shares of blocks. */
const UPPER: Ratio = 0.95
const BLOCKS_MAX = 256
const BLOCKS_MIN = 20
/** So many bad ones are expected in a block: with fewer its share is mostly chance. */
const BAD_PER_BLOCK = 3
/** A block of fewer than it takes within so many slices is dropped. */
const SLICES_PER_BLOCK = 480
/** What is older counts for half after so many slices with data: three days of 15 s. */
const HALF_LIFE = 17_280
const DISPERSION_MAX: Ratio = 0.2
/** Slices before which nothing is said of how they scatter. */
const SLICES_MIN = 240

/** What must be kept to go on after a restart. */
export interface BackgroundState {
  /** Shares of blocks, the oldest first. */
  readonly blocks: readonly number[]
  /** The block under way. */
  readonly open: { readonly n: number; readonly bad: number; readonly slices: number }
  /** Sums over slices, older ones faded: how many, Σn, Σk, Σk², Σkn, Σn². */
  readonly sums: readonly [slices: number, n: number, k: number, kk: number, kn: number, nn: number]
}

export const NOTHING_LEARNED: BackgroundState = { blocks: [], open: { n: 0, bad: 0, slices: 0 }, sums: [0, 0, 0, 0, 0, 0] }

const FADE = 2 ** (-1 / HALF_LIFE)

/** Learns from a slice that is not suspicious. */
export function learn(state: BackgroundState, { n, bad }: Slice, budget: Ratio): BackgroundState {
  if (!(n > 0)) return state
  const k = Math.min(n, bad)
  const added: BackgroundState['sums'] = [1, n, k, k * k, k * n, n * n]
  const sums = state.sums
  const faded = (index: 0 | 1 | 2 | 3 | 4 | 5): number => sums[index] * FADE + added[index]
  const open = { n: state.open.n + n, bad: state.open.bad + k, slices: state.open.slices + 1 }
  const isWhole = open.n * budget >= BAD_PER_BLOCK
  const isOld = open.slices >= SLICES_PER_BLOCK
  return {
    blocks: isWhole ? [...state.blocks.slice(-(BLOCKS_MAX - 1)), open.bad / open.n] : state.blocks,
    open: isWhole || isOld ? NOTHING_LEARNED.open : open,
    sums: [faded(0), faded(1), faded(2), faded(3), faded(4), faded(5)],
  }
}

const uppers = new WeakMap<readonly number[], Ratio>()

/** What most blocks stay below; reckoned once for each list. */
function upperOf(blocks: readonly number[]): Ratio {
  if (blocks.length < BLOCKS_MIN) return 0
  const known = uppers.get(blocks)
  if (known !== undefined) return known
  const upper = quantile(blocks.toSorted((a, b) => a - b), UPPER)
  uppers.set(blocks, upper)
  return upper
}

/** The share that the fast test tolerates: three times the budget, or what most blocks of this service stay below where that is more. */
export function toleratedShare({ blocks }: BackgroundState, budget: Ratio): Ratio {
  const least = TIMES_BUDGET * budget
  return Math.min(0.9, Math.max(least, Math.min(upperOf(blocks), TIMES_BUDGET_MAX * budget, SHARE_MAX)))
}

/**
 * How much more slices scatter than chance alone makes them: ρ of the beta-binomial distribution, by its first two moments. What chance
 * may well have made is 0.
 */
export function dispersionOf({ sums: [slices, n, k, kk, kn, nn] }: BackgroundState): Ratio {
  if (slices < SLICES_MIN || k <= 0 || k >= n || nn <= n) return 0
  const mean = k / n
  const squares = kk - 2 * mean * kn + mean * mean * nn
  const excess = squares / (mean * (1 - mean)) - n
  // Where bad ones are rare, a slice's square is about as likely as the slice itself: three standard deviations of the sum.
  const chance = 3 * Math.sqrt(n / mean + 2 * nn)
  return excess <= chance ? 0 : Math.min(DISPERSION_MAX, excess / (nn - n))
}
