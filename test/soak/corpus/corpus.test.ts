// The short form of `npm run soak -- corpus` and `npm run soak -- score`: a simulated recording goes through all of it, and a
// minute of the real programs shows that what is recorded is there.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { root } from '../../repository/root.ts'
import { type Detector, episodes, robustZ, staticThreeSigma } from '../scoring/detectors.ts'
import { hasEffect } from '../scoring/effect.ts'
import { counts, score } from '../scoring/score.ts'
import { isDisturbed, STEP_MS, type Stretch } from '../scoring/stretch.ts'
import { INJECTIONS, LOADS, planOf } from './plan.ts'
import { increases, readSlices } from './queries.ts'
import { recordPiece } from './record.ts'
import { append, laneOf, readLanes, readManifest, readRecording, RECORDED, type Recording } from './recording.ts'
import { load } from './replay.ts'
import { corpusReport } from './report.ts'
import { SimulatedClock, SimulatedStand } from './simulated.ts'
import { Stand } from './stand.ts'

const START = Date.parse('2026-11-28T00:00:07Z')

test('the plan is the same for the same seed, and holds each fault at each strength under each load once', () => {
  const plan = planOf(1)
  assert.deepEqual(plan, planOf(1))
  assert.notDeepEqual(plan, planOf(2))
  const expected = LOADS.flatMap((each) => INJECTIONS.flatMap(([fault, ...strengths]) => strengths.map((strength) => `${fault} ${strength} ${each}`)))
  assert.deepEqual(plan.map(({ fault, strength, load: rate }) => `${fault} ${strength} ${rate}`).toSorted(), expected.toSorted())
  assert.deepEqual(plan.map(({ index }) => index), plan.map((_, index) => index))
  assert.equal(plan.filter(({ part }) => part === 'tuning').length, 18)
})

test('counters are told apart by slice: silent, new and reset ones too', () => {
  assert.deepEqual(increases([[0, 5], [1, 7], [2, 7], [3, 10]], 3), [2, 0, 3])
  assert.deepEqual(increases([[2, 4], [3, 6]], 3), [0, 4, 2])
  assert.deepEqual(increases([[0, 5], [1, 6], [4, 9]], 4), [1, 0, 0, 3])
  assert.deepEqual(increases([[0, 5], [1, 8], [2, 1]], 2), [3, 1])
})

test('a recording goes on where it ended, and nowhere else', () => {
  const one: Recording = { format: 1, stepMs: STEP_MS, start: 15_000, slices: 1, series: [{ name: 'a', unit: '1', labels: {}, values: [1] }] }
  const two: Recording = { ...one, start: 30_000, series: [{ name: 'b', unit: 's', labels: { x: 'y' }, histograms: [[1, 2, 3, 1]] }] }
  assert.deepEqual(append(one, two).series.map(({ values, histograms }) => values ?? histograms), [[1, null], [null, [1, 2, 3, 1]]])
  assert.throws(() => append(one, { ...two, start: 45_000 }), /go on where it ended/)
})

/** Fires in every slice, or never. */
const constant = (name: string, fires: boolean): Detector => ({ name, judge: (stretch) => stretch.tracks.flatMap(({ key }) => episodes(stretch, key, () => fires)) })
/** Knows the truth: one page 30 s after each fault began. */
const oracle: Detector = { name: 'oracle', judge: ({ truth }) => truth.map(({ start }) => ({ track: 'errors', start: Math.ceil(start / STEP_MS) * STEP_MS + 2 * STEP_MS, end: start + 60_000 })) }

const RUN = 20
const runAt = ({ tracks }: Stretch, from: number): string => JSON.stringify(tracks.map(({ key, values }) => [key, ...values.subarray(from, from + RUN)]))

/** The runs that history is put together of. */
function historyOf(stretch: Stretch): string[] {
  return Array.from({ length: stretch.history / RUN }, (_, index) => runAt(stretch, index * RUN))
}

/** The runs of what was recorded in which nothing was wrong. */
function quietOf(stretch: Stretch): ReadonlySet<string> {
  const { start, slices, history, truth } = stretch
  const isQuiet = (from: number): boolean => Array.from({ length: RUN }, (_, index) => start + (from + index) * STEP_MS).every((end) => !isDisturbed(end, truth))
  const runs = Array.from({ length: Math.floor((slices - history) / RUN) }, (_, index) => history + index * RUN)
  return new Set(runs.filter(isQuiet).map((from) => runAt(stretch, from)))
}

