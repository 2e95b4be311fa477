// Which incident alerts belong to. Nothing here has an effect: it says what is to be stored.
import { type Alert, type AlertChange, environmentOfLabels, type Incident, type IncidentAlert, type Milliseconds, serviceOfLabels } from '@andon/model'
import { memberOf, ruleOf, titleOf, worse } from './alert-facts.ts'
import { ANDON, closedAt, type Draft, entry, isOpen, marked, withEntries } from './draft.ts'
import { fits, hasRoom, isMember, isOf, isSame, withRoom } from './membership.ts'
import type { IncidentOptions } from './schema.ts'
import type { Shelf } from './shelf.ts'

/** What is known when alerts are joined. */
export interface JoinView {
  readonly shelf: Pick<Shelf, 'open' | 'find' | 'ofAlert' | 'closedLast'>
  readonly neighbours: (service: string) => ReadonlySet<string>
  /** Whether the pages of the rule of an alert are tickets now. */
  readonly isDemoted: (alert: Alert, at: Milliseconds) => boolean
  /** How long the expression of a rule must hold before it fires; 0 where it is not known. */
  readonly holdMs: (rule: string) => Milliseconds
  readonly nextId: () => string
  readonly now: Milliseconds
}

export interface JoinPlan {
  readonly drafts: ReadonlyMap<string, Draft>
  /** The incident of each alert by its fingerprint. */
  readonly incidents: ReadonlyMap<string, string>
  /** Alerts that joined none because too many incidents are open. */
  readonly refused: number
}

type JoinOptions = Pick<IncidentOptions, 'windowMs' | 'cooldownMs' | 'open' | 'join' | 'resolve'>

/** Incidents that may be open at the same time. */
export const OPEN_MAX = 1000
const SERVICES_MAX = 20
const PAGES_MAX = 50

const TICKET = 'ticket'

/** The severity that labels say; '' where they say none. */
export const severityOf = ({ labels }: Pick<Alert, 'labels'>): string => labels['severity'] ?? ''

/** Whether an incident is open, or was until not long ago. */
export function isLive(incident: Incident | undefined, at: Milliseconds, cooldownMs: Milliseconds): boolean {
  if (incident === undefined) return false
  const closed = closedAt(incident)
  return closed === undefined || at - closed <= cooldownMs
}

class Planner {
  readonly #view: JoinView
  readonly #options: JoinOptions
  readonly drafts = new Map<string, Draft>()
  readonly incidents = new Map<string, string>()
  /** Alerts that fire and have joined none so far. */
  readonly #left = new Map<string, AlertChange>()
  refused = 0

  constructor(view: JoinView, options: JoinOptions) {
    this.#view = view
    this.#options = options
  }

  #find(id: string | undefined): Incident | undefined {
    return id === undefined ? undefined : (this.drafts.get(id)?.incident ?? this.#view.shelf.find(id))
  }

