// One objective's fast alarm, slice by slice: a pure function of what came before.
import { ECUSUM_START, ecusumEvidence, ecusumOnset, type EcusumState, ecusumStep, ecusumValue, type Milliseconds, type Ratio, type Slice, slicesPerYear } from '@andon/model'
import { type BackgroundState, dispersionOf, learn, NOTHING_LEARNED, toleratedShare } from './background.ts'

export const SLICE_MS: Milliseconds = 15_000
/** An alarm at this value is false once a year at most. */
export const ALARM: number = slicesPerYear(SLICE_MS)
/** Above it nothing is learned of what is normal. */
const SUSPICIOUS = 20
/** But not for longer: what has been so for hours is how this service is, and the windows of the budget tell of it. */
const FROZEN_MS: Milliseconds = 4 * 3_600_000
/** An alarm ends when over so long, and over so many, no more than what is tolerated was bad. */
const WELL_MS: Milliseconds = 300_000
const WELL_N = 20
const WELL_MS_MAX: Milliseconds = 3_600_000

/** What must be kept to go on after a restart. */
export interface DetectionState {
  readonly ecusum: EcusumState
  readonly background: BackgroundState
  /** While the alarm lasts: when it was raised, and when what is wrong is estimated to have begun. */
  readonly alarm: { readonly at: Milliseconds; readonly onset: Milliseconds } | undefined
  /** Slices with data since the alarm was raised, the newest of them; empty without an alarm. */
  readonly recent: readonly Slice[]
  /** Since when nothing is learned; undefined where all looks well. */
  readonly frozenSince: Milliseconds | undefined
}

export const DETECTION_START: DetectionState = { ecusum: ECUSUM_START, background: NOTHING_LEARNED, alarm: undefined, recent: [], frozenSince: undefined }

/** Drops the oldest slices that are not needed to know that all is well. */
function trimmed(recent: readonly Slice[], now: Milliseconds): Slice[] {
  let first = 0
  let rest = recent.reduce((sum, { n }) => sum + n, 0)
  for (;;) {
    const { time = now, n = 0 } = recent[first] ?? {}
    const isOld = now - time > WELL_MS_MAX
    const isSpare = now - time > WELL_MS && rest - n >= WELL_N
    if (first >= recent.length || !(isOld || isSpare)) return recent.slice(first)
    rest -= n
    first += 1
  }
}

function isWell(recent: readonly Slice[], p0: Ratio, now: Milliseconds): boolean {
  const [n, bad] = recent.reduce(([sum, worse], slice) => [sum + slice.n, worse + slice.bad], [0, 0])
  const span = now - (recent[0]?.time ?? now)
  return span >= WELL_MS && bad <= p0 * n && (n >= WELL_N || span >= WELL_MS_MAX - SLICE_MS)
}

/**
 * One more slice. Slices of which nothing was counted change nothing: what is not known neither raises an alarm nor ends one.
 *
 * @param budget - the share that may be bad
 */
export function detectionStep(state: DetectionState, slice: Slice, budget: Ratio): DetectionState {
  if (!(slice.n > 0)) return state
  const p0 = toleratedShare(state.background, budget)
  const end = slice.time + SLICE_MS
  const ecusum = ecusumStep(state.ecusum, slice, { p0, dispersion: dispersionOf(state.background) }, { alarm: ALARM })
  const isSuspicious = state.alarm !== undefined || ecusumEvidence(ecusum) > SUSPICIOUS
  const frozenSince = isSuspicious ? (state.frozenSince ?? slice.time) : undefined
  const background = frozenSince === undefined || slice.time - frozenSince > FROZEN_MS ? learn(state.background, slice, budget) : state.background
  if (state.alarm !== undefined) {
    const recent = trimmed([...state.recent, slice], end)
    if (isWell(recent, p0, end)) return { ecusum: ECUSUM_START, background, alarm: undefined, recent: [], frozenSince: undefined }
    return { ecusum, background, alarm: state.alarm, recent, frozenSince }
  }
  if (ecusumValue(ecusum) >= ALARM) return { ecusum, background, alarm: { at: end, onset: ecusumOnset(ecusum) ?? slice.time }, recent: [], frozenSince: frozenSince ?? slice.time }
  return { ecusum, background, alarm: undefined, recent: [], frozenSince }
}

/** When what now looks wrong is estimated to have begun; undefined where nothing does. */
export function onsetOf({ alarm, ecusum }: DetectionState): Milliseconds | undefined {
  return alarm?.onset ?? ecusumOnset(ecusum)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const numbers = (value: unknown): number[] => (Array.isArray(value) ? value.map((each: unknown) => (typeof each === 'number' ? each : Number.NaN)) : [])

function readBackground(value: unknown): BackgroundState {
  if (!isRecord(value)) return NOTHING_LEARNED
  const blocks = numbers(value['blocks']).filter(Number.isFinite)
  const [slices = 0, n = 0, k = 0, kk = 0, kn = 0, nn = 0] = numbers(value['sums']).map((each) => (Number.isFinite(each) ? each : 0))
  const open = isRecord(value['open']) ? value['open'] : {}
  const whole = (key: string): number => (typeof open[key] === 'number' ? open[key] : 0)
  return { blocks, open: { n: whole('n'), bad: whole('bad'), slices: whole('slices') }, sums: [slices, n, k, kk, kn, nn] }
}

/** A state as it was kept as JSON; what cannot be read begins anew. */
export function readDetection(value: unknown): DetectionState {
  if (!isRecord(value)) return DETECTION_START
  const { ecusum, alarm, recent } = value
  const logs = isRecord(ecusum) ? numbers(ecusum['logs']) : []
  const sums = isRecord(ecusum) ? numbers(ecusum['sums']) : []
  const since = isRecord(ecusum) && Array.isArray(ecusum['since']) ? ecusum['since'].map((each: unknown) => (typeof each === 'number' ? each : undefined)) : []
  const isWhole = logs.length === ECUSUM_START.logs.length && since.length === logs.length && sums.length === logs.length && [...logs, ...sums].every(Number.isFinite)
  const slices = (Array.isArray(recent) ? recent : []).flatMap((each: unknown): Slice[] => {
    if (!isRecord(each)) return []
    const { time, n, bad } = each
    return typeof time === 'number' && typeof n === 'number' && typeof bad === 'number' ? [{ time, n, bad }] : []
  })
  const raised = isRecord(alarm) && typeof alarm['at'] === 'number' && typeof alarm['onset'] === 'number' ? { at: alarm['at'], onset: alarm['onset'] } : undefined
  const frozen = value['frozenSince']
  return { ecusum: isWhole ? { sums, logs, since } : ECUSUM_START, background: readBackground(value['background']), alarm: raised, recent: slices, frozenSince: typeof frozen === 'number' ? frozen : undefined }
}
