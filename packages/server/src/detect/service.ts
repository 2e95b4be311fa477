// One service: its series, what they say together, and the alert that comes of it.
import type { Alert, DetectorState, Labels, Milliseconds } from '@andon/model'
import { type Action, agreementOf } from './corroborate.ts'
import { SLICE_MS } from './parameters.ts'
import type { WatchedSeries } from './series.ts'
import { type ServiceFacts, shownExpression } from './shown.ts'
import type { SeriesId } from './signals.ts'
import { describe } from './words.ts'

/** An alert of a service as it is kept. */
export interface OpenAlert {
  readonly alert: Alert
  readonly action: 'ticket' | 'page'
}

/** What a slice has changed. */
export interface Change {
  readonly series: WatchedSeries
  readonly what: 'began' | 'ended' | 'judged'
  readonly state: DetectorState
}

export interface ServiceOptions {
  /** Where Andon's pages are; '' where not known. */
  readonly externalUrl: string
  readonly facts: () => ServiceFacts
}

const RANK: Readonly<Record<Action, number>> = { none: 0, annotate: 1, ticket: 2, page: 3 }

/** Owns the series of one service in one environment. */
export class WatchedService {
  readonly service: string
  readonly environment: string
  readonly series: Map<string, WatchedSeries> = new Map()
  readonly #options: ServiceOptions
  #open: OpenAlert | undefined
  #ended: Alert[] = []

  constructor({ service, environment }: Pick<SeriesId, 'service' | 'environment'>, options: ServiceOptions) {
    this.service = service
    this.environment = environment
    this.#options = options
  }

  /** Takes the alert that lasted before a restart. */
  restore(open: OpenAlert): void {
    this.#open = open
  }

  /** Ends the alert that lasts, without looking. */
  close(now: Milliseconds): void {
    if (this.#open !== undefined) this.#end(this.#open, now)
  }

  /** The alert that lasts, if one does. */
  get open(): OpenAlert | undefined {
    return this.#open
  }

  /** Alerts that have ended since they were last asked for. */
  takeEnded(): Alert[] {
    const ended = this.#ended
    this.#ended = []
    return ended
  }

  /** After all series have taken the slice that begins at a time: what they say together. @returns series whose trust has changed */
  conclude(time: Milliseconds): WatchedSeries[] {
    const now = time + SLICE_MS
    const { action, firing, agreed } = agreementOf(this.series.values())
    const isTold = action === 'page' || action === 'ticket' || this.#open !== undefined
    // While there is an incident, nothing that its series see belongs to their usual evidence. What was told counts as real until a person
    // calls it noise.
    if (agreed.length > 0 || isTold) for (const each of this.series.values()) each.explain(time, isTold || agreed.includes(each))
    this.#alert(now, action, firing)
    return [...this.series.values()].filter((each) => each.judge(now))
  }

  #alert(now: Milliseconds, action: Action, firing: readonly WatchedSeries[]): void {
    const open = this.#open
    const [lead] = firing
    if (lead === undefined) {
      if (open !== undefined) this.#end(open, now)
      return
    }
    if ((action === 'page' || action === 'ticket') && RANK[action] > RANK[open?.action ?? 'none']) {
      if (open !== undefined) this.#end(open, now)
      this.#open = { action, alert: this.#alertOf(now, action, firing) }
      return
    }
    if (open === undefined) return
    // The same alert goes on, with what is measured now.
    const { value, expression, annotations } = this.#alertOf(now, open.action, firing)
    this.#open = { ...open, alert: { ...open.alert, annotations, ...(open.alert.labels['signal'] === lead.signal.name && { value, expression }) } }
  }

  #end({ alert }: OpenAlert, now: Milliseconds): void {
    this.#ended.push({ ...alert, endsAt: now })
    this.#open = undefined
  }

  #alertOf(now: Milliseconds, action: 'ticket' | 'page', firing: readonly WatchedSeries[]): Alert {
    const [lead] = firing
    const labels: Labels = {
      alertname: 'ServiceDegraded',
      service_name: this.service,
      ...(this.environment !== '' && { deployment_environment_name: this.environment }),
      severity: action === 'page' ? 'critical' : 'warning',
      ...(lead !== undefined && { signal: lead.signal.name }),
    }
    const onsets = firing.flatMap(({ episode }) => (episode === undefined || episode.onset === 0 ? [] : [episode.onset]))
    const { externalUrl } = this.#options
    return {
      labels,
      annotations: {
        summary: lead === undefined ? '' : `${this.service}: ${describe(lead)}`,
        description: firing.map(describe).join('; '),
        detectors: firing.map((each) => each.publicId).join(','),
      },
      source: 'detector',
      startsAt: now,
      endsAt: undefined,
      generatorUrl: externalUrl === '' ? '' : `${externalUrl}/service/${encodeURIComponent(this.service)}`,
      value: lead?.verdict.value,
      expression: lead === undefined ? undefined : shownExpression(lead.signal, this, this.#options.facts()),
      onsetAt: onsets.length === 0 ? undefined : Math.min(...onsets),
    }
  }
}
