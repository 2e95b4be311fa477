// All incidents: opened by alerts and people, changed one after the other, each change stored before it has an effect.
import { type AlertChange, type AlertVerdict, AndonError, type Delivery, type DeployMarker, environmentOfLabels, type Evidence, type Incident, type IncidentBook, type Milliseconds, type Runbook, serviceOfLabels, type TimelineEntry } from '@andon/model'
import type { OwnCounter } from '../runtime/own-metrics.ts'
import { ruleOf } from './alert-facts.ts'
import { BudgetBook, type Demotion, withBudget } from './alert-budget.ts'
import { ANDON, type Draft, isOpen, withEntriesBefore } from './draft.ts'
import { deliveryEntry, deployEntry, mayConcern } from './entries.ts'
import { type EscalationView, planDue, withEscalation } from './escalation.ts'
import { EscalationTimers } from './escalation-timers.ts'
import { type EvidenceName, EvidenceShelf } from './evidence-shelf.ts'
import type { IncidentDeps } from './incident-deps.ts'
import { entryRow, evidenceRow, incidentRow, type IncidentRow, isIncident, outboxRow } from './incident-log.ts'
import { IncidentIds } from './incident-ids.ts'
import { isLive, OPEN_MAX, planJoin, severityOf } from './join.ts'
import { Neighbourhood } from './neighbourhood.ts'
import { onCallAt } from './on-call.ts'
import { Pinning, type PinStage } from './pinning.ts'
import type { IncidentOptions } from './schema.ts'
import { Serial } from './serial.ts'
import { type IncidentQuery, Shelf } from './shelf.ts'
import { type NewIncident, planComment, planNew, planState, planStep, planVerdicts, type StateChange } from './states.ts'
import { Timelines } from './timelines.ts'

/** Owns its timers from `start` to `stop`. May be called concurrently. */
export class IncidentManager implements IncidentBook {
  readonly #deps: IncidentDeps
  readonly #options: IncidentOptions
  readonly #shelf = new Shelf()
  readonly #serial = new Serial()
  readonly #ids = new IncidentIds()
  readonly #near: Neighbourhood
  readonly #timelines: Timelines
  readonly #evidence: EvidenceShelf
  readonly #budget: BudgetBook
  readonly #pinning: Pinning
  readonly #timers: EscalationTimers
  readonly #opened: OwnCounter
  readonly #escalated: OwnCounter
  readonly #refused: OwnCounter
  #running = false

