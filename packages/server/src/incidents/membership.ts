// Which alerts an incident has, and which fit into it.
import type { AlertChange, Incident } from '@andon/model'

/** Alerts that one incident holds; past it resolved ones make room, and where there are none the next one begins another incident. */
const ALERTS_MAX = 500

/** The same outbreak of an alert that the incident knows already: closed by a person while it fired, and handed in again. */
export function isSame(incident: Incident, { fingerprint, alert }: AlertChange): boolean {
  return incident.alerts.some((one) => one.fingerprint === fingerprint && one.startsAt >= alert.startsAt && one.status === 'firing')
}

/** Whether an incident is about a service; where none is known, about a rule. */
export function isOf({ service: first, services, alerts }: Incident, service: string, rule: string): boolean {
  return service === '' ? first === '' && alerts.some((one) => one.rule === rule) : services.includes(service)
}

/** What still fires belongs together however long it has; what has ceased does not draw in what is new. */
export function fits({ alerts, services }: Incident, own: boolean, isRecent: boolean, near: ReadonlySet<string>): boolean {
  return own ? isRecent || alerts.some(({ status }) => status === 'firing') : isRecent && services.some((one) => near.has(one))
}

/** Whether an incident knows an alert. */
export function isMember({ alerts }: Incident, { fingerprint }: AlertChange): boolean {
  return alerts.some((one) => one.fingerprint === fingerprint)
}

/** Whether an incident can take one more alert. */
export function hasRoom({ alerts }: Incident): boolean {
  return alerts.length < ALERTS_MAX || alerts.some(({ status }) => status === 'resolved')
}

/** The same with room for one more: what was resolved first gives way. */
export function withRoom(incident: Incident): Incident {
  const { alerts, forgottenAlerts } = incident
  if (alerts.length < ALERTS_MAX) return incident
  const oldest = alerts.find(({ status }) => status === 'resolved')
  return oldest === undefined ? incident : { ...incident, alerts: alerts.filter((one) => one !== oldest), forgottenAlerts: forgottenAlerts + 1 }
}
