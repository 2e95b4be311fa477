// Who is told when nobody acts. Nothing here has an effect: it says what is to be stored, and told.
import type { EscalationPolicy, Incident, IncidentAlert, IncidentEscalation, Milliseconds, Notification, NotifiedAlert, OnCallShift, TimelineEntry } from '@andon/model'
import { rankOf } from './alert-facts.ts'
import { ANDON, type Draft, entry, isOpen, withEntries } from './draft.ts'

export interface EscalationView {
  readonly policies: readonly EscalationPolicy[]
  /** Undefined where nobody is. */
  readonly onCall: (schedule: string, at: Milliseconds) => OnCallShift | undefined
  readonly now: Milliseconds
}

/** Alerts that one message tells. */
const TOLD_ALERTS_MAX = 50
const RECEIVERS_MAX = 100

const isIn = (value: string, list: readonly string[]): boolean => list.length === 0 || list.includes(value)

/** The policy of an incident: the first that fits. */
export function policyOf(policies: readonly EscalationPolicy[], { severity, service, environment }: Pick<Incident, 'severity' | 'service' | 'environment'>): EscalationPolicy | undefined {
  return policies.find(({ match }) => isIn(severity, match.severity) && isIn(service, match.service) && isIn(environment, match.environment))
}

function told({ status, fingerprint, labels, annotations, startsAt, endsAt, generatorUrl, value, expression }: IncidentAlert): NotifiedAlert {
  return { status, fingerprint, labels, annotations, startsAt, endsAt: endsAt ?? undefined, generatorUrl, value: value ?? undefined, expression: expression ?? undefined }
}

/** What stands in for alerts where a person has opened the incident. */
function standIn({ id, title, service, severity, environment, onsetAt, marks }: Incident, status: NotifiedAlert['status']): NotifiedAlert {
  const labels = { alertname: 'Incident', severity, incident: id, ...(service !== '' && { service_name: service }), ...(environment !== '' && { deployment_environment_name: environment }) }
  return { status, fingerprint: '', labels, annotations: { summary: title }, startsAt: onsetAt, endsAt: status === 'resolved' ? marks.resolved?.at : undefined, generatorUrl: '', value: undefined, expression: undefined }
}

/** Those that fire first, the worst of them first. */
function order({ status, labels }: NotifiedAlert): number {
  return (status === 'firing' ? 100 : 0) + rankOf(labels['severity'] ?? '')
}

/** A message about an incident to one receiver. @param part - what a repetition of this very message is known by */
function messageOf(incident: Incident, receiver: string, reason: 'escalation' | 'all-resolved', part: string, now: Milliseconds): Notification {
  const status = reason === 'escalation' ? 'firing' : 'resolved'
  const all = incident.alerts.length === 0 ? [standIn(incident, status)] : incident.alerts.map(told)
  const ended = status === 'resolved' ? all.map((one): NotifiedAlert => ({ ...one, status, endsAt: one.endsAt ?? now })) : all
  const sorted = ended.toSorted((a, b) => order(b) - order(a))
  return {
    id: `esc-${incident.id}-${part}`.slice(0, 64),
    receiver,
    groupKey: `{}/{incident="${incident.id}"}:{}`,
    groupLabels: { incident: incident.id },
    incident: incident.id,
    reason,
    status,
    alerts: sorted.slice(0, TOLD_ALERTS_MAX),
    truncated: Math.max(0, sorted.length - TOLD_ALERTS_MAX),
    decidedAt: now,
  }
}

interface Advance {
  readonly escalation: IncidentEscalation
  readonly entries: readonly TimelineEntry[]
  readonly notifications: readonly Notification[]
}

/** Goes through the steps of a policy until one waits, or all are done. */
function advance(incident: Incident, from: IncidentEscalation, policy: EscalationPolicy, { onCall, now }: EscalationView): Advance {
  const entries: TimelineEntry[] = []
  const notifications: Notification[] = []
  const receivers = new Set(from.told)
  let { round, step } = from
  const result = (nextAt: Milliseconds | null): Advance => ({ escalation: { ...from, round, step, nextAt, resting: false, told: [...receivers].slice(0, RECEIVERS_MAX) }, entries, notifications })
  const say = (text: string, detail: TimelineEntry['detail']): void => void entries.push(entry('escalation', now, ANDON, text, { detail: { policy: policy.name, run: from.run, round, ...detail } }))
  const notify = (receiver: string, person: string): void => {
    notifications.push(messageOf(incident, receiver, 'escalation', `${from.run}-${round}-${step}`, now))
    receivers.add(receiver)
    say(person === '' ? `Escalated to ${receiver}` : `Escalated to ${person}, who is on call, by ${receiver}`, { receiver, person })
  }
  while (round < policy.rounds) {
    const next = policy.steps[step]
    if (next === undefined) {
      round += 1
      step = 0
      continue
    }
    if (next.kind === 'notify') notify(next.receiver, '')
    if (next.kind === 'on-call') {
      const shift = onCall(next.schedule, now)
      if (shift === undefined) say(`Nobody is on call of ${next.schedule}`, { schedule: next.schedule })
      else notify(shift.receiver, shift.person)
    }
    step += 1
    if (next.kind === 'wait') return result(now + next.ms)
  }
  say('Nobody has acknowledged it, and the escalation has come to its end', {})
  return result(null)
}

