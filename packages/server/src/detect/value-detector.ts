import type { Milliseconds, Ratio } from '@andon/model'
import { AlarmLevel } from './alarm-level.ts'
import { BlockMaxima, MAXIMA_SIZE } from './block-maxima.ts'
import { DAILY_SIZE, DailyEvidence } from './daily-evidence.ts'
import type { Detector, Verdict } from './detector.ts'
import { type Effect, effectOf, fromScale, toScale } from './effect.ts'
import { Evidence, EVIDENCE_SIZE } from './evidence.ts'
import { Forecast, FORECAST_SIZE } from './forecast.ts'
import { HISTOGRAM_BUCKETS, LogHistogram } from './log-histogram.ts'
import { CALIBRATION, FORECAST, GATES, JUDGE, REFERENCE, SLICE_MS } from './parameters.ts'
import { packed, unpacked } from './snapshot.ts'
import { beyondTail, fitTail, type Tail } from './tail.ts'
import { CALM, COVARIANCE, DAILY_AT, EFFECT, EXPECTED, FIRING, FLOATS, FROZEN, LAST, LAST_P, ONSET, OWN_SIZE, P, PREVIOUS, RESIDUALS, RESIDUALS_KEPT, SCALE, SLICES, STATE_SIZE, TAIL, VALUE, VARIANCE } from './value-layout.ts'

/** A reference of fewer residuals says nothing. */
const LEAST_REFERENCE = 200
const GAP_MS: Milliseconds = 10 * 60_000
/** The normal distribution's 90th percentile of absolute values. */
const NORMAL_Q90 = 1.645
const FADE = 0.5 ** (REFERENCE.fitEvery / REFERENCE.halfLife)
const FREEZE_SLICES = GATES.freezeMs / SLICE_MS

export interface ValueDetectorOptions {
  readonly effect: Effect
  /** Of what must not be explained away by a trend. */
  readonly isSlow?: boolean
  /** Errors of the prediction below this are none, on the scale of the effect. */
  readonly leastError: number
  /** Its value is itself a number of requests per slice times this, of which few vary more. */
  readonly requestsPerUnit?: number
}

/**
 * Watches a value: what is expected of it, how unlikely its residual is by rank and tail among the series' own, whitened of its autocorrelation,
 * how much evidence that adds up to, and whether it matters. Learns nothing while it is suspicious. Its numbers are less than 3 KiB, and it takes
 * no memory for a slice but what the fit of the tail needs every hour.
 */
export class ValueDetector implements Detector {
  readonly #options: ValueDetectorOptions
  readonly #state: Float64Array
  readonly #floats: Float32Array
  readonly #forecast: Forecast
  readonly #reference: LogHistogram
  readonly #evidence: Evidence
  readonly #level: AlarmLevel
  #tail: Tail | undefined
  /** Nothing is learned of the newest slice. */
  #isSuspicious = false

