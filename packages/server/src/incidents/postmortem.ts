// The draft of a post-mortem: what is known, as figures and a table, and questions for the people who were there.
import type { Evidence, FigureObjectives, Incident, IncidentFigures, Milliseconds, Ratio, TimelineEntry } from '@andon/model'
import { closedAt } from './draft.ts'
import { figuresOf } from './figures.ts'
import { minutes, short, type Suspect, suspectsOf } from './suspects.ts'

/** What an incident did to those who used the service; null where it is not known. */
export interface Impact {
  readonly requests: number | null
  readonly failed: number | null
  /** Of each objective the share of its whole error budget that was burned within the incident. */
  readonly budgets: readonly { readonly objective: string; readonly burned: Ratio }[]
}

/** Something that is to be done so that it does not happen again. */
export interface ActionItem {
  readonly title: string
  /** '' where nobody has taken it. */
  readonly owner: string
  /** Said by a person, or proposed because of what is known. */
  readonly origin: 'person' | 'proposed'
  /** The incident that it comes from. */
  readonly incident: string
}

export interface Postmortem {
  readonly incident: string
  readonly figures: IncidentFigures
  readonly impact: Impact
  readonly suspects: readonly Suspect[]
  readonly actions: readonly ActionItem[]
  readonly markdown: string
}

export interface PostmortemSource {
  readonly incident: Incident
  readonly timeline: readonly TimelineEntry[]
  readonly evidence: readonly Evidence[]
  readonly impact: Impact
  readonly objectives: FigureObjectives
  /** Names of runbooks that fit. */
  readonly runbooks: readonly string[]
  readonly now: Milliseconds
}

const ROWS_MAX = 300

