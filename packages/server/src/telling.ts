// The telling half: from what finds something wrong to whom it is told. Connected here, for App alone.
import { AndonError, type AlertReceiver, type DeployMarker, type IncidentBook, type Labels, type Milliseconds, type Objective, type StateEntry, type TimeRange } from '@andon/model'
import { AlertManager } from './alerts/manager.ts'
import type { TellingApiDeps } from './api/telling.ts'
import type { Guard } from './api/guard.ts'
import type { Options } from './config.ts'
import { DeployBook } from './detect/deploy-book.ts'
import { DetectManager } from './detect/manager.ts'
import { ReleaseWatch } from './detect/release-watch.ts'
import { SliceReader } from './detect/slices.ts'
import { IncidentManager } from './incidents/manager.ts'
import { RunbookShelf } from './incidents/runbook-shelf.ts'
import type { MetricIngest } from './ingest/metrics.ts'
import { writtenSample } from './ingest/written-points.ts'
import { Notifier } from './notify/notifier.ts'
import type { Engine, QueryResult } from './query/engine.ts'
import type { Evaluator } from './query/grid.ts'
import { IncidentEvidenceReader, type IncidentSources } from './query/incident-evidence.ts'
import { NeighbourReader } from './query/neighbours.ts'
import { Backtests } from './rules/backtests.ts'
import { RuleManager } from './rules/manager.ts'
import { OwnRules } from './rules/own-rules.ts'
import { readRuleFiles, readRules, type RuleGroup } from './rules/schema.ts'
import { TelemetryWatch } from './rules/telemetry.ts'
import type { Clock } from './runtime/clock.ts'
import type { Log } from './runtime/log.ts'
import type { OwnMetrics } from './runtime/own-metrics.ts'
import { DEFAULT_RULES, DEFAULT_RULES_FILE } from './slo/default-rules.ts'
import { ObjectiveManager } from './slo/manager.ts'
import { ObjectiveReader } from './slo/reader.ts'
import { readObjectiveFiles } from './slo/schema.ts'
import type { Store } from './store/index.ts'
import { isStateKind, type StateLog, type StateRow } from './store/state.ts'
import { ownVersion } from './version.ts'

export interface TellingDeps {
  readonly store: Store
  readonly engine: Engine
  readonly evaluator: Evaluator
  readonly metrics: Pick<MetricIngest, 'acceptPoints'>
  readonly sources: Pick<IncidentSources, 'spans' | 'errors' | 'statements'>
  readonly clock: Clock
  readonly log: Log
  readonly own: OwnMetrics
  readonly guard: Guard
  /** Where people reach this server. */
  readonly externalUrl: string
}

/** What is read from files before anything is opened, so that a fault in one of them opens nothing. */
export interface TellingFiles {
  readonly groups: readonly RuleGroup[]
  readonly objectives: readonly Objective[]
}

/** @throws AndonError bad_rules, bad_config */
export function readTellingFiles({ rules, objectives }: Pick<Options, 'rules' | 'objectives'>): TellingFiles {
  const defaults = objectives.defaults ? readRules(DEFAULT_RULES, DEFAULT_RULES_FILE) : []
  return { groups: [...readRuleFiles(rules.files), ...rules.simple, ...defaults], objectives: readObjectiveFiles(objectives.files) }
}

const DEPLOYS_MAX = 200

interface Parts {
  readonly notifier: Notifier
  readonly incidents: IncidentManager
  readonly alerts: AlertManager
  readonly rules: RuleManager
  readonly objectives: ObjectiveManager
  readonly detect: DetectManager
  readonly releases: ReleaseWatch
  readonly runbooks: RunbookShelf
}

/** Rules, objectives and detectors hand alerts to the alert manager, which joins them to incidents and tells people through the outbox. */
export class Telling {
  readonly #parts: Parts
  readonly api: TellingApiDeps

  private constructor(parts: Parts, api: TellingApiDeps) {
    this.#parts = parts
    this.api = api
  }

