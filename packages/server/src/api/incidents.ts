// Incidents: what there is, what people do about them, their runbooks, figures and post-mortems, and who is on call.
import { type FiguredIncident, type Incident, INCIDENT_STATES, type IncidentRow, type ListedRunbook, type Milliseconds, type OnCallSchedule, type Runbook, type TimeRange } from '@andon/model'
import type { FastifyInstance } from 'fastify'
import { closedAt, isOpen } from '../incidents/draft.ts'
import { figuresOf, summarize } from '../incidents/figures.ts'
import type { IncidentManager } from '../incidents/manager.ts'
import { type Schedule, shiftsFrom } from '../incidents/on-call.ts'
import { type Impact, type Postmortem, postmortemOf } from '../incidents/postmortem.ts'
import { qualityOf } from '../incidents/quality.ts'
import { type InstantQuery, runbooksFor, runChecks } from '../incidents/runbook.ts'
import type { RunbookShelf } from '../incidents/runbook-shelf.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Guard } from './guard.ts'
import { readComment, readNewIncident, readStateChange, readStep, readVerdicts } from './incident-bodies.ts'
import { parseTime, type Query, text, texts, timeRange, whole } from './parameters.ts'

export interface IncidentsApiDeps {
  readonly incidents: IncidentManager
  readonly runbooks: Pick<RunbookShelf, 'all' | 'find'>
  /** What the checks of runbooks are asked by. */
  readonly query: InstantQuery
  /** What an incident did to those who used its service; what is not known is null. */
  readonly impact: (incident: Incident, range: TimeRange) => Promise<Impact>
  readonly guard: Pick<Guard, 'actor'>
  readonly clock: Pick<Clock, 'now'>
}

interface OfIncident {
  readonly Params: { readonly id: string }
}

const LIVE = { config: { role: 'viewer', live: true } } as const
const VIEWER = { config: { role: 'viewer' } } as const
const EDITOR = { config: { role: 'editor' }, bodyLimit: 65_536 } as const
const LIST_MAX = 1000
const SHIFTS = 6

/** A row of a list. */
function rowOf(incident: Incident): IncidentRow {
  const { id, revision, title, state, severity, service, environment, services, openedBy, onsetAt, marks, reopened, alerts } = incident
  return {
    id,
    revision,
    title,
    state,
    severity,
    service,
    environment,
    services,
    openedBy,
    onsetAt,
    detectedAt: marks.detected.at,
    acknowledged: marks.acknowledged ?? null,
    resolvedAt: closedAt(incident) ?? null,
    reopened,
    alerts: alerts.length,
    firing: alerts.filter(({ status }) => status === 'firing').length,
    rules: [...new Set(alerts.map(({ rule }) => rule))].slice(0, 10),
    figures: figuresOf(incident),
  }
}

function figuredOf(incident: Incident): FiguredIncident {
  const { id, title, service, severity, state, marks } = incident
  return { id, title, service, severity, state, detectedAt: marks.detected.at, ...figuresOf(incident) }
}

function scheduleOf(schedule: Schedule, now: Milliseconds): OnCallSchedule {
  const shifts = shiftsFrom(schedule, now, SHIFTS)
  const current = shifts.find(({ from, to }) => from <= now && now < to) ?? null
  return { name: schedule.name, timeZone: schedule.timeZone, kind: schedule.kind, current, next: shifts.filter((shift) => shift !== current) }
}

function listedOf({ name, title, alerts, severity, owner, from, checks, actions }: Runbook): ListedRunbook {
  return { name, title, alerts, severity, owner, from, checks: checks.length, actions: actions.length }
}

/** The last four weeks where a request names no other time. */
function monthOf(query: Query, now: Milliseconds): TimeRange {
  return timeRange({ ...query, from: text(query, 'from') ?? 'now-28d' }, now)
}

/** All routes of incidents. */
export function registerIncidentsApi(app: FastifyInstance, deps: IncidentsApiDeps): void {
  registerReading(app, deps)
  registerChanging(app, deps)
  registerPostmortems(app, deps)
  registerFigures(app, deps)
  registerRunbooks(app, deps)
}

function registerReading(app: FastifyInstance, { incidents, runbooks, clock }: IncidentsApiDeps): void {
  app.get<{ Querystring: Query }>('/api/incidents', LIVE, ({ query }) => {
    const now = clock.now()
    const isTimed = text(query, 'from') !== undefined || text(query, 'to') !== undefined
    const asked = texts(query, 'state').flatMap((one) => one.split(','))
    const states = INCIDENT_STATES.filter((one) => asked.includes(one) || (asked.includes('open') && isOpen({ state: one })))
    const list = incidents.list({ range: isTimed ? monthOf(query, now) : undefined, states, service: text(query, 'service'), limit: whole(query, 'limit', { min: 1, max: LIST_MAX, otherwise: 100 }) })
    return { now, incidents: list.map(rowOf) }
  })
  app.get<OfIncident>('/api/incidents/:id', LIVE, async ({ params }) => {
    const incident = await incidents.find(params.id)
    const [timeline, evidence] = await Promise.all([incidents.timeline(incident.id), incidents.evidenceNames(incident)])
    return {
      now: clock.now(),
      incident,
      figures: figuresOf(incident),
      objectives: incidents.options.objectives,
      timeline,
      evidence,
      runbooks: runbooksFor(incident, runbooks.all()),
    }
  })
  app.get<OfIncident>('/api/incidents/:id/evidence', VIEWER, async ({ params }) => {
    const { id } = await incidents.find(params.id)
    return { evidence: await incidents.evidence(id) }
  })
}

