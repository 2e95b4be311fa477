// Who reports, when each was last heard, and who has fallen silent.
import { type Labels, labelsKey, median, type Milliseconds } from '@andon/model'

/** Somebody who reports: a process by what it pushes, or a target that is scraped. */
export interface Source {
  readonly kind: 'pushed' | 'scraped'
  /** By which it is known. */
  readonly labels: Labels
  /** The time of its last report, by its own clock. */
  lastSeen: Milliseconds
  /** When that report came, by the clock here: clocks elsewhere may be wrong. */
  heardAt: Milliseconds
  /** Between the reports that were seen, the newest last. */
  readonly gaps: Milliseconds[]
  /** Whether it ended in order after it was last seen; undefined where that has not been asked. */
  hasEnded: boolean | undefined
}

/** Further sources are not watched. */
export const SOURCES_MAX = 10_000
const GAPS = 5
/** A report comes within so long of its time, where clocks agree. */
const TRAVEL_MS: Milliseconds = 60_000
/** A source is silent when so many of its reports are missing. */
const MISSED = 3

export class Sources {
  readonly #sources = new Map<string, Source>()
  /** Since when the server has looked without a pause: what was not heard while nobody listened is not silence. */
  #listeningSince: Milliseconds
  /** Sources that were not taken because there are too many. */
  refused = 0

  constructor(now: Milliseconds) {
    this.#listeningSince = now
  }

  get size(): number {
    return this.#sources.size
  }

  /** Takes note that nobody listened until now. */
  resume(now: Milliseconds): void {
    this.#listeningSince = now
  }

  /**
   * A report, or one that has been seen before.
   *
   * @param time - of the report
   * @param heardAt - when it came, by the clock here; the time of the report for one of the past
   */
  seen(kind: Source['kind'], labels: Labels, time: Milliseconds, heardAt: Milliseconds): void {
    const key = `${kind}\n${labelsKey(labels)}`
    const source = this.#sources.get(key)
    if (source === undefined) {
      if (this.#sources.size >= SOURCES_MAX) this.refused += 1
      else this.#sources.set(key, { kind, labels, lastSeen: time, heardAt, gaps: [], hasEnded: undefined })
      return
    }
    if (time <= source.lastSeen) return
    source.gaps.push(time - source.lastSeen)
    if (source.gaps.length > GAPS) source.gaps.shift()
    source.lastSeen = time
    source.heardAt = heardAt
    source.hasEnded = undefined
  }

  has(kind: Source['kind'], labels: Labels): boolean {
    return this.#sources.has(`${kind}\n${labelsKey(labels)}`)
  }

  forget(kind: Source['kind'], labels: Labels): void {
    this.#sources.delete(`${kind}\n${labelsKey(labels)}`)
  }

  /** Forgets those that were last heard before a time. */
  forgetBefore(time: Milliseconds): void {
    for (const [key, { heardAt }] of this.#sources) if (heardAt < time) this.#sources.delete(key)
  }

  /**
   * How long a source has been silent beyond doubt; undefined while it reports, or a report may still come.
   *
   * @param isTold - whether it was told as silent before: then it is silent until it reports, also where nobody listened meanwhile
   */
  silence({ lastSeen, heardAt, gaps }: Source, now: Milliseconds, forMs: Milliseconds, isTold: boolean): Milliseconds | undefined {
    // One that reports seldom is given the time of several of its reports; the median takes no outage for a habit.
    const usual = gaps.length === 0 ? 0 : median(gaps)
    const isSilent = now - (isTold ? heardAt : Math.max(heardAt, this.#listeningSince)) >= Math.max(forMs, MISSED * usual)
    return isSilent ? now - Math.max(lastSeen, heardAt - TRAVEL_MS) : undefined
  }

  all(): readonly Source[] {
    return [...this.#sources.values()]
  }
}