  /** Reads what each part knew. Nothing is evaluated and nobody is told before `start`. @throws AndonError bad_config, bad_rules */
  static async open(options: Options, { groups, objectives }: TellingFiles, deps: TellingDeps): Promise<Telling> {
    const { store, engine, evaluator, clock, log, own, guard, externalUrl } = deps
    const shared = { clock, logger: log, own }
    const state = openLog(store.state)
    // Each part below hands something to one that is made after it: nothing is handed before `start`.
    const late: { alerts?: AlertManager; incidents?: IncidentManager; rules?: RuleManager; detect?: DetectManager } = {}
    const receiver: AlertReceiver = { accept: async (alerts) => await late.alerts?.accept(alerts) }
    const told: Pick<IncidentBook, 'told'> = { told: async (deliveries) => await late.incidents?.told(deliveries) }
    const query = async (expression: string, time: Milliseconds): Promise<readonly { readonly labels: Labels; readonly value: number }[]> => vectorOf(await engine.instant(expression, time))
    const course = async (expression: string, { start, end }: TimeRange, step: Milliseconds): Promise<Courses> => coursesOf(await engine.range(expression, start, end, step))

    const notifier = await Notifier.open({ ...shared, options: options.notify, externalUrl: options.externalUrl, log: state, alerts: receiver, incidents: told, series: async (expression, range, step) => (await course(expression, range, step)).map(({ labels, points }) => ({ labels, times: points.map(([time]) => time), values: points.map(([, value]) => value) })) })
    const near = new NeighbourReader(store.edges, clock)
    const evidence = new IncidentEvidenceReader({ ...deps.sources, engine })
    const runbooks = RunbookShelf.open(options.incidents.runbooksDir)
    const deploys = await DeployBook.open(store.state, clock.now())
    const incidents = await IncidentManager.open(
      {
        ...shared,
        log: state,
        outbox: notifier.outbox,
        neighbours: (service) => near.of(service),
        deploys: (services, { start, end }) => Promise.resolve(deploys.list({ start, end, limit: DEPLOYS_MAX }).filter(({ service }) => service === '' || services.includes(service))),
        evidence,
        holdMs: (rule) => holdOf(late.rules, rule),
        judged: async (incident, verdicts) => {
          for (const { rule, source, service, onsetAt, endsAt } of incident.alerts) {
            const verdict = verdicts[rule]
            if (source === 'detector' && verdict !== undefined) await late.detect?.review(service, { start: onsetAt, end: endsAt ?? clock.now() }, verdict !== 'noise')
          }
        },
      },
      options.incidents,
    )
    late.incidents = incidents
    const alerts = await AlertManager.open(options.alerting, { ...shared, log: state, incidents, outbox: notifier.outbox, dependsOn: async (service) => [...(await near.calledBy(service))] })
    late.alerts = alerts

    const ownRules = await OwnRules.open(store.state, { now: () => clock.now(), broken: (id, error) => log.warn('an own rule is not understood any more', { id, error: String(error) }) })
    const watch = new TelemetryWatch(options.rules.telemetryMissing, { query, now: () => clock.now(), own })
    const rules = await RuleManager.open(
      groups,
      {
        ...shared,
        query,
        log: store.state,
        receiver,
        write: async (points) => {
          // What a rule makes has the labels that the rule gave it: no service is made of its job.
          await deps.metrics.acceptPoints({ points: points.map(({ labels, time, value, isStale }) => writtenSample({ service_name: '', ...labels }, { type: 'gauge', ts: time, value, stale: isStale })), described: [] }, points.length * 100)
        },
      },
      { ...options.rules, externalUrl },
      { own: ownRules.groups(), telemetry: watch.groups() },
    )
    late.rules = rules
    ownRules.onChange((changed) => rules.reload(changed, 'own'))

    const managed = await ObjectiveManager.open(objectives, { ...shared, query: async (expression, start, end, step) => await course(expression, { start, end }, step), slices: store.slices, receiver, log: store.state }, { ...options.objectives, externalUrl: () => externalUrl })
    const detect = await DetectManager.open({ ...shared, evaluator, spanSlices: store.spanSlices, log: store.state, receiver, externalUrl }, options.detect)
    late.detect = detect
    const slices = new SliceReader(evaluator, store.spanSlices)
    const releases = new ReleaseWatch({
      book: deploys,
      evaluator,
      read: async (range, service) => await slices.read(range, service),
      receiver,
      clock,
      logger: log,
      externalUrl,
      deployed: async (marker) => await incidents.deployed(marker),
    })
    const reader = new ObjectiveReader({
      standings: () => managed.standings,
      slices: store.slices,
      clock,
      incidents: (service, range) => Promise.resolve(incidents.list({ range, states: [], service, limit: DEPLOYS_MAX }).map(({ id, title, onsetAt, marks }) => ({ id, title, start: onsetAt, end: marks.resolved?.at }))),
    })
    const api: TellingApiDeps = {
      guard,
      clock,
      log,
      version: ownVersion(),
      startedAt: clock.now(),
      alerts,
      notifier,
      incidents,
      runbooks,
      query,
      impact: async ({ service }, range) => ({
        ...(service === '' ? { requests: null, failed: null } : await evidence.requests(service, range)),
        budgets: service === '' ? [] : await reader.burned(service, range),
      }),
      ownRules,
      backtests: new Backtests({ engine, clock, ...options.rules }),
      objectives: reader,
      detectors: {
        series: () => detect.watch.series,
        find: (id) => detect.watch.find(id),
        progress: () => detect.progress,
        factsOf: (service) => detect.factsOf(service),
      },
      deploys: {
        book: { list: (filter) => deploys.list(filter), tell: async (deploy, actor) => await tellDeploy(deploys, incidents, { deploy, actor }) },
        compare: async (id) => await releases.compare(id),
      },
    }
    return new Telling({ notifier, incidents, alerts, rules, objectives: managed, detect, releases, runbooks }, api)
  }

