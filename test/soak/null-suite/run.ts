// Runs the null suite and the injected suite: simulated, and said to be.
import { Chance } from '@andon/bench'
import { Watch } from '@andon/server'
import { contestants } from '../scoring/contestants.ts'
import { type Score, score } from '../scoring/score.ts'
import { RobustZ, type SimpleDetector, StaticSigma, type Worse } from '../scoring/simple-detectors.ts'
import { STEP_MS } from '../scoring/stretch.ts'
import { injectedService } from './injected.ts'
import { BEGIN, DAY_SLICES, NULLS, type NullSeries } from './null-series.ts'

/** What a detector did with one series in which nothing is wrong. */
export interface NullCount {
  readonly episodes: number
  readonly firingSlices: number
}

export interface NullResult {
  readonly name: string
  readonly weeks: number
  /** Slices that were judged. */
  readonly slices: number
  /** Every alarm of the detector, trusted or not. */
  readonly ours: NullCount
  /** Alarms while the series was in the state page. */
  readonly trusted: number
  /** Alerts of the pipeline, of a service that has this one series: critical ones, and all. */
  readonly paged: number
  readonly told: number
  readonly sigma: NullCount
  readonly robust: NullCount
  /** In which state the series ended. */
  readonly state: string
}

/** Days of history before anything is counted. */
const HISTORY_DAYS = 8

class Counter implements NullCount {
  episodes = 0
  firingSlices = 0
  #was = false

  note(is: boolean, isCounted: boolean): void {
    const began = is && !this.#was
    this.#was = is
    if (!isCounted) return
    if (began) this.episodes += 1
    if (is) this.firingSlices += 1
  }
}

/** Counts what a peer does. */
class Peer extends Counter {
  readonly #detector: SimpleDetector

  constructor(detector: SimpleDetector) {
    super()
    this.#detector = detector
  }

  take(value: number, isCounted: boolean): void {
    this.note(this.#detector.add(value), isCounted)
  }
}

/** Runs one series for some weeks after its history. */
export async function runNull({ name, signal, make }: NullSeries, weeks: number, seed: number): Promise<NullResult> {
  const next = make(new Chance(seed))
  const watch = new Watch({ externalUrl: '', maxSeries: 1, facts: () => ({ slowLimit: 1, isFromSpans: false }) })
  const one = { id: { service: 'null', environment: '', signal, key: '' }, values: new Float64Array(1), counts: new Float64Array(1) }
  const worse: Worse = signal === 'throughput' ? 'down' : 'up'
  const isShare = signal === 'errors' || signal === 'slow'
  const [ours, pages, alerts, sigma, robust] = [new Counter(), new Counter(), new Counter(), new Peer(new StaticSigma(worse)), new Peer(new RobustZ(worse))]
  let trusted = 0
  const from = HISTORY_DAYS * DAY_SLICES
  const total = from + weeks * 7 * DAY_SLICES
  for (let slice = 0; slice < total; slice += 1) {
    const isCounted = slice >= from
    const [value, count] = next(slice)
    one.values[0] = value
    one.counts[0] = count
    const { series: changes } = await watch.take({ start: BEGIN + slice * STEP_MS, count: 1, series: [one] })
    if (isCounted && changes.some(({ what, state }) => what === 'began' && state === 'page')) trusted += 1
    const [watched] = watch.series
    const open = watch.open()
    ours.note(watched?.episode !== undefined, isCounted)
    pages.note(open.some(({ labels }) => labels['severity'] === 'critical'), isCounted)
    alerts.note(open.length > 0, isCounted)
    const plain = isShare ? (count > 0 ? value / count : Number.NaN) : value
    for (const peer of [sigma, robust]) peer.take(plain, isCounted)
  }
  const [watched] = watch.series
  return { name, weeks, slices: total - from, ours, trusted, paged: pages.episodes, told: alerts.episodes, sigma, robust, state: watched?.state ?? '' }
}

/** Runs the whole null suite, each series `repeats` times with another seed. */
export async function runNullSuite(weeks: number, repeats: number, told: (result: NullResult) => void): Promise<readonly NullResult[]> {
  const results: NullResult[] = []
  for (const [index, series] of NULLS.entries()) {
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      const result = await runNull(series, weeks, 1000 * index + repeat + 1)
      told(result)
      results.push(result)
    }
  }
  return results
}

/** Runs the injected suite at several loads, each scored by itself. */
export async function runInjectedSuite(rounds: number, rates: readonly number[] = [0.5, 2, 20]): Promise<readonly { readonly rate: number; readonly scores: readonly Score[] }[]> {
  const results: { rate: number; scores: readonly Score[] }[] = []
  for (const [index, rate] of rates.entries()) {
    const stretch = injectedService({ rate, days: HISTORY_DAYS, rounds, seed: 77 + index })
    const scores: Score[] = []
    for (const detector of contestants()) scores.push(await score(detector, [stretch]))
    results.push({ rate, scores })
  }
  return results
}