const timeText = (time: Milliseconds): string => new Date(time).toISOString().replace('T', ' ').replace(/\.\d+Z$/, 'Z')
/** Text of others within a line or a cell of a table. */
const inLine = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll(/[\\`*_[\]<>|#]/g, (character) => `\\${character}`)
const orUnknown = (value: Milliseconds | null): string => (value === null ? '–' : minutes(value))

function actionsOf({ incident, timeline, runbooks, objectives }: PostmortemSource, figures: IncidentFigures): ActionItem[] {
  const said = timeline.filter(({ kind }) => kind === 'action').map(({ text, detail }): ActionItem => ({ title: text, owner: typeof detail['owner'] === 'string' ? detail['owner'] : '', origin: 'person', incident: incident.id }))
  const proposals: string[] = []
  if (figures.mttdMs >= objectives.detectMs) proposals.push(`Find it sooner: it was detected ${minutes(figures.mttdMs)} after its onset; the objective is ${minutes(objectives.detectMs)}.`)
  if (figures.mttrMs !== null && figures.mttrMs >= objectives.resolveMs) proposals.push(`End it sooner: it took ${minutes(figures.mttrMs)} from its onset; the objective is ${minutes(objectives.resolveMs)}.`)
  if (incident.openedBy.kind === 'person') proposals.push('Write a rule or an objective that finds this: a person had to.')
  if (runbooks.length === 0) proposals.push('Write a runbook: there was none for these alerts.')
  if (incident.reopened > 0) proposals.push(`Find out why it came back: it was reopened ${incident.reopened} times.`)
  for (const [rule, { verdict }] of Object.entries(incident.verdicts)) if (verdict === 'noise') proposals.push(`Mend the rule ${rule}: it was judged to be noise.`)
  if (timeline.some(({ kind, detail }) => kind === 'notification' && detail['state'] === 'given-up')) proposals.push('Mend the channels that could not be told.')
  return [...said, ...proposals.map((title): ActionItem => ({ title, owner: '', origin: 'proposed', incident: incident.id }))]
}

function summary({ incident, now }: PostmortemSource, figures: IncidentFigures): string {
  const { title, severity, service, environment, onsetAt, marks, alerts, reopened } = incident
  const closed = closedAt(incident)
  const where = service === '' ? '' : ` of ${inLine(service)}${environment === '' ? '' : ` in ${inLine(environment)}`}`
  const took = closed === undefined ? `It is not over; it has lasted ${minutes(now - onsetAt)} so far.` : `It was over at ${timeText(closed)}, ${minutes(Math.max(0, closed - onsetAt))} after it began.`
  return [
    `**${inLine(title)}** (${severity === '' ? 'no severity' : inLine(severity)})${where}. It began at ${timeText(onsetAt)} (estimated), and was detected ${minutes(figures.mttdMs)} later, at ${timeText(marks.detected.at)}.`,
    `${took} ${alerts.length} alerts belong to it${reopened > 0 ? `; it was reopened ${reopened} times` : ''}.`,
  ].join(' ')
}

function impactLines({ requests, failed, budgets }: Impact): string[] {
  const share = requests !== null && requests > 0 && failed !== null ? ` of ${short(Math.round(requests))} (${short((failed / requests) * 100)} %)` : ''
  return [
    `- Requests that failed: ${failed === null ? 'not known' : `${short(Math.round(failed))}${share}`}`,
    ...(budgets.length === 0 ? ['- Error budget burned: not known, or no objective is set'] : budgets.map(({ objective, burned }) => `- Error budget of ${inLine(objective)} burned: ${short(burned * 100)} %`)),
    '- Users concerned: _fill in_',
  ]
}

function row(name: string, value: Milliseconds | null, from: string, objective: Milliseconds | null): string {
  const held = value === null || objective === null ? '' : value < objective ? 'kept' : 'missed'
  return `| ${name} | ${orUnknown(value)} | ${from} | ${objective === null ? '' : `< ${minutes(objective)}`} | ${held} |`
}

function figureRows(figures: IncidentFigures, { detectMs, acknowledgeMs, resolveMs }: FigureObjectives): string[] {
  return [
    '| figure | time | from – to | objective | |',
    '|---|---|---|---|---|',
    row('to detect (MTTD)', figures.mttdMs, 'onset – detection', detectMs),
    row('to acknowledge (MTTA)', figures.mttaMs, 'detection – acknowledgement', acknowledgeMs),
    row('to mitigate (MTTM)', figures.mttmMs, 'onset – mitigation', null),
    row('to resolve (MTTR)', figures.mttrMs, 'onset – resolution', resolveMs),
  ]
}

function timelineRows(timeline: readonly TimelineEntry[]): string[] {
  const rows = timeline.slice(0, ROWS_MAX).map(({ at, kind, actor, text }) => `| ${timeText(at)} | ${kind} | ${inLine(actor)} | ${inLine(text)} |`)
  return ['| time (UTC) | what | who | |', '|---|---|---|---|', ...rows, ...(timeline.length > ROWS_MAX ? [`| | | | ${timeline.length - ROWS_MAX} more entries |`] : [])]
}

function causeLines(suspects: readonly Suspect[]): string[] {
  if (suspects.length === 0) return ['Nothing was deployed and no kept course changed its level in the two hours before the onset.']
  const lines = suspects.map(({ kind, at, text, beforeOnsetMs }) => `- ${timeText(at)} ${kind === 'deploy' ? '**deploy** ' : ''}${inLine(text)} – ${beforeOnsetMs >= 0 ? `${minutes(beforeOnsetMs)} before the onset` : `${minutes(-beforeOnsetMs)} after the estimated onset`}`)
  return ['What came shortly before it; that is a hint, and no proof:', '', ...lines, '', 'The cause, as far as it is known now: _fill in_']
}

/** Drafts the post-mortem of an incident. Times are UTC. */
export function postmortemOf(source: PostmortemSource): Postmortem {
  const { incident, timeline, evidence, impact, objectives } = source
  const figures = figuresOf(incident)
  const suspects = suspectsOf(incident, timeline, evidence)
  const actions = actionsOf(source, figures)
  const kept = evidence.map(({ title, name }) => `- ${inLine(title)} (\`${name}\`)`)
  const lines = [
    `# Post-mortem of ${incident.id}: ${inLine(incident.title)}`,
    '',
    '_Draft, made from what was recorded. Blameless: it asks what let this happen, not who._',
    '',
    '## Summary',
    summary(source, figures),
    '',
    '## Impact',
    ...impactLines(impact),
    '',
    '## Detection and response',
    ...figureRows(figures, objectives),
    '',
    '## Suspected cause',
    ...causeLines(suspects),
    '',
    '## Timeline',
    ...timelineRows(timeline),
    '',
    '## What went well',
    '_What found it? What shortened it? Which step of the runbook helped?_',
    '',
    '## What went badly',
    '_What hid it? What cost time? Which alert, runbook or access was missing? Was anybody called for nothing?_',
    '',
    '## Where we were lucky',
    '_What could have made it worse, and did not?_',
    '',
    '## Action items',
    ...(actions.length === 0 ? ['- [ ] _none yet_'] : actions.map(({ title, owner, origin }) => `- [ ] ${inLine(title)}${owner === '' ? '' : ` (${inLine(owner)})`}${origin === 'proposed' ? ' _(proposed)_' : ''}`)),
    '',
    '## Evidence',
    ...(kept.length === 0 ? ['None was kept.'] : kept),
    '',
  ]
  return { incident: incident.id, figures, impact, suspects, actions, markdown: lines.join('\n') }
}
