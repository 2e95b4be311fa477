import { ECUSUM_START, ecusumEvidence, ecusumOnset, type EcusumState, ecusumStep, type Milliseconds, type Ratio } from '@andon/model'
import { AlarmLevel } from './alarm-level.ts'
import { BlockMaxima, MAXIMA_SIZE } from './block-maxima.ts'
import { DAILY_BINS_SIZE, DAILY_SIZE, DailyEvidence } from './daily-evidence.ts'
import type { Detector, Verdict } from './detector.ts'
import { HISTOGRAM_BUCKETS, LogHistogram } from './log-histogram.ts'
import { CALIBRATION, COUNTS, GATES, JUDGE, REFERENCE, SLICE_MS } from './parameters.ts'
import { packed, unpacked } from './snapshot.ts'

const BETS = ECUSUM_START.logs.length
const SLICES = 0
const LAST = 1
const P0 = 2
const DISPERSION = 3
const MEAN = 4
const CHI = 5
const POOL_BAD = 6
const POOL_ALL = 7
const POOL_SLICES = 8
const POOLS = 9
const FROZEN = 10
const FIRING = 11
const ONSET = 12
const CALM = 13
const BAD = 14
const ALL = 15
const SINCE_BAD = 16
const SINCE_ALL = 17
const HIGH = 18
const POOL_SIZE = 19
const RECENT = 20
const NOW_BAD = 21
const NOW_ALL = 22
const OWN_SIZE = 23
const STATE_SIZE = OWN_SIZE + 2 * BETS + MAXIMA_SIZE + DAILY_SIZE
const FLOATS = HISTOGRAM_BUCKETS + DAILY_BINS_SIZE

/** Shares are kept so many times greater, where the histogram is fine: from 2⁻¹⁶ to 1. */
const SHARE_SCALE = 1024
/** Pools before what is usual is taken from them: an hour. */
const LEAST_POOLS = 12
/** Pools over which mean and dispersion are remembered: two days. */
const POOLS_REMEMBERED = 576
const POOL_FADE = 0.5 ** (COUNTS.poolSlices / REFERENCE.halfLife)
const FREEZE_SLICES = GATES.freezeMs / SLICE_MS
/** Evidence grows as far as a calibration may ask for. */
const ALARM = Math.exp(CALIBRATION.mostLog)

export interface CountDetectorOptions {
  /** No usual share is below this. */
  readonly leastShare: Ratio
  /** The share must rise by so much to matter. */
  readonly points: Ratio
  /** And by this factor; absent where the points alone decide. */
  readonly factor?: number
  /** It is different by day and by night. */
  readonly isFollowed?: boolean
}

/**
 * Watches how many of a number of requests are bad: a binomial mixture e-CUSUM against what was usual in the last days, over-dispersed as they were. Few
 * requests make it slow, not wrong. Holds less than 1.5 KiB.
 */
export class CountDetector implements Detector {
  readonly #options: CountDetectorOptions
  readonly #state: Float64Array
  readonly #floats: Float32Array
  readonly #shares: LogHistogram
  readonly #level: AlarmLevel
  #evidence: EcusumState

  /** @param snapshot - as `snapshot` gave it; another detector's, or a damaged one, is as none */
  constructor(options: CountDetectorOptions, snapshot?: string) {
    this.#options = options
    const { state, floats } = unpacked(snapshot, STATE_SIZE, FLOATS)
    this.#state = state
    this.#floats = floats
    this.#shares = new LogHistogram(floats.subarray(0, HISTOGRAM_BUCKETS))
    const maxima = new BlockMaxima(state.subarray(OWN_SIZE + 2 * BETS, STATE_SIZE - DAILY_SIZE), COUNTS.leastLog)
    this.#level = new AlarmLevel(maxima, new DailyEvidence(floats.subarray(HISTOGRAM_BUCKETS), state.subarray(STATE_SIZE - DAILY_SIZE)))
    const logs = [...state.subarray(OWN_SIZE, OWN_SIZE + BETS)]
    const since = [...state.subarray(OWN_SIZE + BETS, OWN_SIZE + 2 * BETS)].map((time) => (time === 0 ? undefined : time))
    // The sums are not asked for here.
    this.#evidence = { sums: ECUSUM_START.sums, logs, since }
  }