function registerChanging(app: FastifyInstance, { incidents, runbooks, guard }: IncidentsApiDeps): void {
  app.post('/api/incidents', EDITOR, async (request) => await incidents.create(readNewIncident(request.body), guard.actor(request).name))
  app.post<OfIncident>('/api/incidents/:id/state', EDITOR, async (request) => {
    const { verdicts, ...change } = readStateChange(request.body)
    return await incidents.setState(request.params.id, change, guard.actor(request).name, verdicts)
  })
  app.post<OfIncident>('/api/incidents/:id/comments', EDITOR, async (request) => await incidents.comment(request.params.id, readComment(request.body), guard.actor(request).name))
  app.post<OfIncident>('/api/incidents/:id/steps', EDITOR, async (request) => {
    const { runbook, ...step } = readStep(request.body)
    return await incidents.tick(request.params.id, runbooks.find(runbook), step, guard.actor(request).name)
  })
  app.post<OfIncident>('/api/incidents/:id/quality', EDITOR, async (request) => await incidents.judge(request.params.id, readVerdicts(request.body), guard.actor(request).name))
}

function registerPostmortems(app: FastifyInstance, { incidents, runbooks, impact, clock }: IncidentsApiDeps): void {
  const draft = async (id: string): Promise<Postmortem> => {
    const incident = await incidents.find(id)
    const now = clock.now()
    const range = { start: incident.onsetAt, end: Math.max(incident.onsetAt + 1000, closedAt(incident) ?? now) }
    const [timeline, evidence, done] = await Promise.all([incidents.timeline(incident.id), incidents.evidence(incident.id), impact(incident, range)])
    return postmortemOf({ incident, timeline, evidence, impact: done, objectives: incidents.options.objectives, runbooks: runbooksFor(incident, runbooks.all()).map(({ title }) => title), now })
  }
  app.get<OfIncident>('/api/incidents/:id/postmortem', VIEWER, async ({ params }) => await draft(params.id))
  app.get<OfIncident>('/api/incidents/:id/postmortem.md', VIEWER, async ({ params }, reply) => {
    const { incident, markdown } = await draft(params.id)
    return reply.header('content-disposition', `attachment; filename="${incident}.md"`).type('text/markdown; charset=utf-8').send(markdown)
  })
}

function registerFigures(app: FastifyInstance, { incidents, clock }: IncidentsApiDeps): void {
  app.get<{ Querystring: Query }>('/api/incidents/figures', LIVE, ({ query }) => {
    const range = monthOf(query, clock.now())
    const found = incidents.list({ range, states: [], service: text(query, 'service'), limit: Infinity })
    return {
      from: range.start,
      to: range.end,
      incidents: found.length,
      open: found.filter(isOpen).length,
      figures: summarize(found, incidents.options.objectives),
      each: found.slice(0, LIST_MAX).map(figuredOf),
    }
  })
  app.get<{ Querystring: Query }>('/api/alert-quality', LIVE, ({ query }) => {
    const range = monthOf(query, clock.now())
    const found = incidents.list({ range, states: [], service: text(query, 'service'), limit: Infinity })
    const { alertBudget } = incidents.options
    return { from: range.start, to: range.end, budget: alertBudget === undefined ? null : { pages: alertBudget.pages, perMs: alertBudget.perMs }, rules: qualityOf(found, range, (rule) => incidents.demoted(rule)) }
  })
  app.get('/api/on-call', LIVE, () => {
    const now = clock.now()
    const { schedules, escalation } = incidents.options
    return { now, schedules: schedules.map((schedule) => scheduleOf(schedule, now)), policies: escalation }
  })
}

function registerRunbooks(app: FastifyInstance, { incidents, runbooks, query: ask, clock }: IncidentsApiDeps): void {
  app.get('/api/runbooks', VIEWER, () => ({ runbooks: runbooks.all().map(listedOf) }))
  app.get<{ Params: { readonly name: string }; Querystring: Query }>('/api/runbooks/:name', LIVE, async ({ params, query }) => {
    const runbook = runbooks.find(params.name)
    const id = text(query, 'incident')
    const incident = id === undefined ? undefined : await incidents.find(id)
    const service = text(query, 'service') ?? incident?.service
    const at = parseTime('at', text(query, 'at') ?? 'now', clock.now())
    return {
      runbook,
      at,
      service: service ?? '',
      // Nothing is asked of the database for somebody who only reads.
      results: service === undefined ? null : await runChecks(runbook, service, at, ask),
      ticked: incident?.steps.filter((step) => step.runbook === runbook.name) ?? [],
    }
  })
}