  private constructor(deps: IncidentDeps, options: IncidentOptions) {
    const { own, log, clock } = deps
    this.#deps = deps
    this.#options = options
    this.#timelines = new Timelines(log)
    this.#evidence = new EvidenceShelf(log)
    this.#near = new Neighbourhood(deps.neighbours, clock, deps.logger)
    this.#timers = new EscalationTimers(clock, deps.logger, (id) => this.#due(id))
    this.#budget = new BudgetBook(options.alertBudget)
    this.#pinning = new Pinning({
      clock,
      logger: deps.logger,
      source: deps.evidence,
      deploys: deps.deploys,
      neighbours: (service) => this.#near.of(service),
      find: (id) => this.#shelf.find(id),
      keep: (id, stage, entries, evidence) => this.#keep(id, stage, entries, evidence),
    })
    this.#opened = own.counter('andon_incidents_opened_total', 'Incidents that were opened.')
    this.#escalated = own.counter('andon_incidents_escalations_total', 'Messages of escalations that were decided.')
    this.#refused = own.counter('andon_incidents_refused_total', 'Alerts that joined no incident because too many are open.')
    own.gauge('andon_incidents_open', 'Incidents that are open.', () => this.#shelf.openCount)
    own.gauge('andon_incidents_entries_left_out', 'Entries of timelines that were left out because their incident has too many, since the start.', () => this.#timelines.leftOut)
    own.gauge('andon_incidents_evidence_dropped', 'Incidents whose evidence was not kept because too many waited, since the start.', () => this.#pinning.dropped)
  }

  /** Reads what there is. No timer runs before `start`. A document that is not understood any more is left out. */
  static async open(deps: IncidentDeps, options: IncidentOptions): Promise<IncidentManager> {
    const manager = new IncidentManager(deps, options)
    const found = (await deps.log.latest('incident')).flatMap(({ doc }) => (isIncident(doc) ? [doc] : []))
    const now = deps.clock.now()
    for (const incident of found.toSorted((a, b) => a.marks.detected.at - b.marks.detected.at)) {
      manager.#shelf.put(incident)
      manager.#budget.note(incident, now)
      manager.#ids.note(incident.id)
    }
    return manager
  }

  /** Goes on with escalations and evidence where they were left. */
  start(): void {
    this.#running = true
    for (const incident of this.#shelf.all()) {
      this.#timers.set(incident)
      this.#pinning.note(incident, true)
    }
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    this.#running = false
    this.#timers.clear()
    await this.#pinning.stop()
    await this.#serial.idle()
  }

  get options(): IncidentOptions {
    return this.#options
  }

  async join(changes: readonly AlertChange[]): Promise<ReadonlyMap<string, string>> {
    return await this.#serial.run(async () => {
      const near = await this.#near.ofAlerts(changes)
      const now = this.#deps.clock.now()
      const plan = planJoin(
        changes,
        {
          shelf: this.#shelf,
          neighbours: (service) => near.get(service) ?? new Set(),
          isDemoted: (alert, at) => this.#budget.demotionOf(alert, at) !== undefined,
          holdMs: this.#deps.holdMs,
          nextId: () => this.#ids.next(this.#deps.clock.now()),
          now,
        },
        this.#options,
      )
      await this.#commit([...plan.drafts.values()].map((draft) => withBudget(draft, this.#budget, now)), ANDON)
      if (plan.refused > 0) this.#refused.add(plan.refused)
      return plan.incidents
    })
  }

  /** What comes back while its incident is open, or within the cooldown, is the same trouble and pages as it did. */
  ticketBecause({ alert, fingerprint, at }: AlertChange): string | undefined {
    const demotion = this.#options.open.includes(severityOf(alert)) ? this.#budget.demotionOf(alert, at) : undefined
    if (demotion === undefined) return undefined
    const { labels } = alert
    const earlier = [this.#shelf.ofAlert(fingerprint), this.#shelf.closedLast(ruleOf(labels), serviceOfLabels(labels), environmentOfLabels(labels))]
    const isContinued = earlier.some((id) => id !== undefined && isLive(this.#shelf.find(id), at, this.#options.cooldownMs))
    return isContinued ? undefined : demotion.reason
  }

  async told(deliveries: readonly Delivery[]): Promise<void> {
    await this.#serial.run(async () => {
      const drafts = new Map<string, Draft>()
      for (const delivery of deliveries) {
        const incident = drafts.get(delivery.incident)?.incident ?? (await this.#load(delivery.incident))
        if (incident === undefined) continue
        const { entries = [] } = drafts.get(incident.id) ?? {}
        drafts.set(incident.id, { incident, entries: [...entries, deliveryEntry(delivery)], notifications: [] })
      }
      await this.#commit([...drafts.values()], ANDON)
    })
  }

  /** Notes a deploy in the timelines of open incidents that it may concern. */
  async deployed(marker: DeployMarker): Promise<void> {
    await this.#serial.run(async () => {
      const concerned = [...this.#shelf.open()].filter((incident) => mayConcern(marker, incident))
      await this.#commit(concerned.map((incident) => ({ incident, entries: [deployEntry(marker)], notifications: [] })), ANDON)
    })
  }

  /** @throws AndonError overloaded where too many are open */
  async create(given: NewIncident, actor: string): Promise<Incident> {
    return await this.#serial.run(async () => {
      if (this.#shelf.openCount >= OPEN_MAX) throw new AndonError('overloaded', `${OPEN_MAX} incidents are open already.`, { hint: 'Resolve those that are over.' })
      return await this.#store(planNew(this.#ids.next(this.#deps.clock.now()), given, { actor, now: this.#deps.clock.now() }), actor)
    }, true)
  }

  /**
   * Sets a state, and with it what alerts were good for where somebody says so.
   *
   * @param verdicts - by rule; empty for none
   * @throws AndonError not_found; conflict where it has changed since; bad_body where it has no alert of a rule; then nothing has changed
   */
  async setState(id: string, change: StateChange, actor: string, verdicts: Readonly<Record<string, AlertVerdict>> = {}): Promise<Incident> {
    const incident = await this.#act(id, actor, (before, now) => {
      const judged = planVerdicts(before, verdicts, { actor, now })
      return withEntriesBefore(judged.entries, planState(judged.incident, change, { actor, now }, (fingerprint) => this.#shelf.ofAlert(fingerprint) === id))
    })
    return await this.#pass(incident, verdicts)
  }

  /** @throws AndonError not_found */
  async comment(id: string, said: { readonly text: string; readonly action: boolean; readonly owner: string }, actor: string): Promise<Incident> {
    return await this.#act(id, actor, (incident, now) => planComment(incident, said, { actor, now }))
  }

  /** @throws AndonError not_found; bad_body where the runbook has no such step */
  async tick(id: string, runbook: Runbook, step: { readonly step: number; readonly done: boolean }, actor: string): Promise<Incident> {
    return await this.#act(id, actor, (incident, now) => planStep(incident, runbook, step, { actor, now }))
  }

  /** @throws AndonError not_found; bad_body where it has no alert of a rule */
  async judge(id: string, verdicts: Readonly<Record<string, AlertVerdict>>, actor: string): Promise<Incident> {
    return await this.#pass(await this.#act(id, actor, (incident, now) => planVerdicts(incident, verdicts, { actor, now })), verdicts)
  }

  /** @throws AndonError not_found */
  async find(id: string): Promise<Incident> {
    const incident = await this.#load(id)
    if (incident === undefined) throw new AndonError('not_found', `There is no incident "${id.slice(0, 60)}".`, { hint: 'GET /api/incidents lists them.' })
    return incident
  }

  /** The one that was detected last first. */
  list(query: IncidentQuery): Incident[] {
    return this.#shelf.list(query)
  }

  /** What happened in an incident, the oldest first. */
  async timeline(id: string): Promise<readonly TimelineEntry[]> {
    return await this.#timelines.of(id)
  }

  /** What was kept of an incident. */
  async evidence(id: string): Promise<readonly Evidence[]> {
    return await this.#evidence.of(id)
  }

  /** The same without what it holds. */
  async evidenceNames(incident: Incident): Promise<readonly EvidenceName[]> {
    return await this.#evidence.names(incident)
  }

  /**
   * Whether the pages of a rule are tickets now, because it has used up its budget. For the pipeline of alerts.
   *
   * @param service - whose alerts; undefined for whichever is demoted the longest
   */
  demoted(rule: string, service?: string): Demotion | undefined {
    return this.#budget.demoted(rule, service, this.#deps.clock.now())
  }

  /** Hands verdicts on; what was stored holds whatever becomes of that. */
  async #pass(incident: Incident, verdicts: Readonly<Record<string, AlertVerdict>>): Promise<Incident> {
    if (Object.keys(verdicts).length > 0) await this.#deps.judged?.(incident, verdicts).catch((error: unknown) => this.#deps.logger.warn('verdicts could not be handed on', { incident: incident.id, error: String(error) }))
    return incident
  }

  async #act(id: string, actor: string, plan: (incident: Incident, now: Milliseconds) => Draft): Promise<Incident> {
    return await this.#serial.run(async () => await this.#store(plan(await this.find(id), this.#deps.clock.now()), actor), true)
  }

  async #store(draft: Draft, actor: string): Promise<Incident> {
    return (await this.#commit([draft], actor))[0] ?? draft.incident
  }

  async #load(id: string): Promise<Incident | undefined> {
    const held = this.#shelf.find(id)
    if (held !== undefined || id === '' || id.length > 64) return held
    const [row] = await this.#deps.log.history('incident', id, 1)
    return row !== undefined && isIncident(row.doc) ? row.doc : undefined
  }

  #escalationView(): EscalationView {
    const { escalation, schedules } = this.#options
    return {
      policies: escalation,
      onCall: (name, at) => {
        const schedule = schedules.find((one) => one.name === name)
        return schedule === undefined ? undefined : onCallAt(schedule, at)
      },
      now: this.#deps.clock.now(),
    }
  }

  /** Stores drafts with their messages in one insert; then, and only then, they hold. */
  async #commit(drafts: readonly Draft[], actor: string, further: readonly IncidentRow[] = []): Promise<Incident[]> {
    const { log, outbox, clock } = this.#deps
    const view = this.#escalationView()
    const whole = drafts.map((draft) => withEscalation(this.#shelf.find(draft.incident.id), draft, view))
    const entries: (readonly TimelineEntry[])[] = []
    for (const draft of whole) entries.push(await this.#timelines.fresh(draft.incident.id, draft.entries))
    const notifications = whole.flatMap((draft) => draft.notifications)
    const rows = whole.flatMap(({ incident }, index) => [
      ...(incident === this.#shelf.find(incident.id) ? [] : [incidentRow(incident, actor)]),
      ...(entries[index] ?? []).map((one) => entryRow(incident, one)),
    ])
    if (rows.length + further.length === 0) return whole.map(({ incident }) => incident)
    await log.append([...rows, ...further, ...outbox.entries(notifications).map(outboxRow)])
    for (const [index, { incident }] of whole.entries()) {
      const before = this.#shelf.find(incident.id)
      if (before === undefined && incident.revision === 1) this.#opened.add(1)
      this.#shelf.put(incident)
      this.#budget.note(incident, clock.now())
      await this.#timelines.stored(incident.id, entries[index] ?? [])
      if (!this.#running) continue
      this.#timers.set(incident)
      this.#pinning.note(incident, before === undefined || (isOpen(incident) && !isOpen(before)))
    }
    this.#escalated.add(notifications.filter(({ reason }) => reason === 'escalation').length)
    outbox.deliver(notifications)
    return whole.map(({ incident }) => incident)
  }

  async #due(id: string): Promise<void> {
    await this.#serial.run(async () => {
      const incident = this.#shelf.find(id)
      if (incident === undefined || !this.#running) return
      const draft = planDue(incident, this.#escalationView())
      if (draft === undefined) this.#timers.set(incident)
      else await this.#commit([draft], ANDON)
    })
  }

  /** Stores what was copied of an incident. */
  async #keep(id: string, stage: PinStage, entries: readonly TimelineEntry[], evidence: readonly Evidence[]): Promise<void> {
    await this.#serial.run(async () => {
      const incident = this.#shelf.find(id)
      if (incident === undefined || (stage === 'resolved' && isOpen(incident))) return
      const kept = stage === 'deploys' ? incident : { ...incident, evidenceAt: { ...incident.evidenceAt, [stage]: this.#deps.clock.now() } }
      await this.#commit([{ incident: kept, entries, notifications: [] }], ANDON, evidence.map((one) => evidenceRow(incident, one)))
    })
  }
}
