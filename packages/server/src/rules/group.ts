// A group of rules: evaluates them in order, at times of its own.
// @see prometheus rules/group.go
import { AndonError, type Labels, labelsKey, type Milliseconds, xxHash64 } from '@andon/model'
import { parse } from '@andon/promql'
import { type ActiveAlert, AlertingRule, type Transition } from './alerting.ts'
import { expanded, type ExpandOptions } from './expand.ts'
import type { AlertRule, RecordingRule, RuleGroup } from './definition.ts'
import { type InstantQuery, MissingTelemetry, readsOf } from './missing.ts'
import { firingElements, withUnrecovered } from './recovery.ts'

/** A point of a series that rules make. */
export interface RulePoint {
  /** With `__name__`. */
  readonly labels: Labels
  readonly time: Milliseconds
  readonly value: number
  /** Ends the series: it does not hold any more. */
  readonly isStale: boolean
}

/** What rules stand on; made by app.ts, or by a test. */
export interface RuleWorld {
  readonly query: InstantQuery
  /** Settles when the points are stored. */
  readonly write: (points: readonly RulePoint[]) => Promise<void>
  /** Settles when the changes of a rule's alerts are stored, together or not at all. */
  readonly keep: (transitions: readonly Transition[], rule: RuleId) => Promise<void>
  /** Told of what is active, or was resolved not long ago, after each evaluation and when all of it is stored; waited for. */
  readonly told: (alerts: readonly ActiveAlert[], rule: RuleId, definition: AlertRule) => Promise<void>
  readonly now: () => Milliseconds
  readonly externalUrl: string
  readonly externalLabels: Labels
}

/** Which rule it is, also after a reload or a restart. */
export interface RuleId {
  readonly file: string
  readonly group: string
  readonly name: string
  /** 16 hex digits: of file, group, name and labels. */
  readonly id: string
}

/** How a rule fared. */
export interface RuleHealth {
  readonly health: 'unknown' | 'ok' | 'err'
  readonly lastError: string
  /** 0 before the first. */
  readonly lastEvaluation: Milliseconds
  readonly tookMs: Milliseconds
}

interface Recording {
  readonly kind: 'record'
  readonly rule: RecordingRule
}

interface Alerting {
  readonly kind: 'alert'
  readonly rule: AlertingRule
  /** Undefined for a rule that finds its elements itself, and so knows what has ended. */
  readonly missing: MissingTelemetry | undefined
  /** Whether it may read the series of alerts, which rules before it have just written. */
  readonly seesAlerts: boolean
}

type Member = (Recording | Alerting) & { readonly id: RuleId; health: RuleHealth; written: ReadonlyMap<string, Labels> }

/** Rules whose questions are asked at the same time. */
const TOGETHER = 10

const UNKNOWN: RuleHealth = { health: 'unknown', lastError: '', lastEvaluation: 0, tookMs: 0 }

const hex = (text: string): string => xxHash64(text).toString(16).padStart(16, '0')

/** By their name, or by a selector that asks for no single name. */
function seesAlerts(expression: string): boolean {
  return expression.includes('ALERTS') || readsOf(parse(expression)).some(({ selector }) => !selector.matchers.some(({ name, operator }) => name === '__name__' && operator === '='))
}

/** How alerts are seen by queries. */
function alertSeries(alerts: Iterable<ActiveAlert>, time: Milliseconds): RulePoint[] {
  const points: RulePoint[] = []
  for (const { labels, state, activeAt } of alerts) {
    if (state === 'inactive') continue
    points.push({ labels: { ...labels, __name__: 'ALERTS', alertstate: state }, time, value: 1, isStale: false })
    points.push({ labels: { ...labels, __name__: 'ALERTS_FOR_STATE' }, time, value: activeAt / 1000, isStale: false })
  }
  return points
}

export class GroupEvaluator {
  readonly group: RuleGroup
  readonly intervalMs: Milliseconds
  readonly #offsetMs: Milliseconds
  readonly #world: RuleWorld
  readonly #members: readonly Member[]
  /** Answers that rules of this evaluation are about to take. */
  readonly #asked = new Map<string, ReturnType<InstantQuery>>()
  lastEvaluation: Milliseconds = 0
  tookMs: Milliseconds = 0