  /** Begins with who is told, and ends with what finds something. */
  start(): void {
    const { notifier, incidents, alerts, rules, objectives, detect, releases } = this.#parts
    notifier.start()
    incidents.start()
    alerts.start()
    rules.start()
    objectives.start()
    detect.start()
    releases.start()
  }

  /** Takes other rules, objectives, routes and runbooks; what is known of those that stay is kept. Channels, and the options of incidents and detectors, need a new start. */
  async reload({ groups, objectives }: TellingFiles, { alerting }: Pick<Options, 'alerting'>): Promise<void> {
    const { alerts, rules, objectives: managed, runbooks } = this.#parts
    runbooks.reload()
    await alerts.reload(alerting)
    await rules.reload(groups)
    await managed.reload(objectives)
  }

  /** What finds something ends first, so that the rest stores what it was handed. */
  async stop(): Promise<void> {
    const { notifier, incidents, alerts, rules, objectives, detect, releases } = this.#parts
    await Promise.all([rules.stop(), objectives.stop(), detect.stop(), releases.stop()])
    await alerts.stop()
    await incidents.stop()
    await notifier.stop()
  }

  get rules(): RuleManager {
    return this.#parts.rules
  }

  get alerts(): AlertManager {
    return this.#parts.alerts
  }
}

async function tellDeploy(deploys: DeployBook, incidents: IncidentManager, { deploy, actor }: { readonly deploy: Parameters<DeployBook['tell']>[0]; readonly actor: string }): Promise<DeployMarker> {
  const marker = await deploys.tell(deploy, actor)
  await incidents.deployed(marker)
  return marker
}

/** The log as parts see it that put rows of another part into one insert with their own. */
function openLog(state: StateLog): Pick<StateLog, 'latest' | 'history' | 'between'> & { append(rows: readonly StateEntry[]): Promise<number[]> } {
  return {
    append: async (rows) => await state.append(rows.map(rowOf)),
    latest: async (kind, options) => await state.latest(kind, options),
    history: async (kind, key, limit) => await state.history(kind, key, limit),
    between: async (kind, range, limit) => await state.between(kind, range, limit),
  }
}

function rowOf({ kind, ...row }: StateEntry): StateRow {
  if (!isStateKind(kind)) throw new AndonError('internal', `"${kind}" is no kind of the state log`)
  return { kind, ...row }
}

/** How long the expression of a rule must hold before it fires; 0 where it is not known. */
function holdOf(rules: RuleManager | undefined, name: string): Milliseconds {
  const waits = (rules?.groups ?? []).flatMap(({ group }) => group.rules.flatMap((one) => (one.kind === 'alert' && one.name === name ? [one.forMs] : [])))
  return Math.max(0, ...waits)
}

/** What a rule sees of an answer: floats. */
function vectorOf(result: QueryResult): readonly { readonly labels: Labels; readonly value: number }[] {
  if (result.type === 'scalar') return [{ labels: {}, value: result.value }]
  return result.type === 'vector' ? result.samples.filter(({ histogram }) => histogram === undefined) : []
}

type Courses = Extract<QueryResult, { type: 'matrix' }>['series']

function coursesOf(result: QueryResult): Courses {
  return result.type === 'matrix' ? result.series : []
}
