// Every constant of the detectors, in one place, so that a report can say with which ones it was made.
// They were chosen on simulated series alone (null and injected suites of test/soak/null-suite) and are frozen: the recorded
// corpus is scored with them as they stand here.
import type { Milliseconds } from '@andon/model'

/** Named in reports; changed with any constant below. */
export const PARAMETER_SET = '2026-11 simulated 1'

export const SLICE_MS: Milliseconds = 15_000
/** A slice is read so long after its end: agents export every 10 s, and a point after the end is needed to cut at it. */
export const READ_DELAY_MS: Milliseconds = 12_000

export const FORECAST = {
  /** Slices that the level remembers: half an hour. */
  levelSlices: 120,
  /** The same of series that only a slow level fits: six hours. */
  slowLevelSlices: 1440,
  winters: { level: 0.016_666_666_666_666_666, trend: 0.0005, damping: 0.999, season: 0.001_666_666_666_666_666_8 },
  /** Bins of the day of the seasonal median, and days that each of them remembers. */
  seasonBins: 48,
  seasonDays: 7,
  /** A bin predicts from so many days on. */
  seasonLeastDays: 2,
  /** Step of the running quantile of errors, in its logarithm. */
  quantileStep: 0.05,
  /** Slices between two choices of the prediction. */
  chooseEvery: 240,
  /** Another prediction must have errors smaller by this factor. */
  switchBelow: 0.9,
  /** Slices over which the autocorrelation is estimated, and its greatest value. */
  autocorrelationSlices: 1000,
  autocorrelationMax: 0.95,
} as const

export const REFERENCE = {
  /** Slices after which an old residual counts half: three days. */
  halfLife: 17_280,
  /** Slices between two fits of the tail. */
  fitEvery: 240,
  tailFrom: 0.98,
  shapeMax: 0.5,
  /** The shape is drawn to this value as if so many exceedances said so. */
  shapePrior: 0.1,
  shapePriorWeight: 20,
  /** No single slice is less likely than this, however far out it lies. */
  leastP: 1e-8,
} as const

export const EVIDENCE = {
  epsilons: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
  /** Logarithm beyond which evidence does not grow. */
  cap: 250,
} as const

export const CALIBRATION = {
  /** Longer than the longest cycle that is usual, a day. */
  blockMs: 93_600_000,
  blocks: 14,
  /** The share of blocks that may have a false episode: 0.05 a week. */
  falsePerBlock: 0.007738095238095238,
  /** ln of the threshold is never below this, nor above that. */
  leastLog: 14,
  mostLog: 150,
  /** Half hours of the day whose usual evidence is remembered, how much of it is left a day later, from which on it matters, and by which factor and amount an alarm must exceed it. */
  dailyBins: 48,
  dailyKept: 0.9,
  dailyFrom: 6,
  dailyFactor: 3,
  dailyMargin: 6,
  /** What was seen is committed so late, so that an episode that turns out to be an incident leaves no trace. */
  commitMs: 1_200_000,
} as const

export const GATES = {
  persistentP: 0.02,
  /** So many of the last three slices. */
  persistentOf3: 2,
  /** Nothing is learned from a slice that is less likely than this. */
  suspiciousP: 1e-3,
  /** For no longer than this; then what there is becomes usual. */
  freezeMs: 14_400_000,
  /** Calm slices that end an episode. */
  calmSlices: 8,
  /** The effect may be seen so much smaller by chance, in ln, for what is truly at the floor to be told. */
  effectSlack: 0.10536051565782614,
  /** Evidence counts for the calibration from this effect on: what hardly matters is no alarm. */
  calibratedEffect: 0.85,
  /** Standard errors that are granted at most. */
  effectErrors: 1,
  /** A throughput that falls to a half or less is noticed by users, whatever else says so. */
  indicatesThroughput: 1.7095112913514547,
  /** So is a latency that doubles. */
  indicatesLatency: 1.7095112913514547,
  /** Below so many requests a slice a quantile is widened, below the other it says nothing. */
  quantileRequests: 30,
  quantileLeast: 5,
} as const

export const COUNTS = {
  /** What is usual is never taken to be below this share. */
  leastErrors: 0.003,
  leastSlow: 0.02,
  /** Usual is this quantile of shares of five minutes, times a margin. */
  usualQuantile: 0.95,
  usualMargin: 1.2,
  poolSlices: 20,
  /** A pool of fewer goes on, for four hours at most. */
  poolRequests: 1000,
  dispersionMax: 20,
  /** Of a share that follows the time of day: usual is so many times that of the last pools, where that is less. */
  followFactor: 1.6,
  followPools: 8,
  /** How much of the share of now is that of the slices before. */
  recentKept: 0.75,
  /** ln of the evidence from which on nothing is learned. */
  suspiciousLog: 4.6,
  /** ln of slices per year: one false alarm a year in theory. */
  leastLog: 14.559274804320745,
  /** Points of share that must be lost. */
  errorPoints: 0.015,
  slowPoints: 0.05,
  /** … and the share of slow ones by this factor. */
  slowShareFactor: 2.5,
  /** Slow is what takes longer than this quantile of a day, times this factor. */
  slowQuantile: 0.9,
  slowFactor: 1.25,
  /** The limit stays until the new one differs by this factor: what is slow must not move while it is watched. */
  slowMoves: 1.5,
} as const

export const JUDGE = {
  /** Slices of data before a series is judged at all: two hours. */
  learningSlices: 480,
  backtestMs: 604_800_000,
  /** The share of the slices of the backtest that must have data. */
  backtestShare: 0.5,
  /** Unexplained episodes in the backtest at which a series may page, or write a ticket. */
  pageEpisodes: 0,
  ticketEpisodes: 2,
  /** How often it is judged anew. */
  everyMs: 21_600_000,
  /** Series of one service must alarm within this time to agree. */
  agreeMs: 180_000,
  agreeFamilies: 2,
  /** An episode of a series that has fallen silent ends after this. */
  silenceMs: 900_000,
} as const

export const RELEASE = {
  beforeMs: 3_600_000,
  /** Left out after a marker: start, caches, connections. */
  settleMs: 120_000,
  afterMs: 1_800_000,
  /** Comparisons are made this long after a marker. */
  checksMs: [720_000, 1_920_000],
  blockSlices: 4,
  leastBlocks: 8,
  confidence: 0.999,
} as const