function applied(draft: Draft, { escalation, entries, notifications }: Advance): Draft {
  return { incident: { ...draft.incident, escalation }, entries: [...draft.entries, ...entries], notifications: [...draft.notifications, ...notifications] }
}

function begin(draft: Draft, view: EscalationView): Draft {
  const { incident } = draft
  const policy = policyOf(view.policies, incident)
  if (policy === undefined) return incident.escalation === null ? draft : { ...draft, incident: { ...incident, escalation: { ...incident.escalation, nextAt: null } } }
  const { run = 0, told: before = [] } = incident.escalation ?? {}
  return applied(draft, advance(incident, { policy: policy.name, run: run + 1, round: 0, step: 0, nextAt: null, resting: false, told: before }, policy, view))
}

/** Tells everyone who was called that it is over, and calls nobody any more. */
function end(draft: Draft, now: Milliseconds): Draft {
  const { incident } = draft
  const { escalation } = incident
  if (escalation === null) return draft
  // A message of its own for each time that it ended.
  const notifications = escalation.told.map((receiver, index) => messageOf(incident, receiver, 'all-resolved', `${escalation.run}-end-${incident.revision}-${index}`, now))
  return { ...draft, incident: { ...incident, escalation: { ...escalation, nextAt: null, told: [] } }, notifications: [...draft.notifications, ...notifications] }
}

/** Waits for the next update of those who have acknowledged it. */
function rest(draft: Draft, { policies }: EscalationView): Draft {
  const { incident } = draft
  const { escalation } = incident
  if (escalation === null) return draft
  const staleMs = policies.find(({ name }) => name === escalation.policy)?.staleMs ?? null
  return { ...draft, incident: { ...incident, escalation: { ...escalation, resting: true, nextAt: staleMs === null ? null : incident.touchedAt + staleMs } } }
}

/**
 * What a change of an incident means for its escalation: a new or reopened one begins, an acknowledged one rests, a resolved one ends.
 *
 * @param before - undefined for a new one
 */
export function withEscalation(before: Incident | undefined, draft: Draft, view: EscalationView): Draft {
  const { incident } = draft
  if (!isOpen(incident)) return before !== undefined && !isOpen(before) ? draft : end(draft, view.now)
  if (before === undefined || !isOpen(before)) return begin(draft, view)
  if (incident.state !== 'detected') return incident.touchedAt === before.touchedAt && before.state === incident.state ? draft : rest(draft, view)
  // Worse than before, it may be under another policy.
  const policy = policyOf(view.policies, incident)
  const isOther = policy !== undefined && policy.name !== incident.escalation?.policy && rankOf(incident.severity) > rankOf(before.severity)
  return isOther ? begin(withEntries(draft, entry('escalation', view.now, ANDON, `It is ${incident.severity} now: policy ${policy.name}`, { detail: { policy: policy.name } })), view) : draft
}

/** What is due of an escalation. @returns undefined where nothing is */
export function planDue(incident: Incident, view: EscalationView): Draft | undefined {
  const { escalation } = incident
  if (!isOpen(incident) || escalation === null || escalation.nextAt === null || escalation.nextAt > view.now) return undefined
  const draft: Draft = { incident, entries: [], notifications: [] }
  const policy = view.policies.find(({ name }) => name === escalation.policy)
  if (policy === undefined) {
    return withEntries({ ...draft, incident: { ...incident, escalation: { ...escalation, nextAt: null } } }, entry('escalation', view.now, ANDON, `Its policy ${escalation.policy} is no more: nobody further is told`))
  }
  if (!escalation.resting) return applied(draft, advance(incident, escalation, policy, view))
  const minutes = Math.round((view.now - incident.touchedAt) / 60_000)
  const stale = entry('escalation', view.now, ANDON, `No update for ${minutes} min: escalated anew`, { detail: { policy: policy.name } })
  // Whoever is to be reached now has waited already.
  const start = Math.max(0, policy.steps.findIndex(({ kind }) => kind !== 'wait'))
  const next = advance(incident, { ...escalation, run: escalation.run + 1, round: 0, step: start }, policy, view)
  return applied(withEntries(draft, stale), next)
}