  #at(index: number): number {
    return this.#state[index] ?? 0
  }

  get slices(): number {
    return this.#at(SLICES)
  }

  get isFiring(): boolean {
    return this.#at(FIRING) !== 0
  }

  /** How many bytes its numbers are. */
  get bytes(): number {
    return this.#state.byteLength + this.#floats.byteLength
  }

  /** What is usual at most. */
  get #usual(): Ratio {
    const followed = this.#options.isFollowed === true ? this.#at(RECENT) * COUNTS.followFactor : Number.POSITIVE_INFINITY
    return Math.min(0.5, Math.max(this.#options.leastShare, Math.min(followed, this.#at(P0))))
  }

  get #expected(): Ratio {
    return this.#options.isFollowed === true ? this.#at(RECENT) : this.#at(MEAN)
  }

  #log(): number {
    return Math.log(Math.max(1e-300, ecusumEvidence(this.#evidence)))
  }

  add(time: Milliseconds, bad: number, count: number): boolean {
    if (!(count > 0) || !(bad >= 0)) return this.isFiring
    const state = this.#state
    const wrong = Math.min(bad, count)
    state[SLICES] = this.slices + 1
    state[LAST] = time
    state[BAD] = wrong
    state[ALL] = count
    state[NOW_BAD] = this.#at(NOW_BAD) * COUNTS.recentKept + wrong
    state[NOW_ALL] = this.#at(NOW_ALL) * COUNTS.recentKept + count
    const isKnown = this.#at(POOLS) >= LEAST_POOLS
    if (isKnown) this.#judge(time, wrong, count)
    this.#learn(wrong, count)
    return this.isFiring
  }

  #judge(time: Milliseconds, bad: number, count: number): void {
    const state = this.#state
    const p0 = this.#usual
    this.#evidence = ecusumStep(this.#evidence, { time, n: count, bad }, { p0, dispersion: this.#at(DISPERSION) }, { alarm: ALARM })
    const log = this.#log()
    if (log <= 0) this.#atFloor()
    else {
      state[SINCE_BAD] = this.#at(SINCE_BAD) + bad
      state[SINCE_ALL] = this.#at(SINCE_ALL) + count
    }
    // Which of the last three slices were above what is usual, as bits.
    state[HIGH] = ((this.#at(HIGH) << 1) | (bad / count > p0 ? 1 : 0)) & 7
    if (this.isFiring) {
      // As far as it goes, so that the same at the same time tomorrow is none.
      this.#level.addDaily(log, time)
      state[CALM] = this.#at(NOW_BAD) / this.#at(NOW_ALL) - this.#expected < this.#options.points / 2 ? this.#at(CALM) + 1 : 0
      if (this.#at(CALM) >= GATES.calmSlices) this.end()
      return
    }
    const effect = this.#effect
    this.#level.add(this.#isPersistent && effect > GATES.calibratedEffect ? log : 0, time)
    if (this.slices < JUDGE.learningSlices || !this.#isPersistent || effect < 1 || log < this.#threshold) return
    state[FIRING] = time
    state[ONSET] = ecusumOnset(this.#evidence) ?? time
    state[CALM] = 0
  }

  #atFloor(): void {
    this.#state[SINCE_BAD] = 0
    this.#state[SINCE_ALL] = 0
  }

  get #isPersistent(): boolean {
    const bits = this.#at(HIGH)
    return (bits & 1) + ((bits >> 1) & 1) + ((bits >> 2) & 1) >= GATES.persistentOf3
  }

  /** How far the share since the onset is above what is usual, in what would matter. */
  get #effect(): number {
    const all = this.#at(SINCE_ALL)
    if (all <= 0) return 0
    const share = this.#at(SINCE_BAD) / all
    const { points, factor } = this.#options
    const byPoints = (share - this.#expected) / points
    return factor === undefined ? byPoints : Math.min(byPoints, Math.log(Math.max(share, 1e-6) / Math.max(this.#expected, 1e-6)) / Math.log(factor))
  }

  #learn(bad: number, count: number): void {
    const state = this.#state
    const isSuspicious = this.isFiring || (this.slices >= JUDGE.learningSlices && this.#log() > COUNTS.suspiciousLog)
    state[FROZEN] = isSuspicious ? this.#at(FROZEN) + 1 : Math.max(0, this.#at(FROZEN) - 1)
    if (isSuspicious && this.#at(FROZEN) < FREEZE_SLICES) {
      this.#emptyPool()
      return
    }
    state[POOL_BAD] = this.#at(POOL_BAD) + bad
    state[POOL_ALL] = this.#at(POOL_ALL) + count
    state[POOL_SLICES] = this.#at(POOL_SLICES) + 1
    const isTooFew = this.#at(POOL_ALL) < COUNTS.poolRequests && this.#at(POOL_SLICES) < FREEZE_SLICES
    if (this.#at(POOL_SLICES) < COUNTS.poolSlices || isTooFew) return
    this.#closePool()
    this.#emptyPool()
    if (isSuspicious) {
      // What has lasted so long is how it is now.
      state[FROZEN] = 0
      state[P0] = Math.max(this.#at(P0), (this.#at(BAD) / Math.max(1, this.#at(ALL))) * COUNTS.usualMargin)
      state[MEAN] = Math.max(this.#at(MEAN), this.#at(P0) / COUNTS.usualMargin)
      this.end()
    }
  }

  #emptyPool(): void {
    this.#state[POOL_BAD] = 0
    this.#state[POOL_ALL] = 0
    this.#state[POOL_SLICES] = 0
  }

  #closePool(): void {
    const state = this.#state
    const all = this.#at(POOL_ALL)
    const share = this.#at(POOL_BAD) / all
    const pools = this.#at(POOLS)
    const weight = Math.max(1 / POOLS_REMEMBERED, 1 / (pools + 1))
    const mean = this.#at(MEAN)
    const variance = Math.max(1e-6, mean * (1 - mean))
    // Pearson's statistic: 1 where the pools vary as a binomial distribution does.
    if (pools > 0) state[CHI] = this.#at(CHI) + weight * (((this.#at(POOL_BAD) - all * mean) ** 2) / (all * variance) - this.#at(CHI))
    state[POOL_SIZE] = this.#at(POOL_SIZE) + weight * (all - this.#at(POOL_SIZE))
    state[MEAN] = mean + weight * (share - mean)
    state[POOLS] = pools + 1
    state[RECENT] = this.#at(RECENT) + Math.max(1 / COUNTS.followPools, 1 / (pools + 1)) * (share - this.#at(RECENT))
    this.#shares.fade(POOL_FADE)
    this.#shares.add(share * SHARE_SCALE)
    const high = this.#shares.quantile(COUNTS.usualQuantile) / SHARE_SCALE
    state[P0] = high * COUNTS.usualMargin
    const size = this.#at(POOL_SIZE)
    const factor = Math.min(COUNTS.dispersionMax, Math.max(1, this.#at(CHI)))
    state[DISPERSION] = size > 2 && factor > 1.2 ? Math.min(0.2, (factor - 1) / (size - 1)) : 0
  }

  get #threshold(): number {
    return this.#level.threshold(this.#at(LAST))
  }

  exclude(time: Milliseconds): void {
    this.#level.exclude(time)
  }

  end(): void {
    this.#state[FIRING] = 0
    this.#state[ONSET] = 0
    this.#state[CALM] = 0
    this.#state[HIGH] = 0
    this.#evidence = ECUSUM_START
    this.#atFloor()
  }

  get verdict(): Verdict {
    const all = this.#at(ALL)
    const statistic = this.#log()
    const isKnown = this.#at(POOLS) >= LEAST_POOLS
    return {
      time: this.#at(LAST),
      value: all > 0 ? this.#at(BAD) / all : Number.NaN,
      expected: isKnown ? this.#expected : Number.NaN,
      low: isKnown ? 0 : Number.NaN,
      high: isKnown ? this.#usual : Number.NaN,
      // An e-value's reciprocal bounds the p-value.
      p: Math.min(1, Math.exp(-statistic)),
      statistic,
      threshold: this.#threshold,
      effect: this.#effect,
      isFiring: this.isFiring,
      onset: this.#at(ONSET),
      model: 'usual share',
      held: this.#held(statistic),
    }
  }

  #held(statistic: number): string {
    if (this.slices < JUDGE.learningSlices) return `${JUDGE.learningSlices - this.slices} slices are missing to know what is usual`
    if (this.isFiring || statistic < this.#threshold) return ''
    if (this.#effect < 1) return `the share rose by ${Math.round(this.#effect * 100)} % of what would matter`
    return this.#isPersistent ? '' : 'it does not last'
  }

  snapshot(): string {
    for (let index = 0; index < BETS; index += 1) {
      this.#state[OWN_SIZE + index] = this.#evidence.logs[index] ?? 0
      this.#state[OWN_SIZE + BETS + index] = this.#evidence.since[index] ?? 0
    }
    return packed(this.#state, this.#floats)
  }
}