  /**
   * @param defaults - what holds where the group says nothing
   */
  constructor(group: RuleGroup, world: RuleWorld, defaults: { readonly intervalMs: Milliseconds; readonly queryOffsetMs: Milliseconds }) {
    this.group = group
    this.intervalMs = group.intervalMs ?? defaults.intervalMs
    this.#offsetMs = group.queryOffsetMs ?? defaults.queryOffsetMs
    this.#world = world
    this.#members = group.rules.map((rule) => {
      const id: RuleId = { file: group.file, group: group.name, name: rule.name, id: hex([group.file, group.name, rule.kind, rule.name, labelsKey(rule.labels)].join('\0')) }
      const own = rule.kind === 'record' ? { kind: rule.kind, rule } : { kind: rule.kind, rule: new AlertingRule(rule), missing: rule.finds === undefined ? new MissingTelemetry(rule.expression, world.query) : undefined, seesAlerts: seesAlerts(rule.expression) }
      return { ...own, id, health: UNKNOWN, written: new Map() }
    })
  }

  /** How long after the begin of an interval it is evaluated, so that not all groups are at once. */
  get slotMs(): Milliseconds {
    return Number(xxHash64(`${this.group.file};${this.group.name}`) % BigInt(this.intervalMs))
  }

  /** Its alerting rules, by which their alerts are kept. */
  get alerting(): readonly { readonly id: RuleId; readonly rule: AlertingRule }[] {
    return this.#members.flatMap((member) => (member.kind === 'alert' ? [{ id: member.id, rule: member.rule }] : []))
  }

  get ruleIds(): readonly string[] {
    return this.#members.map(({ id }) => id.id)
  }

  /** How its rules fared, in order. */
  get health(): readonly RuleHealth[] {
    return this.#members.map(({ health }) => health)
  }

  /** Takes over what the rules of the same group knew before a reload. */
  takeOver(before: GroupEvaluator): void {
    this.lastEvaluation = before.lastEvaluation
    for (const member of this.#members) {
      const old = before.#members.find(({ id }) => id.id === member.id.id)
      if (old === undefined) continue
      member.written = old.written
      member.health = old.health
      if (member.kind === 'alert' && old.kind === 'alert') member.rule.commit(old.rule)
    }
  }

  /** Series that its rules made and that nobody will make any more. */
  async end(kept: ReadonlySet<string>): Promise<void> {
    const time = this.#world.now()
    const points = this.#members.flatMap(({ id, written }) => (kept.has(id.id) ? [] : staleOf([...written.values()], time)))
    if (points.length > 0) await this.#world.write(points)
  }

  /**
   * Evaluates all rules in order; a rule that fails does not stop those behind it.
   *
   * @param time - of the evaluation; the rules look at the time of their offset before it
   */
  async evaluate(time: Milliseconds, signal?: AbortSignal): Promise<void> {
    const startedAt = this.#world.now()
    for (const [index, member] of this.#members.entries()) {
      if (signal?.aborted === true) return
      if (index % TOGETHER === 0) this.#askTogether(this.#members.slice(index, index + TOGETHER), time - this.#offsetMs)
      const begun = this.#world.now()
      let lastError = ''
      try {
        await this.#one(member, time)
      } catch (error) {
        lastError = error instanceof Error ? error.message : String(error)
      }
      member.health = { health: lastError === '' ? 'ok' : 'err', lastError, lastEvaluation: time, tookMs: this.#world.now() - begun }
    }
    this.lastEvaluation = time
    this.tookMs = this.#world.now() - startedAt
  }

  /**
   * Asks what rules ask that need nothing of each other: what they read of the store is then read together. A rule that sees what
   * rules before it have just made is not among them.
   */
  #askTogether(members: readonly Member[], at: Milliseconds): void {
    this.#asked.clear()
    if (this.#members.some(({ kind }) => kind === 'record')) return
    for (const member of members) {
      if (member.kind !== 'alert' || member.rule.rule.finds !== undefined || member.seesAlerts) continue
      const { expression } = member.rule.rule
      const answer = this.#world.query(expression, at)
      // Told by whoever takes it.
      answer.catch(() => undefined)
      this.#asked.set(expression, answer)
    }
  }

  async #one(member: Member, time: Milliseconds): Promise<void> {
    const at = time - this.#offsetMs
    if (member.kind === 'record') await this.#write(member, recorded(member.rule, await this.#world.query(member.rule.expression, at), at, this.group.limit), at)
    else await this.#alert(member, time, at)
  }

  async #alert(member: Member & Alerting, time: Milliseconds, at: Milliseconds): Promise<void> {
    const { rule, missing, id } = member
    const { query, externalUrl, externalLabels } = this.#world
    const options: ExpandOptions = { query, time: at, externalUrl, externalLabels }
    const found = await (rule.rule.finds?.(time, firingElements(rule)) ?? this.#asked.get(rule.rule.expression) ?? query(rule.rule.expression, at))
    const candidates = []
    for (const { labels, value } of await withUnrecovered(rule, found, query, at)) candidates.push(await expanded(rule.rule, labels, value, options))
    const isMissing = async (alert: ActiveAlert): Promise<boolean> => (await missing?.isMissing(alert.element, alert.seenAt - this.#offsetMs, at)) ?? false
    const plan = await rule.plan(candidates, time, isMissing, this.group.limit)
    // Stored before anyone hears of it: what was told is known after a crash.
    if (plan.transitions.length > 0) await this.#world.keep(plan.transitions, id)
    rule.commit(plan)
    await this.#world.told([...plan.alerts.values()], id, rule.rule)
    await this.#write(member, alertSeries(plan.alerts.values(), at), at)
  }

  /** Writes points, and ends the series that were written before and are not among them. */
  async #write(member: Member, points: readonly RulePoint[], time: Milliseconds): Promise<void> {
    const written = new Map(points.map(({ labels }) => [labelsKey(labels), labels]))
    const gone = [...member.written].filter(([key]) => !written.has(key)).map(([, labels]) => labels)
    const all = [...points, ...staleOf(gone, time)]
    if (all.length > 0) await this.#world.write(all)
    member.written = written
  }
}

function staleOf(series: readonly Labels[], time: Milliseconds): RulePoint[] {
  return series.map((labels) => ({ labels, time, value: 0, isStale: true }))
}

function recorded(rule: RecordingRule, samples: Awaited<ReturnType<InstantQuery>>, time: Milliseconds, limit: number): RulePoint[] {
  if (limit > 0 && samples.length > limit) throw new AndonError('bad_rules', `${rule.name} makes ${samples.length} series; its group allows ${limit}`)
  const points = new Map<string, RulePoint>()
  for (const { labels, value } of samples) {
    const all: Labels = Object.fromEntries(Object.entries({ ...labels, ...rule.labels, __name__: rule.name }).filter(([, text]) => text !== ''))
    const key = labelsKey(all)
    if (points.has(key)) throw new AndonError('bad_rules', `two elements of ${rule.name} have the same labels once its own are set`)
    points.set(key, { labels: all, time, value, isStale: false })
  }
  return [...points.values()]
}