/** Every run of history is one of a recording under the same load, of a time in which nothing was wrong. */
function assertHistoryIsQuiet(stretches: readonly Stretch[]): void {
  for (const stretch of stretches) {
    const quiet = stretches.filter((other) => other.load === stretch.load).map(quietOf)
    for (const run of historyOf(stretch)) assert.ok(quiet.some((runs) => runs.has(run)), stretch.name)
  }
}

test('what is recorded in pieces is replayed and scored', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'andon-corpus-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const clock = new SimulatedClock(START)
  const stands: SimulatedStand[] = []
  const piece = (minutes: number): ReturnType<typeof recordPiece> =>
    recordPiece({
      folder,
      minutes,
      faultMinutes: 5,
      settleMinutes: 3,
      seed: 1,
      machine: 'a simulated machine',
      note: 'simulated',
      signal: new AbortController().signal,
      clock,
      start: async ({ load: rate }) => {
        const stand = await SimulatedStand.start(clock, rate)
        stands.push(stand)
        return stand
      },
    })
  const first = await piece(250)
  const again = await piece(350)
  const plan = planOf(1)
  assert.ok(first.next > 10 && again.next > first.next + 15, `${first.next}, ${again.next}`)
  assert.deepEqual(readManifest(folder), again)
  assert.ok(stands.every(({ stopped }) => stopped))
  // Every fault of the plan up to there, once and in order; a piece that is too short records nothing.
  const truth = again.segments.flatMap(({ faults }) => faults)
  assert.deepEqual(truth.map(({ index, fault, strength }) => [index, fault, strength]), plan.slice(0, again.next).map(({ index, fault, strength }) => [index, fault, strength]))
  assert.deepEqual(await piece(5), again)
  for (const { file, start, end, faults, load: rate, part } of again.segments) {
    const { slices, start: firstEnd } = readRecording(folder, file)
    assert.deepEqual([firstEnd, slices], [start + STEP_MS, (end - start) / STEP_MS])
    for (const fault of faults) assert.ok(fault.start - start > 5 * 60_000 && end - fault.end > 4 * 60_000 && fault.end - fault.start === 300_000)
    assert.deepEqual(new Set(faults.map(({ index }) => `${plan[index]?.load} ${plan[index]?.part}`)), new Set([`${rate} ${part}`]))
  }

  const stretches = load(folder, again, 12)
  // Only what the simulation knows has an effect; a little of it at a low rate may not show.
  for (const stretch of stretches) {
    for (const fault of stretch.truth) {
      const name = `${fault.fault} ${fault.strength} at ${stretch.load}/s`
      if (/^(?:errors 0\.[15]|latency [25]|dropped-connections)/.test(name)) assert.ok(hasEffect(stretch, fault), name)
      if (!/^(?:errors|latency|dropped)/.test(name)) assert.ok(!hasEffect(stretch, fault), name)
    }
  }
  assert.ok(stretches.every(({ history, slices, tracks }) => history === 12 * 240 && tracks.every(({ values, histograms, counts: all, failed }) => values.length === slices && [histograms, all, failed].every((list) => list === undefined || list.length === slices))))
  assertHistoryIsQuiet(stretches)

  const seen = await score(oracle, stretches)
  assert.ok(seen.found.length === truth.length && seen.found.every(({ delayMs = Infinity }) => delayMs >= 30_000 && delayMs <= 45_000))
  assert.deepEqual([seen.falseIncidents, seen.firing, seen.placeboHits, seen.trueIncidents], [0, 0, 0, truth.length])
  const blind = await score(constant('blind', false), stretches)
  assert.ok(blind.found.every(({ delayMs }) => delayMs === undefined) && blind.falseIncidents + blind.trueIncidents === 0)
  // Who always fires finds nothing new, and all its evaluations are false.
  const crying = await score(constant('crying', true), stretches)
  assert.ok(crying.found.every(({ delayMs }) => delayMs === undefined) && crying.firing === crying.evaluations && crying.evaluations > 0)

  const z = await score(robustZ, stretches)
  const large = z.found.filter(({ fault: { fault, strength } }) => fault === 'latency' && strength >= 2)
  assert.ok(large.length > 0 && large.every(({ delayMs }) => delayMs !== undefined), 'robust z misses latency × 2 or × 5')
  const sigma = await score(staticThreeSigma, stretches)
  assert.ok(sigma.found.filter(counts).some(({ delayMs }) => delayMs !== undefined))

  const report = corpusReport({ manifest: again, historyHours: 12, scores: { proof: [seen, z], tuning: [sigma] }, machine: 'a machine' })
  assert.match(report, new RegExp(`${truth.length} faults in [\\d.]+ hours`))
  assert.match(report, /\| oracle \| (\d+) of \1: 100\.0 % \([\d.]+ % to 100\.0 %\) \| \d+ s \/ \d+ s \| (\d+) of \2: 100\.0 %/)
  assert.match(report, /Latency × 1\.3, below the floor: /)
})

