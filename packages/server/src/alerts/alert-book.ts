// The alerts that fire, and those whose end is still to be told.
import type { Alert, Labels, Milliseconds, TimeRange } from '@andon/model'
import type { StoredState } from '../store/state.ts'
import { fingerprintOf } from './fingerprint.ts'
import { FLAP_MEMORY, type FlapHistory, noFlaps, withChange } from './flap.ts'
import { heldOf, type HeldAlert } from './held-alert.ts'

/** Alerts that are held at most; further ones are not taken. */
const ALERTS_MAX = 50_000
/** Rows in which it is looked for what flapped before a restart. */
const FLAP_ROWS_MAX = 20_000

/** The part of the state log that alerts are read from. */
export interface AlertRows {
  latest(kind: 'alert-active', options: { readonly except: readonly string[] }): Promise<readonly StoredState[]>
  between(kind: 'alert-active', range: TimeRange, limit: number): Promise<readonly StoredState[]>
}

/** What alerts that were handed in make of those that are held; nothing has happened until it is committed. */
export interface BookPlan {
  /** Began to fire, or ceased to. */
  readonly changed: readonly HeldAlert[]
  /** Fire on, with another value or end. */
  readonly refreshed: readonly HeldAlert[]
  /** Not taken, because too many are held. */
  readonly dropped: number
}

interface Draft {
  readonly changed: Map<string, HeldAlert>
  readonly refreshed: Map<string, HeldAlert>
  /** That are not held yet. */
  begun: number
  dropped: number
}

export class AlertBook {
  readonly #held = new Map<string, HeldAlert>()
  /** Of alerts that are not held any more. */
  readonly #flaps = new Map<string, FlapHistory>()
  #flapsSweptAt: Milliseconds = 0

  get(fingerprint: string): HeldAlert | undefined {
    return this.#held.get(fingerprint)
  }

  all(): Iterable<HeldAlert> {
    return this.#held.values()
  }

  get size(): number {
    return this.#held.size
  }

  /**
   * Reads what was known before a restart.
   *
   * @param graceMs - how long alerts are believed anew that say until when they are: while the server was down nobody could renew them
   */
  async restore(rows: AlertRows, now: Milliseconds, graceMs: Milliseconds): Promise<void> {
    for (const { state, doc } of await rows.latest('alert-active', { except: ['settled'] })) {
      const held = heldOf(doc)
      if (held === undefined) continue
      const { endsAt } = held.alert
      const isBelieved = state === 'firing' && endsAt !== undefined
      this.#held.set(held.fingerprint, isBelieved ? { ...held, alert: { ...held.alert, endsAt: Math.max(endsAt, now + graceMs) } } : held)
    }
    for (const { state, doc } of await rows.between('alert-active', { start: now - FLAP_MEMORY, end: now + 1 }, FLAP_ROWS_MAX)) {
      const held = heldOf(doc)
      if (held !== undefined && state === 'settled' && !this.#held.has(held.fingerprint)) this.#flaps.set(held.fingerprint, held.flaps)
    }
  }

  plan(alerts: readonly Alert[], now: Milliseconds): BookPlan {
    const draft: Draft = { changed: new Map(), refreshed: new Map(), begun: 0, dropped: 0 }
    for (const alert of alerts) this.#planOne(draft, cleaned(alert), now)
    for (const fingerprint of draft.changed.keys()) draft.refreshed.delete(fingerprint)
    return { changed: [...draft.changed.values()], refreshed: [...draft.refreshed.values()], dropped: draft.dropped }
  }

  #planOne(draft: Draft, alert: Alert, now: Milliseconds): void {
    const { changed, refreshed } = draft
    const fingerprint = fingerprintOf(alert.labels)
    const before = changed.get(fingerprint) ?? refreshed.get(fingerprint) ?? this.#held.get(fingerprint)
    const { endsAt } = alert
    if (before?.status === 'firing') {
      if (endsAt === undefined || endsAt > now) (changed.has(fingerprint) ? changed : refreshed).set(fingerprint, renewed(before, alert, now))
      // What ended before this one began is news of an earlier one.
      else if (endsAt >= before.alert.startsAt) changed.set(fingerprint, this.#ended(before, { ...alert, startsAt: before.alert.startsAt }, now))
      return
    }
    if (endsAt !== undefined && endsAt <= now) return
    if (before === undefined && this.#held.size + draft.begun >= ALERTS_MAX) {
      draft.dropped += 1
      return
    }
    if (before === undefined) draft.begun += 1
    changed.set(fingerprint, this.#begun(fingerprint, alert, before, now))
  }

  /** What was believed until now and not renewed. */
  planExpired(now: Milliseconds): HeldAlert[] {
    const found: HeldAlert[] = []
    for (const held of this.#held.values()) if (held.status === 'firing' && held.alert.endsAt !== undefined && held.alert.endsAt <= now) found.push(this.#ended(held, held.alert, now))
    return found
  }

  /** When the next one is not believed any more; Infinity where none is to be. */
  nextEnd(): Milliseconds {
    let next = Infinity
    for (const { status, alert } of this.#held.values()) if (status === 'firing' && alert.endsAt !== undefined && alert.endsAt < next) next = alert.endsAt
    return next
  }

  #begun(fingerprint: string, alert: Alert, before: HeldAlert | undefined, now: Milliseconds): HeldAlert {
    const flaps = withChange(before?.flaps ?? this.#flaps.get(fingerprint) ?? noFlaps, now)
    return { fingerprint, alert, status: 'firing', changedAt: now, beganAt: before?.beganAt ?? now, updatedAt: now, flaps, incident: before?.incident, ticketBecause: before?.ticketBecause, isJoined: false }
  }

  #ended(before: HeldAlert, alert: Alert, now: Milliseconds): HeldAlert {
    return { ...before, alert: { ...alert, endsAt: alert.endsAt ?? now }, status: 'resolved', changedAt: now, updatedAt: now, flaps: withChange(before.flaps, now), isJoined: false }
  }

  commit(held: readonly HeldAlert[]): void {
    for (const each of held) {
      this.#held.set(each.fingerprint, each)
      this.#flaps.delete(each.fingerprint)
    }
  }

  /** Nothing is owed of it any more. */
  settle({ fingerprint, flaps }: HeldAlert, now: Milliseconds): void {
    this.#held.delete(fingerprint)
    this.#flaps.set(fingerprint, flaps)
    if (now - this.#flapsSweptAt < FLAP_MEMORY / 4) return
    this.#flapsSweptAt = now
    for (const [key, { slots }] of this.#flaps) if (((slots.at(-1) ?? 0) + 1) * 60_000 < now - FLAP_MEMORY) this.#flaps.delete(key)
  }
}

/** Without labels and annotations that are empty, which are absent ones. */
function cleaned(alert: Alert): Alert {
  return { ...alert, labels: withoutEmpty(alert.labels), annotations: withoutEmpty(alert.annotations) }
}

function withoutEmpty(texts: Labels): Labels {
  return Object.values(texts).includes('') ? Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== '')) : texts
}

/** It began when it was first said to have. */
function renewed(before: HeldAlert, alert: Alert, now: Milliseconds): HeldAlert {
  return { ...before, alert: { ...alert, startsAt: Math.min(before.alert.startsAt, alert.startsAt), onsetAt: alert.onsetAt ?? before.alert.onsetAt }, updatedAt: now }
}