  /** @param snapshot - as `snapshot` gave it; another detector's, or a damaged one, is as none */
  constructor(options: ValueDetectorOptions, snapshot?: string) {
    this.#options = options
    const { state, floats } = unpacked(snapshot, STATE_SIZE, FLOATS)
    this.#state = state
    this.#floats = floats
    let at = OWN_SIZE
    const part = (size: number): Float64Array => state.subarray(at, (at += size))
    this.#evidence = new Evidence(part(EVIDENCE_SIZE))
    const maxima = new BlockMaxima(part(MAXIMA_SIZE), CALIBRATION.leastLog)
    this.#level = new AlarmLevel(maxima, new DailyEvidence(floats.subarray(DAILY_AT), part(DAILY_SIZE)))
    this.#forecast = new Forecast(part(FORECAST_SIZE), floats.subarray(HISTOGRAM_BUCKETS, DAILY_AT), { isSlow: options.isSlow === true, leastError: options.leastError })
    this.#reference = new LogHistogram(floats.subarray(0, HISTOGRAM_BUCKETS))
    this.#tail = this.#at(TAIL) > 0 ? { threshold: this.#at(TAIL), share: 1 - REFERENCE.tailFrom, scale: this.#at(TAIL + 1), shape: this.#at(TAIL + 2) } : undefined
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

  add(time: Milliseconds, value: number, count: number): boolean {
    const weight = this.#weight(count)
    if (weight === 0 || !Number.isFinite(value)) return this.isFiring
    const state = this.#state
    if (this.#at(LAST) !== 0 && time - this.#at(LAST) > GAP_MS) this.#afterGap()
    const x = toScale(this.#options.effect, value)
    const expected = this.#forecast.predict(time)
    state[SLICES] = this.slices + 1
    state[LAST] = time
    state[VALUE] = value
    this.#forecast.see(x)
    if (Number.isNaN(expected)) {
      state[EXPECTED] = x
      state[P] = 1
      this.#forecast.learn(x, time)
      return false
    }
    state[EXPECTED] = expected
    this.#judge(time, x - expected, weight * this.#ownWeight(expected))
    state[PREVIOUS] = x - expected
    if (!this.#isSuspicious) this.#forecast.learn(x, time)
    return this.isFiring
  }

  /** Quantiles of few requests vary more: their residuals count for less. 0 where they say nothing. */
  #weight(count: number): number {
    if (Number.isNaN(count)) return 1
    return count < GATES.quantileLeast ? 0 : Math.sqrt(Math.min(1, count / GATES.quantileRequests))
  }

  #ownWeight(expected: number): number {
    const { requestsPerUnit, effect } = this.#options
    return requestsPerUnit === undefined ? 1 : Math.sqrt(Math.min(1, Math.max(1, fromScale(effect, expected) * requestsPerUnit) / GATES.quantileRequests))
  }

  get #autocorrelation(): number {
    const variance = this.#at(VARIANCE)
    return variance > 0 ? Math.max(0, Math.min(FORECAST.autocorrelationMax, this.#at(COVARIANCE) / variance)) : 0
  }

  #judge(time: Milliseconds, residual: number, weight: number): void {
    const state = this.#state
    const spread = this.#forecast.spread
    // What is unusual does not explain what follows it: the residual before counts no further than usual ones reach.
    const before = Math.max(-spread, Math.min(spread, this.#at(PREVIOUS)))
    const innovation = (residual - this.#autocorrelation * before) * weight
    const scale = Math.max(this.#at(SCALE), this.#options.leastError / 4)
    const z = Math.abs(innovation) / scale
    const chance = this.#reference.total < LEAST_REFERENCE ? 1 : this.#chance(z)
    const worse = this.#options.effect.worse === 'up' ? innovation > 0 : innovation < 0
    // A change to the bad side is one of two.
    const p = worse ? Math.max(REFERENCE.leastP, chance / 2) : 1
    state[P] = p
    this.#noteSlice(p, residual)
    const log = this.#evidence.add(p, time)
    const effect = this.#effect(time, spread / NORMAL_Q90 / weight)
    state[EFFECT] = effect
    this.#gate(time, log, effect)
    this.#learnResidual({ residual, before, innovation, z, chance })
  }

  #chance(z: number): Ratio {
    const tail = this.#tail
    const p = tail !== undefined && z > tail.threshold ? Math.min(beyondTail(tail, z), tail.share) : this.#reference.beyond(z)
    return Math.max(REFERENCE.leastP, p)
  }

  #noteSlice(p: Ratio, residual: number): void {
    const state = this.#state
    state.copyWithin(LAST_P + 1, LAST_P, LAST_P + 2)
    state[LAST_P] = p
    state.copyWithin(RESIDUALS + 1, RESIDUALS, RESIDUALS + RESIDUALS_KEPT - 1)
    state[RESIDUALS] = this.#options.effect.worse === 'up' ? residual : -residual
  }

  /** By how much the change since the onset passes its floor. */
  #effect(time: Milliseconds, error: number): number {
    const since = Math.round((time - this.#evidence.onset) / SLICE_MS) + 1
    const count = Math.max(2, Math.min(RESIDUALS_KEPT, since))
    let sum = 0
    for (let index = 0; index < count; index += 1) sum += this.#at(RESIDUALS + index)
    const slack = Math.min(GATES.effectSlack, (GATES.effectErrors * error) / Math.sqrt(count))
    return effectOf(this.#options.effect, { expected: this.#at(EXPECTED), shift: sum / count, slack: this.#options.effect.scale === 'log' ? slack : GATES.effectSlack })
  }

  get #isPersistent(): boolean {
    let count = 0
    for (let index = 0; index < 3; index += 1) if (this.#at(LAST_P + index) < GATES.persistentP && this.#at(LAST_P + index) > 0) count += 1
    return count >= GATES.persistentOf3
  }

  #gate(time: Milliseconds, log: number, effect: number): void {
    const state = this.#state
    const isPersistent = this.#isPersistent
    if (this.isFiring) {
      // As far as it goes, so that the same at the same time tomorrow is none.
      this.#level.addDaily(log, time)
      const isCalm = this.#at(P) >= GATES.persistentP || effect < 0.5
      state[CALM] = isCalm ? this.#at(CALM) + 1 : 0
      if (this.#at(CALM) >= GATES.calmSlices) this.end()
      return
    }
    const isAlarm = this.slices >= JUDGE.learningSlices && isPersistent && effect >= 1 && log >= this.#threshold
    // Evidence of what would hardly matter is no alarm, and does not make alarms rarer.
    this.#level.add(isPersistent && effect > GATES.calibratedEffect ? log : 0, time)
    if (!isAlarm) return
    state[FIRING] = time
    state[ONSET] = this.#evidence.onset
    state[CALM] = 0
  }

  #learnResidual({ residual, before, innovation, z, chance }: { readonly residual: number; readonly before: number; readonly innovation: number; readonly z: number; readonly chance: number }): void {
    const state = this.#state
    this.#isSuspicious = this.isFiring || (chance < GATES.suspiciousP && this.slices >= JUDGE.learningSlices)
    state[FROZEN] = this.#isSuspicious ? this.#at(FROZEN) + 1 : Math.max(0, this.#at(FROZEN) - 1)
    if (this.#at(FROZEN) >= FREEZE_SLICES) {
      this.#rebase()
      return
    }
    // The tail is made of what is rare: a slice that is told to nobody belongs to it.
    if (!this.isFiring) {
      this.#reference.add(z)
      if (this.slices % REFERENCE.fitEvery === 0) this.#fit()
    }
    if (this.#isSuspicious) return
    const weight = Math.max(1 / FORECAST.autocorrelationSlices, 1 / (this.slices + 1))
    state[COVARIANCE] = this.#at(COVARIANCE) + weight * (residual * before - this.#at(COVARIANCE))
    state[VARIANCE] = this.#at(VARIANCE) + weight * (before * before - this.#at(VARIANCE))
    const known = this.#at(SCALE)
    const size = Math.abs(innovation)
    const step = FORECAST.quantileStep
    state[SCALE] = known === 0 ? Math.max(size, this.#options.leastError / 4) : known * Math.exp(size > known ? step * 0.9 : -step * 0.1)
  }

  #fit(): void {
    this.#reference.fade(FADE)
    const tail = fitTail(this.#reference)
    this.#tail = tail
    this.#state.set(tail === undefined ? [0, 0, 0] : [tail.threshold, tail.scale, tail.shape], TAIL)
  }

  /** What has lasted so long is how it is now. */
  #rebase(): void {
    this.#forecast.rebase(this.#at(LAST))
    this.#isSuspicious = false
    this.#state[FROZEN] = 0
    this.#state[PREVIOUS] = 0
    this.end()
  }

  #afterGap(): void {
    this.#state[PREVIOUS] = 0
    this.#state.fill(1, LAST_P, LAST_P + 3)
    if (!this.isFiring) this.#evidence.reset()
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
    this.#state.fill(1, LAST_P, LAST_P + 3)
    this.#evidence.reset()
  }

  get verdict(): Verdict {
    const { effect } = this.#options
    const expected = this.#at(EXPECTED)
    const reach = this.#reference.total < LEAST_REFERENCE ? Number.NaN : this.#reference.quantile(0.99) * Math.max(this.#at(SCALE), this.#options.leastError / 4)
    const statistic = this.#evidence.value
    return {
      time: this.#at(LAST),
      value: this.#at(VALUE),
      expected: fromScale(effect, expected),
      low: fromScale(effect, expected - reach),
      high: fromScale(effect, expected + reach),
      p: this.#at(P),
      statistic,
      threshold: this.#threshold,
      effect: this.#at(EFFECT),
      isFiring: this.isFiring,
      onset: this.#at(ONSET),
      model: this.#forecast.chosen,
      held: this.#held(statistic),
    }
  }

  #held(statistic: number): string {
    if (this.slices < JUDGE.learningSlices) return `${JUDGE.learningSlices - this.slices} slices are missing to know what is usual`
    if (this.isFiring || statistic < this.#threshold) return ''
    if (this.#at(EFFECT) < 1) return `the change is ${Math.round(this.#at(EFFECT) * 100)} % of what would matter`
    return this.#isPersistent ? '' : 'it does not last'
  }

  snapshot(): string {
    return packed(this.#state, this.#floats)
  }
}
