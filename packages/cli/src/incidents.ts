// Incidents from the command line: what there is, and what a person does about it.
import type { AlertVerdict, Incident, IncidentFigures, IncidentState, TimelineEntry } from '@andon/model'
import { ask, refusalOf, request, type ServerFlags } from './ask.ts'
import { CommandError, EXIT } from './exit.ts'
import { table } from './table.ts'

export interface IncidentFlags extends ServerFlags {
  readonly json?: boolean
}

/** A row of GET /api/incidents. */
interface Row {
  readonly id: string
  readonly title: string
  readonly state: IncidentState
  readonly severity: string
  readonly service: string
  readonly detectedAt: number
  readonly firing: number
  readonly alerts: number
  readonly acknowledged: { readonly actor: string } | null
}

/** GET /api/incidents/ID. */
export interface Shown {
  readonly incident: Incident
  readonly figures: IncidentFigures
  readonly timeline: readonly TimelineEntry[]
  readonly evidence: readonly { readonly name: string; readonly title: string }[]
  readonly runbooks: readonly { readonly name: string; readonly title: string; readonly url: string }[]
}

type Refused = { readonly error?: unknown }

/** Hours and minutes, or seconds of what is short. */
function lengthOf(ms: number | null): string {
  if (ms === null) return '–'
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

const timeText = (time: number): string => new Date(time).toISOString().replace('T', ' ').replace(/\.\d+Z$/, 'Z')
/** What comes from elsewhere moves no cursor and changes no colour. */
// eslint-disable-next-line no-control-regex -- these are what is left out
const plain = (text: string): string => text.replaceAll(/[\u0000-\u001F\u007F-\u009F]+/g, ' ')

async function answered<T extends object>(target: string, flags: ServerFlags, options: Parameters<typeof ask>[2] = {}): Promise<T> {
  const answer = await ask<T & Refused>(target, flags, options)
  if (answer.error !== undefined) throw new CommandError(EXIT.problem, refusalOf(answer.error, 'The server refused.'))
  return answer
}

const pathOf = (flags: ServerFlags, id: string, rest = ''): string => `${flags.url}/api/incidents/${encodeURIComponent(id)}${rest}`

export interface ListFlags extends IncidentFlags {
  /** Also those that are resolved. */
  readonly all?: boolean
  readonly service?: string
}

/** A list of incidents as text. */
export function renderList(rows: readonly Row[], now: number, all: boolean): string {
  if (rows.length === 0) return all ? 'No incident is known.' : 'No incident is open.'
  const cells = rows.map(({ id, state, severity, service, detectedAt, firing, alerts, acknowledged, title }) => [id, state, severity, plain(service), `${lengthOf(now - detectedAt)} ago`, `${firing}/${alerts}`, acknowledged?.actor ?? '', plain(title)])
  return table(['incident', 'state', 'severity', 'service', 'detected', 'firing', 'taken by', 'title'], cells)
}

/**
 * The incidents that are open, or all.
 *
 * @throws CommandError unreachable, problem when the server refuses
 */
export async function listIncidents(flags: ListFlags): Promise<string> {
  const query = new URLSearchParams({ ...(flags.all !== true && { state: 'open' }), ...(flags.service !== undefined && { service: flags.service }) })
  const answer = await answered<{ now: number; incidents: readonly Row[] }>(`${flags.url}/api/incidents?${query.toString()}`, flags)
  return flags.json === true ? JSON.stringify(answer, undefined, 2) : renderList(answer.incidents, answer.now, flags.all === true)
}

/** One incident as text: what it is, how it stands, what to do, and what happened. */
export function renderIncident({ incident, figures, timeline, evidence, runbooks }: Shown): string {
  const { id, title, state, revision, severity, services, environment, alerts, steps, onsetAt } = incident
  const firing = alerts.filter(({ status }) => status === 'firing')
  const lines = [
    `${id}  ${plain(title)}`,
    `${state} (revision ${revision}), ${severity === '' ? 'no severity' : severity}${services.length === 0 ? '' : `, ${services.map(plain).join(', ')}`}${environment === '' ? '' : `, ${plain(environment)}`}`,
    `began ${timeText(onsetAt)} (estimated); detected after ${lengthOf(figures.mttdMs)}, acknowledged after ${lengthOf(figures.mttaMs)}, mitigated after ${lengthOf(figures.mttmMs)}, resolved after ${lengthOf(figures.mttrMs)}`,
    `${alerts.length} alerts, ${firing.length} of them firing`,
  ]
  if (firing.length > 0) lines.push(...firing.slice(0, 20).map(({ rule, severity: own, annotations }) => `  ${plain(rule)} (${own}) ${plain(annotations['summary'] ?? annotations['description'] ?? '')}`.trimEnd()))
  if (runbooks.length > 0) lines.push('', 'Runbooks', ...runbooks.map((one) => `  ${one.name === '' ? plain(one.url) : `${one.name}: ${plain(one.title)}`}`))
  if (steps.length > 0) lines.push('', 'Done', ...steps.map(({ text, actor }) => `  [x] ${plain(text)} (${plain(actor)})`))
  lines.push('', 'Timeline', ...timeline.map((entry) => `  ${timeText(entry.at)}  ${plain(entry.text)}${entry.actor === 'andon' || entry.text.includes(entry.actor) ? '' : ` (${plain(entry.actor)})`}`))
  if (evidence.length > 0) lines.push('', 'Kept', ...evidence.map((one) => `  ${one.name}: ${plain(one.title)}`))
  return lines.join('\n')
}

/** @throws CommandError unreachable, problem where there is no such incident */
export async function showIncident(id: string, flags: IncidentFlags): Promise<string> {
  const shown = await answered<Shown>(pathOf(flags, id), flags)
  return flags.json === true ? JSON.stringify(shown, undefined, 2) : renderIncident(shown)
}

export interface StateFlags extends IncidentFlags {
  /** The one that was seen: where the incident has changed since, nothing is done. */
  readonly revision?: string
  readonly note?: string
  /** `RULE=real`, `RULE=noise` or `RULE=expected`. */
  readonly verdict?: readonly string[]
}

function verdictsOf(given: readonly string[]): Readonly<Record<string, AlertVerdict>> {
  return Object.fromEntries(
    given.map((one) => {
      const at = one.lastIndexOf('=')
      const verdict = (['real', 'noise', 'expected'] as const).find((word) => word === one.slice(at + 1))
      if (at < 1 || verdict === undefined) throw new CommandError(EXIT.usage, `"${one}" is no verdict; write RULE=real, RULE=noise or RULE=expected.`)
      return [one.slice(0, at), verdict]
    }),
  )
}

/**
 * Sets the state of an incident.
 *
 * @throws CommandError unreachable, usage, problem where it is there already or has changed since
 */
export async function setIncidentState(id: string, state: IncidentState, flags: StateFlags): Promise<string> {
  const { revision, note, verdict = [] } = flags
  if (revision !== undefined && !/^\d{1,15}$/.test(revision)) throw new CommandError(EXIT.usage, `The revision must be a whole number, not "${revision}".`)
  const body = { state, ...(revision !== undefined && { revision: Number(revision) }), ...(note !== undefined && { note }), ...(verdict.length > 0 && { verdicts: verdictsOf(verdict) }) }
  const incident = await answered<Incident>(pathOf(flags, id, '/state'), flags, { method: 'POST', body })
  return flags.json === true ? JSON.stringify(incident, undefined, 2) : `${incident.id} is ${incident.state} (revision ${incident.revision}).`
}

export interface CommentFlags extends IncidentFlags {
  readonly action?: boolean
  readonly owner?: string
}

/** Notes a comment, or an action item. @throws CommandError unreachable, problem when the server refuses */
export async function commentIncident(id: string, text: string, flags: CommentFlags): Promise<string> {
  const body = { text, ...(flags.action === true && { action: true }), ...(flags.owner !== undefined && { owner: flags.owner }) }
  const incident = await answered<Incident>(pathOf(flags, id, '/comments'), flags, { method: 'POST', body })
  return flags.json === true ? JSON.stringify(incident, undefined, 2) : `Noted in ${incident.id}.`
}

/** The draft of a post-mortem as Markdown, or with its figures and action items as JSON. @throws CommandError unreachable, problem where there is no such incident */
export async function postmortem(id: string, flags: IncidentFlags): Promise<string> {
  if (flags.json === true) return JSON.stringify(await answered<object>(pathOf(flags, id, '/postmortem'), flags), undefined, 2)
  const { status, bytes } = await request(pathOf(flags, id, '/postmortem.md'), flags)
  const text = new TextDecoder().decode(bytes)
  if (status === 200) return text.trimEnd()
  await answered(pathOf(flags, id), flags)
  throw new CommandError(EXIT.problem, `The server answered ${status}.`)
}
