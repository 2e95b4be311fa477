// How alerts and groups stand, for those who look.
import type { Milliseconds } from '@andon/model'
import type { StoredState } from '../store/state.ts'
import type { AlertBook } from './alert-book.ts'
import { isFlapping } from './flap.ts'
import type { Group, Mute } from './group.ts'
import type { GroupBook } from './group-book.ts'
import { heldOf, type HeldAlert, isToldFiring, toldLabels } from './held-alert.ts'
import type { FiringAlerts } from './inhibit.ts'
import { isMuted, type Pipeline } from './pipeline.ts'
import type { RouteNode } from './route.ts'

/** An alert as it stands. */
export interface AlertView {
  readonly held: HeldAlert
  readonly isFlapping: boolean
  readonly mute: Mute
  /** Names of intervals of the calendar by which all its groups are quiet. */
  readonly mutedBy: readonly string[]
  readonly receivers: readonly string[]
}

/** A group as it stands. */
export interface GroupView {
  readonly group: Group
  readonly mutedBy: readonly string[]
  readonly alerts: readonly AlertView[]
}

/** A change as it was stored. */
export interface StoredChange {
  readonly at: Milliseconds
  readonly status: 'firing' | 'resolved'
  readonly held: HeldAlert
}

/** What an alert is told to be: `suppressed` while something holds it back. */
export function stateOf({ mute, mutedBy }: AlertView): 'active' | 'suppressed' {
  return isMuted(mute) || mutedBy.length > 0 ? 'suppressed' : 'active'
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export class AlertViews {
  readonly #alerts: AlertBook
  readonly #groups: GroupBook
  readonly #pipeline: Pipeline

  constructor(alerts: AlertBook, groups: GroupBook, pipeline: Pipeline) {
    this.#alerts = alerts
    this.#groups = groups
    this.#pipeline = pipeline
  }

  /** All that fires, or is held to; in the order of fingerprints. */
  async active(root: RouteNode, now: Milliseconds): Promise<AlertView[]> {
    const firing = this.#pipeline.firing(now)
    const views: AlertView[] = []
    for (const held of this.#alerts.all()) if (isToldFiring(held, now)) views.push(await this.#view(held, root, { firing, now }))
    return views.toSorted((a, b) => order(a.held.fingerprint, b.held.fingerprint))
  }

  async #view(held: HeldAlert, root: RouteNode, { firing, now }: { readonly firing: FiringAlerts; readonly now: Milliseconds }): Promise<AlertView> {
    const receivers = [...new Set(root.match(toldLabels(held)).map(({ config }) => config.receiver))]
    const quiet = [...this.#groups.of(held.fingerprint)].map((group) => this.#pipeline.quietBy(group, now))
    const mutedBy = quiet.length > 0 && quiet.every((names) => names.length > 0) ? [...new Set(quiet.flat())] : []
    return { held, isFlapping: isFlapping(held.flaps, now), mute: await this.#pipeline.muteOf(held, firing), mutedBy, receivers }
  }

  /** Groups with what fires in them, in the order of their labels and receivers. */
  async groups(root: RouteNode, now: Milliseconds): Promise<GroupView[]> {
    const views = new Map((await this.active(root, now)).map((view) => [view.held.fingerprint, view]))
    return [...this.#groups.all()]
      .map((group) => ({ group, mutedBy: this.#pipeline.quietBy(group, now), alerts: [...group.members].toSorted().flatMap((fingerprint) => views.get(fingerprint) ?? []) }))
      .filter(({ alerts }) => alerts.length > 0)
      .toSorted((a, b) => order(JSON.stringify(a.group.labels), JSON.stringify(b.group.labels)) || order(a.group.receiver, b.group.receiver))
  }
}

/** The changes that rows of the log tell, the newest first. */
export function changesOf(rows: readonly StoredState[]): StoredChange[] {
  const found = new Map<string, StoredChange>()
  for (const { state, doc } of rows) {
    const held = heldOf(doc)
    if (held === undefined || (state !== 'firing' && state !== 'resolved')) continue
    // A change is written again when its incident is known: the later row says more.
    const key = `${held.fingerprint} ${state} ${held.changedAt}`
    found.delete(key)
    found.set(key, { at: held.changedAt, status: state, held })
  }
  return [...found.values()].toSorted((a, b) => b.at - a.at)
}