test('loads are recorded apart and read as one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'andon-lanes-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const rate of [5, 2]) {
    const clock = new SimulatedClock(START)
    await recordPiece({ folder: laneOf(folder, rate), load: rate, minutes: 100, faultMinutes: 5, settleMinutes: 3, seed: 1, machine: 'a simulated machine', note: 'simulated', signal: new AbortController().signal, clock, start: async (options) => await SimulatedStand.start(clock, options.load) })
  }
  const manifest = readLanes(folder, LOADS)
  for (const rate of [5, 2]) {
    const truth = manifest.segments.filter(({ load: each }) => each === rate).flatMap(({ faults }) => faults)
    const expected = planOf(1).filter(({ load: each }) => each === rate).slice(0, truth.length)
    assert.ok(truth.length >= 5)
    assert.deepEqual(truth.map(({ index, fault, strength }) => [index, fault, strength]), expected.map(({ index, fault, strength }) => [index, fault, strength]))
  }
  assert.deepEqual(new Set(load(folder, manifest, 1).map((stretch) => stretch.load)), new Set([5, 2]))
})

test('what lies in the repository can be read, and is small', () => {
  for (const { file, start, end } of readLanes(RECORDED, LOADS).segments) {
    const recording = join(RECORDED, file)
    assert.equal(readRecording(RECORDED, file).slices, (end - start) / STEP_MS)
    assert.ok(statSync(recording).size < 5_000_000, recording)
  }
})

test('a minute of the real programs: every series is there, and a fault shows in it', { timeout: 400_000 }, async (t) => {
  const stand = await Stand.start({ load: 15, seed: 1 })
  t.after(() => stand.stop())
  await wait(8000)
  const start = Math.floor(Date.now() / STEP_MS) * STEP_MS
  await wait(Math.max(0, start + STEP_MS - Date.now()) + 500)
  await stand.setFaults({ errors: 0.5, latency: 4 }, 25)
  await wait(Math.max(0, start + 3 * STEP_MS + 12_000 - Date.now()))
  const recording = await readSlices(stand.andon, 'kanban', start, start + 3 * STEP_MS)
  assert.equal(stand.broken, undefined)
  const names = new Set(recording.series.map(({ name, labels }) => (labels['edge'] === undefined ? name : `${name} ${labels['edge']}`)))
  for (const name of ['requests', 'latency', 'route.latency', 'edge.latency postgresql', 'edge.latency 127.0.0.1', 'pool.wait', 'cpu', 'cpu.utilization', 'loop.p99', 'loop.utilization', 'heap.used', 'pool.used', 'pool.max', 'pool.pending', 'machine.cpu', 'cache', 'operations']) assert.ok(names.has(name), `${name} is missing in ${[...names].join(', ')}`)
  const requests = recording.series.filter(({ name }) => name === 'requests')
  const sum = (list: typeof requests, from: number, to: number): number => list.reduce((all, { values = [] }) => all + values.slice(from, to).reduce<number>((some, value) => some + (value ?? 0), 0), 0)
  const failed = requests.filter(({ labels }) => labels['status'] === '500')
  // On a busy machine one may fail by itself.
  assert.ok(sum(failed, 0, 1) < 0.05 * sum(requests, 0, 1))
  const [bad, all] = [sum(failed, 1, 3), sum(requests, 1, 3)]
  assert.ok(all > 100 && bad / all > 0.2 && bad / all < 0.7, `${bad} of ${all}`)
  const total = recording.series.find(({ name }) => name === 'latency')?.histograms ?? []
  assert.equal(total.reduce((count, slice) => count + (slice?.[0] ?? 0), 0), sum(requests, 0, 3))
})

test('the plan names faults that the kanban has', async () => {
  const { readFile } = await import('node:fs/promises')
  const catalogue = await readFile(join(root, 'apps/kanban/src/fault-catalogue.ts'), 'utf8')
  for (const [fault] of INJECTIONS) assert.ok(catalogue.includes(`'${fault}',`), fault)
})
