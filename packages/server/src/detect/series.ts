import type { DetectorState, Milliseconds } from '@andon/model'
import type { Detector, Verdict } from './detector.ts'
import { JUDGE, SLICE_MS } from './parameters.ts'
import { publicId } from './slices.ts'
import { type Signal, signalOf, type SeriesId } from './signals.ts'

/** A time in which a series alarmed. */
export interface Episode {
  /** The end of the slice in which it was found. */
  readonly start: Milliseconds
  /** Undefined while it lasts. */
  end: Milliseconds | undefined
  readonly onset: Milliseconds
  /** ln of the greatest evidence. */
  peak: number
  /** Another family of the service alarmed with it, or a person called it real: no false alarm. */
  isExplained: boolean
}

/** What is kept of a series. */
export interface SeriesDoc {
  readonly id: SeriesId
  /** The end of the last slice it knows. */
  readonly until: Milliseconds
  readonly firstSeen: Milliseconds
  readonly judgedAt: Milliseconds
  readonly because: string
  readonly episodes: readonly Episode[]
  readonly numbers: string
}

const EPISODES_KEPT = 24
const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
const days = (ms: Milliseconds): string => `${(ms / 86_400_000).toFixed(1)} days`

/**
 * One series, its detector, and how far it is trusted: learning until it knows what is usual, silent until its own last seven days say how often it
 * would have been wrong, and then ticket or page, or silent again.
 */
export class WatchedSeries {
  readonly id: SeriesId
  readonly publicId: string
  readonly signal: Signal
  readonly #detector: Detector
  readonly #episodes: Episode[]
  #state: DetectorState
  #because: string
  #firstSeen: Milliseconds
  #judgedAt: Milliseconds
  #until: Milliseconds

  /** @param kept - as `doc` and `state` gave it */
  constructor(id: SeriesId, kept?: { readonly state: DetectorState; readonly doc: SeriesDoc }) {
    this.id = id
    this.publicId = publicId(id)
    this.signal = signalOf(id.signal)
    this.#detector = this.signal.detector(kept?.doc.numbers)
    const isKnown = kept !== undefined && this.#detector.slices > 0
    this.#episodes = isKnown ? kept.doc.episodes.map((each) => ({ ...each })) : []
    this.#state = isKnown ? kept.state : 'learning'
    this.#because = isKnown ? kept.doc.because : 'it has just been seen'
    this.#firstSeen = isKnown ? kept.doc.firstSeen : 0
    this.#judgedAt = isKnown ? kept.doc.judgedAt : 0
    this.#until = isKnown ? kept.doc.until : 0
  }

  get state(): DetectorState {
    return this.#state
  }

  get because(): string {
    return this.#because
  }

  get until(): Milliseconds {
    return this.#until
  }

  get firstSeen(): Milliseconds {
    return this.#firstSeen
  }

  get slices(): number {
    return this.#detector.slices
  }

  get verdict(): Verdict {
    return this.#detector.verdict
  }

  get episodes(): readonly Episode[] {
    return this.#episodes
  }

  /** The episode that lasts. */
  get episode(): Episode | undefined {
    const last = this.#episodes.at(-1)
    return last?.end === undefined ? last : undefined
  }

  /**
   * Takes the slice that begins at a time; one that it knows already is left out.
   *
   * @returns what has changed with it
   */
  take(time: Milliseconds, value: number, count: number): 'began' | 'ended' | undefined {
    const end = time + SLICE_MS
    if (end <= this.#until) return undefined
    if (Number.isNaN(value)) return this.#missing(end)
    if (this.#firstSeen === 0) this.#firstSeen = time
    this.#until = end
    const was = this.#detector.isFiring
    const is = this.#detector.add(time, value, count)
    const { episode } = this
    if (is && !was) {
      const { onset, statistic } = this.#detector.verdict
      this.#episodes.push({ start: end, end: undefined, onset, peak: statistic, isExplained: false })
      if (this.#episodes.length > EPISODES_KEPT) this.#episodes.shift()
      return 'began'
    }
    if (is && episode !== undefined) episode.peak = Math.max(episode.peak, this.#detector.verdict.statistic)
    return was && !is ? this.#ended(end) : undefined
  }

  /** Silence is no recovery; but of what has been silent for long nothing is known. */
  #missing(end: Milliseconds): 'ended' | undefined {
    if (this.episode === undefined || end - this.#until < JUDGE.silenceMs) return undefined
    this.#detector.end()
    return this.#ended(end)
  }

  #ended(end: Milliseconds): 'ended' | undefined {
    const { episode } = this
    if (episode === undefined) return undefined
    episode.end = end
    return 'ended'
  }

  /** Another family agrees, or it was told: what it sees now is an incident. */
  explain(time: Milliseconds, isExplained: boolean): void {
    this.#detector.exclude(time)
    if (isExplained && this.episode !== undefined) this.episode.isExplained = true
  }

  /** What a person says of the episodes of a time: real ones do not count against the series, false ones do. */
  review(start: Milliseconds, end: Milliseconds, isReal: boolean): void {
    for (const each of this.#episodes) if (each.start < end && (each.end ?? Number.POSITIVE_INFINITY) > start) each.isExplained = isReal
    this.#judgedAt = 0
  }

  /**
   * Decides how far it is to be trusted, where that is due: by what its detector did in the last seven days, at the threshold of now.
   *
   * @returns whether that has changed
   */
  judge(now: Milliseconds): boolean {
    if (now - this.#judgedAt < JUDGE.everyMs && this.#state !== 'learning') return false
    this.#judgedAt = now
    const [state, because] = this.#judged(now)
    const hasChanged = state !== this.#state
    this.#state = state
    this.#because = because
    return hasChanged
  }

  #judged(now: Milliseconds): [state: DetectorState, because: string] {
    const slices = this.#detector.slices
    if (slices < JUDGE.learningSlices) return ['learning', `it has ${slices} of the ${JUDGE.learningSlices} slices from which it knows what is usual`]
    const known = now - this.#firstSeen
    // A slice more or less, and an outage, are no reason to wait.
    if (known < JUDGE.backtestMs - JUDGE.everyMs) return ['silent', `its history is ${days(known)} long; ${days(JUDGE.backtestMs)} are needed to say how often it would be wrong`]
    const share = slices / (known / SLICE_MS)
    if (share < JUDGE.backtestShare) return ['silent', `it has data for ${Math.round(share * 100)} % of its history only`]
    const { threshold } = this.#detector.verdict
    const wrong = this.#episodes.filter((each) => each.start > now - JUDGE.backtestMs && !each.isExplained && each.peak >= threshold).length
    const told = `in its last ${days(JUDGE.backtestMs)} it would have been wrong ${wrong === 0 ? 'never' : plural(wrong, 'time')}`
    if (wrong <= JUDGE.pageEpisodes) return ['page', told]
    return wrong <= JUDGE.ticketEpisodes ? ['ticket', told] : ['silent', told]
  }

  /** What is kept of it. */
  doc(): SeriesDoc {
    return { id: this.id, until: this.#until, firstSeen: this.#firstSeen, judgedAt: this.#judgedAt, because: this.#because, episodes: this.#episodes, numbers: this.#detector.snapshot() }
  }
}
