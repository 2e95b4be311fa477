// What timelines tell of what others did.
import type { Delivery, DeployMarker, Evidence, Incident, TimelineEntry } from '@andon/model'
import { ANDON, entry } from './draft.ts'

const DELIVERED: Readonly<Record<Delivery['state'], string>> = { delivered: 'was told', retrying: 'could not be told yet', 'given-up': 'was not told', coalesced: 'was told in one message with what came later' }

/** What became of a message; that it is attempted again is told once. */
export function deliveryEntry({ channel, notification, state, at, detail }: Delivery): TimelineEntry {
  const text = `${channel} ${DELIVERED[state]}${detail === '' ? '' : `: ${detail.slice(0, 300)}`}`
  return entry('notification', at, ANDON, text, { id: `told/${notification}/${channel}/${state}`, detail: { channel, notification, state } })
}

export function deployEntry({ id, service, environment, version, at, source, actor, note }: DeployMarker): TimelineEntry {
  const what = `${service === '' ? 'Everything' : service} ${version}${environment === '' ? '' : ` in ${environment}`}`
  return entry('deploy', at, actor === '' ? ANDON : actor, `Deployed: ${what}${note === '' ? '' : ` (${note.slice(0, 200)})`}`, { id: `deploy/${id}`, detail: { service, version, source } })
}

/** For people: what was kept, and what could not be. */
export function pinnedText(evidence: readonly Evidence[], failures: readonly string[]): string {
  const of = (kind: Evidence['kind']): number => evidence.filter((one) => one.kind === kind).length
  const kept = `Kept: ${of('trace')} slow traces, ${of('series')} courses${of('errors') > 0 ? ', errors' : ''}${of('statements') > 0 ? ', statements' : ''}`
  return failures.length === 0 ? kept : `${kept}. Not to be had: ${failures.join('; ').slice(0, 500)}`
}

/** Whether a deploy is of a service and an environment of an incident. */
export function mayConcern({ service, environment }: DeployMarker, incident: Pick<Incident, 'services' | 'environment'>): boolean {
  return (service === '' || incident.services.includes(service)) && (environment === '' || incident.environment === '' || environment === incident.environment)
}
