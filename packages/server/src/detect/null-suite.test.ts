// The null suite and the injected suite: simulated, and said to be. `npm run soak -- null-suite` runs the long form of both by what this file
// exports; here stands the short one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BEGIN, Chance, DAY_SLICES, injectedService, NULLS, type NullSeries } from './fixture.test.ts'
import { PARAMETER_SET, SLICE_MS } from './parameters.ts'
import { type DetectorScore, scoreRecording, scoreTables } from './score.ts'
import { WatchedSeries } from './series.ts'
import { WatchedService } from './service.ts'
import { seriesKey } from './slices.ts'
import { signalOf } from './signals.ts'
import { RobustZ, type SimpleDetector, StaticSigma } from './simple-detectors.ts'

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

class Counter {
  episodes = 0
  firingSlices = 0
  #was = false

  /** @returns whether an episode began */
  note(is: boolean, isCounted: boolean): boolean {
    const began = is && !this.#was
    this.#was = is
    if (!isCounted) return false
    if (began) this.episodes += 1
    if (is) this.firingSlices += 1
    return began
  }
}

/** Runs one series for some weeks after its history. */
export function runNull(series: NullSeries, weeks: number, seed: number): NullResult {
  const next = series.make(new Chance(seed))
  const signal = signalOf(series.signal)
  const id = { service: 'null', environment: '', signal: series.signal, key: '' }
  const watched = new WatchedSeries(id)
  const service = new WatchedService(id, { externalUrl: '', slowLimit: () => 1 })
  service.series.set(seriesKey(id), watched)
  const peers: readonly [Counter, SimpleDetector][] = [
    [new Counter(), new StaticSigma(signal.effect?.worse ?? 'up')],
    [new Counter(), new RobustZ(signal.effect?.worse ?? 'up')],
  ]
  const [ours, pages, alerts] = [new Counter(), new Counter(), new Counter()]
  let trusted = 0
  const from = HISTORY_DAYS * DAY_SLICES
  const total = from + weeks * 7 * DAY_SLICES
  for (let slice = 0; slice < total; slice += 1) {
    const [value, count] = next(slice)
    const isCounted = slice >= from
    const time = BEGIN + slice * SLICE_MS
    const { state } = watched
    watched.take(time, value, count)
    if (ours.note(watched.episode !== undefined, isCounted) && state === 'page') trusted += 1
    service.conclude(time)
    service.takeEnded()
    pages.note(service.open?.action === 'page', isCounted)
    alerts.note(service.open !== undefined, isCounted)
    const plain = signal.points === undefined ? value : count > 0 ? value / count : Number.NaN
    for (const [counter, detector] of peers) counter.note(detector.add(plain), isCounted)
  }
  const [sigma, robust] = peers.map(([{ episodes, firingSlices }]) => ({ episodes, firingSlices }))
  const none = { episodes: 0, firingSlices: 0 }
  return { name: series.name, weeks, slices: total - from, ours: { episodes: ours.episodes, firingSlices: ours.firingSlices }, trusted, paged: pages.episodes, told: alerts.episodes, sigma: sigma ?? none, robust: robust ?? none, state: watched.state }
}

/** Runs the whole null suite, each series `repeats` times with another seed. */
export function runNullSuite(weeks: number, repeats: number, told: (result: NullResult) => void = () => undefined): NullResult[] {
  return NULLS.flatMap((series, index) =>
    Array.from({ length: repeats }, (_, repeat) => {
      const result = runNull(series, weeks, 1000 * index + repeat + 1)
      told(result)
      return result
    }),
  )
}

/** Runs the injected suite at several loads. */
async function runInjectedSuite(rounds: number, rates: readonly number[] = [0.5, 2, 20]): Promise<readonly { readonly rate: number; readonly scores: readonly DetectorScore[] }[]> {
  const results: { rate: number; scores: readonly DetectorScore[] }[] = []
  for (const [index, rate] of rates.entries()) results.push({ rate, scores: await scoreRecording(injectedService('shop', { rate, days: 8, rounds, seed: 77 + index })) })
  return results
}

/** The injected suite as tables in Markdown, and the name of the constants it was made with. */
export async function injectedTables(rounds: number): Promise<{ readonly text: string; readonly parameters: string }> {
  const results = await runInjectedSuite(rounds)
  return { text: results.map(({ rate, scores }) => `#### ${rate} requests a second\n\n${scoreTables(scores)}`).join('\n'), parameters: PARAMETER_SET }
}

/** The tests stand only where the runner of tests has loaded this, not where the soak has. */
if (process.env['NODE_TEST_CONTEXT'] !== undefined) {
  test('short form: where nothing is wrong, series that may page hardly ever would (simulated)', { timeout: 300_000 }, () => {
    const results = NULLS.map((series, index) => runNull(series, 1, 1000 * index + 1))
    const told = results.map(({ name, ours, paged, state }) => `${name}: ${ours.episodes} alarms, ${paged} pages, ${state}`).join('\n')
    const weeks = results.reduce((sum, each) => sum + each.weeks, 0)
    // The long form holds the goal of 0.05; so few weeks can show no more than this.
    assert.ok(results.reduce((sum, each) => sum + each.paged, 0) / weeks <= 0.15, told)
    const peers = results.reduce((sum, each) => sum + each.robust.episodes, 0)
    assert.ok(peers > 10 * Math.max(1, results.reduce((sum, each) => sum + each.ours.episodes, 0)), `${peers} of robust z\n${told}`)
  })

  test('short form: faults that matter are found within five minutes and hardly anything else is (simulated)', { timeout: 300_000 }, async () => {
    const [{ scores } = { scores: [] }] = await runInjectedSuite(2, [5])
    const [pages] = scores
    assert.ok(pages)
    const told = [...pages.byFault].map(([fault, { hits, of }]) => `${fault}: ${hits} of ${of}`).join('\n')
    assert.ok(pages.recall.share >= 0.85, told)
    assert.ok(pages.precision.share >= 0.95, `${pages.precision.hits} of ${pages.precision.of}`)
    assert.ok(pages.delayP50 <= 60_000, `${pages.delayP50}`)
  })
}