  *#open(): Iterable<Incident> {
    const seen = new Set<string>()
    for (const { id } of this.#view.shelf.open()) {
      seen.add(id)
      const incident = this.#find(id)
      if (incident !== undefined && isOpen(incident)) yield incident
    }
    for (const { incident } of this.drafts.values()) if (!seen.has(incident.id) && isOpen(incident)) yield incident
  }

  #draft(incident: Incident): Draft {
    return this.drafts.get(incident.id) ?? { incident, entries: [], notifications: [] }
  }

  take(change: AlertChange): void {
    const known = this.#find(this.incidents.get(change.fingerprint) ?? this.#view.shelf.ofAlert(change.fingerprint))
    const incident = change.status === 'resolved' ? this.#resolved(change, known) : this.#firing(change, known)
    if (incident !== undefined) this.incidents.set(change.fingerprint, incident.id)
    if (incident === undefined && change.status === 'firing') this.#left.set(change.fingerprint, change)
    else this.#left.delete(change.fingerprint)
  }

  /** What only joins may have come before what opened. */
  #takeLeft(): void {
    const severities = new Set(this.#options.join)
    for (const change of this.#left.values()) {
      const severity = this.#severity(change)
      const incident = severities.has(severity) ? this.#joinable(change) : undefined
      if (incident === undefined) continue
      this.#join(incident, change, severity)
      this.incidents.set(change.fingerprint, incident.id)
    }
  }

  #resolved({ fingerprint, alert, at }: AlertChange, incident: Incident | undefined): Incident | undefined {
    const member = incident?.alerts.find((one) => one.fingerprint === fingerprint)
    if (incident === undefined || member === undefined || member.status === 'resolved') return isLive(incident, at, this.#options.cooldownMs) ? incident : undefined
    const endsAt = Math.max(member.startsAt, Math.min(alert.endsAt ?? at, at))
    const alerts = incident.alerts.map((one): IncidentAlert => (one === member ? { ...one, status: 'resolved', endsAt } : one))
    const text = `${member.rule}${of(member)} is resolved`
    this.#put(withEntries({ ...this.#draft(incident), incident: { ...incident, alerts } }, entry('alert', at, ANDON, text, { detail: { fingerprint, status: 'resolved', rule: member.rule } })))
    return incident
  }

  /** The severity that an alert has where it is not the continuation of something: that of a rule which has used up its budget is a ticket. */
  #severity({ alert, at }: AlertChange): string {
    const severity = severityOf(alert)
    if (!this.#options.open.includes(severity)) return severity
    return this.#view.isDemoted(alert, at) ? TICKET : severity
  }

  #firing(change: AlertChange, known: Incident | undefined): Incident | undefined {
    const own = severityOf(change.alert)
    if (known !== undefined && (isOpen(known) ? isMember(known, change) : isSame(known, change))) return isOpen(known) ? this.#join(known, change, own) : known
    const last = this.#find(this.#view.shelf.closedLast(ruleOf(change.alert.labels), serviceOfLabels(change.alert.labels), environmentOfLabels(change.alert.labels)))
    const earlier = [known, last].find((one) => one !== undefined && isLive(one, change.at, this.#options.cooldownMs) && (isMember(one, change) || hasRoom(one)))
    if (earlier !== undefined && this.#options.open.includes(own)) return this.#join(isOpen(earlier) ? earlier : this.#reopened(earlier, change), change, own)
    const severity = this.#severity(change)
    const opens = this.#options.open.includes(severity)
    const joinable = opens || this.#options.join.includes(severity) ? this.#joinable(change) : undefined
    if (joinable !== undefined) return this.#join(joinable, change, severity)
    return opens ? this.#opened(change, severity) : known === earlier ? known : undefined
  }

  /** The open incident that an alert fits into: of its own service before those of neighbours, of its own environment before those of none, the one that fired last. */
  #joinable({ alert, at }: AlertChange): Incident | undefined {
    const { windowMs } = this.#options
    const service = serviceOfLabels(alert.labels)
    const environment = environmentOfLabels(alert.labels)
    const near = service === '' ? new Set<string>() : this.#view.neighbours(service)
    const found: { readonly incident: Incident; readonly closeness: number }[] = []
    for (const incident of this.#open()) {
      const own = isOf(incident, service, ruleOf(alert.labels))
      const isSameEnvironment = incident.environment === environment
      // What names no environment, such as an objective over all of them, speaks of the service in each.
      const mayConcern = isSameEnvironment || (own && (incident.environment === '' || environment === ''))
      if (!mayConcern || !hasRoom(incident)) continue
      if (fits(incident, own, at - incident.firedAt <= windowMs, near)) found.push({ incident, closeness: (own ? 2 : 0) + (isSameEnvironment ? 1 : 0) })
    }
    return found.toSorted((a, b) => b.closeness - a.closeness || b.incident.firedAt - a.incident.firedAt)[0]?.incident
  }

  #opened(change: AlertChange, severity: string): Incident | undefined {
    if ([...this.#open()].length >= OPEN_MAX) {
      this.refused += 1
      return undefined
    }
    const { alert, fingerprint } = change
    const { now } = this.#view
    const member = memberOf({ alert, fingerprint }, severity, this.#view.holdMs(ruleOf(alert.labels)))
    const incident: Incident = {
      id: this.#view.nextId(),
      revision: 1,
      title: titleOf(alert),
      state: 'detected',
      severity,
      service: member.service,
      environment: environmentOfLabels(alert.labels),
      services: member.service === '' ? [] : [member.service],
      openedBy: { kind: 'alert', name: member.rule },
      onsetAt: Math.min(member.onsetAt, now),
      marks: { detected: { at: now, actor: ANDON } },
      firstAcknowledgedAt: null,
      touchedAt: now,
      firedAt: change.at,
      reopened: 0,
      alerts: [member],
      forgottenAlerts: 0,
      steps: [],
      verdicts: {},
      pages: [{ rule: member.rule, service: member.service, source: alert.source, at: now }],
      escalation: null,
      evidenceAt: { opened: null, resolved: null },
    }
    const opened = entry('opened', now, ANDON, `Opened by ${member.rule}${of(member)}`, { detail: { rule: member.rule, severity } })
    this.#put({ incident, entries: [opened, fired(member, change.at)], notifications: [] })
    return incident
  }

  #reopened(incident: Incident, { alert, at }: AlertChange): Incident {
    const { now } = this.#view
    const rule = ruleOf(alert.labels)
    const again = reopened(incident, now, (fingerprint) => (this.incidents.get(fingerprint) ?? this.#view.shelf.ofAlert(fingerprint)) === incident.id)
    const draft = { ...this.#draft(incident), incident: { ...again, pages: [...again.pages, { rule, service: serviceOfLabels(alert.labels), source: alert.source, at: now }].slice(-PAGES_MAX) } }
    this.#put(withEntries(draft, entry('reopened', now, ANDON, `${rule} fires again ${Math.round(Math.max(0, at - (closedAt(incident) ?? at)) / 1000)} s after it was resolved`, { detail: { rule } })))
    return draft.incident
  }

  /** Puts an alert into an open incident, or notes that it fires again. */
  #join(incident: Incident, change: AlertChange, severity: string): Incident | undefined {
    const { alert, fingerprint, at } = change
    const before = incident.alerts.find((one) => one.fingerprint === fingerprint)
    const made = memberOf({ alert, fingerprint }, severity, this.#view.holdMs(ruleOf(alert.labels)))
    const isNew = before === undefined
    if (before?.status === 'firing' && before.startsAt === made.startsAt) {
      // Handed in again, as after a restart: only what it says may have changed.
      const alerts = incident.alerts.map((one) => (one === before ? { ...made, fired: before.fired, onsetAt: Math.min(before.onsetAt, made.onsetAt) } : one))
      if (JSON.stringify(alerts) !== JSON.stringify(incident.alerts)) this.#put({ ...this.#draft(incident), incident: { ...incident, alerts } })
      return incident
    }
    const member = isNew ? made : { ...made, fired: before.fired + 1 }
    const room = isNew ? withRoom(incident) : incident
    const services = member.service === '' || room.services.includes(member.service) || room.services.length >= SERVICES_MAX ? room.services : [...room.services, member.service]
    const joined: Incident = {
      ...room,
      services,
      environment: room.environment === '' ? environmentOfLabels(alert.labels) : room.environment,
      severity: worse(room.severity, severity),
      // An estimate of a later outbreak says nothing about the first one; one of the same outbreak may be better.
      onsetAt: isNew && at - room.marks.detected.at <= this.#options.windowMs ? Math.min(room.onsetAt, member.onsetAt) : room.onsetAt,
      firedAt: Math.max(room.firedAt, at),
      alerts: isNew ? [...room.alerts, member] : room.alerts.map((one) => (one.fingerprint === fingerprint ? member : one)),
    }
    this.#put(withEntries({ ...this.#draft(incident), incident: joined }, fired(member, at)))
    return joined
  }

  #put(draft: Draft): void {
    this.drafts.set(draft.incident.id, draft)
  }

  /** Takes what was left, and resolves what has nothing that fires any more. */
  finish(): void {
    this.#takeLeft()
    if (this.#options.resolve === 'by_hand') return
    for (const draft of this.drafts.values()) {
      const { incident } = draft
      const isOver = incident.openedBy.kind === 'alert' && incident.alerts.length > 0 && incident.alerts.every(({ status }) => status === 'resolved')
      if (!isOver || !isOpen(incident)) continue
      const after = marked(incident, 'resolved', this.#view.now, ANDON)
      this.#put(withEntries({ ...draft, incident: after }, entry('state', after.marks.resolved?.at ?? this.#view.now, ANDON, 'Resolved: none of its alerts fires any more', { detail: { from: incident.state, to: 'resolved' } })))
    }
  }
}

const of = ({ service }: Pick<IncidentAlert, 'service'>): string => (service === '' ? '' : ` of ${service}`)

function fired(member: IncidentAlert, at: Milliseconds): Draft['entries'][number] {
  const summary = member.annotations['summary'] ?? member.annotations['description'] ?? ''
  return entry('alert', at, ANDON, `${member.rule}${of(member)} fires${summary === '' ? '' : `: ${summary}`}`, {
    detail: { fingerprint: member.fingerprint, status: 'firing', rule: member.rule, severity: member.severity, value: member.value },
  })
}

/**
 * A closed incident, open again: of its states only when it was first detected stays.
 *
 * @param isOwn - whether an alert still belongs to it: one that fired later may belong to another one, and to no two that are open
 */
export function reopened(incident: Incident, now: Milliseconds, isOwn: (fingerprint: string) => boolean): Incident {
  const { marks, revision, evidenceAt } = incident
  return {
    ...incident,
    state: 'detected',
    revision: revision + 1,
    marks: { detected: marks.detected },
    touchedAt: now,
    reopened: incident.reopened + 1,
    alerts: incident.alerts.filter(({ fingerprint }) => isOwn(fingerprint)),
    evidenceAt: { ...evidenceAt, resolved: null },
  }
}

/**
 * What alerts that changed do to incidents.
 *
 * @param changes - in the order in which they happened
 */
export function planJoin(changes: readonly AlertChange[], view: JoinView, options: JoinOptions): JoinPlan {
  const planner = new Planner(view, options)
  for (const change of changes) planner.take(change)
  planner.finish()
  return planner
}
