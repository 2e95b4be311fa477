// What an alerting rule would have told of the past: the same evaluation as the live one, over data that are stored.
import { setImmediate } from 'node:timers/promises'
import { AndonError, type BacktestEpisode, type BacktestResult, type Labels, labelsKey, type Milliseconds } from '@andon/model'
import { type Expr, parse } from '@andon/promql'
import type { ActiveAlert, Transition } from './alerting.ts'
import { ChunkedQuery, type RangeEngine } from './chunked-query.ts'
import type { AlertRule, RuleGroup } from './definition.ts'
import { GroupEvaluator, type RuleWorld } from './group.ts'
import { firstData } from './history.ts'
import type { InstantQuery } from './missing.ts'

export interface BacktestOptions {
  readonly from: Milliseconds
  readonly to: Milliseconds
  /** Between two evaluations where the group does not say it. */
  readonly intervalMs: Milliseconds
  /** How far before the evaluation the rules of a group look that does not say it. */
  readonly queryOffsetMs: Milliseconds
  readonly externalLabels: Labels
  /** Aborted when nobody waits for the result any more. */
  readonly signal: AbortSignal
  /** Steps that are read at a time; 500 where nobody said. */
  readonly chunkSteps?: number
}

/** Episodes of a result, the first. */
export const EPISODES_MAX = 1000
export const STEPS_MAX = 250_000
/** Elements that a rule may give over all steps. */
const ELEMENTS_MAX = 5_000_000
const WEEK: Milliseconds = 7 * 86_400_000
/** Steps after which others have their turn. */
const TURN = 64

interface Open {
  readonly labels: Labels
  readonly activeAt: Milliseconds
  readonly start: Milliseconds
  peak: number
}

function isDownward(expr: Expr): boolean {
  if (expr.kind === 'paren') return isDownward(expr.expr)
  if (expr.kind !== 'binary') return false
  return expr.op === 'and' || expr.op === 'unless' ? isDownward(expr.left) : expr.op === '<' || expr.op === '<='
}

/** Notes when alerts fired. */
class Episodes {
  readonly done: BacktestEpisode[] = []
  readonly #open = new Map<string, Open>()
  readonly #worst: (a: number, b: number) => number
  count = 0
  /** Steps at which at least one alert fired. */
  steps = 0

  constructor(expression: string) {
    this.#worst = isDownward(parse(expression)) ? Math.min : Math.max
  }

  note({ from, to, alert }: Transition): void {
    const key = labelsKey(alert.labels)
    if (to === 'firing') {
      this.count += 1
      this.#open.set(key, { labels: alert.labels, activeAt: alert.activeAt, start: alert.firedAt ?? alert.activeAt, peak: alert.value })
    } else if (from === 'firing') this.#close(key, alert.resolvedAt ?? alert.seenAt)
  }

  /** Takes the values of what fires now. */
  step(alerts: readonly ActiveAlert[]): void {
    for (const { labels, state, value } of alerts) {
      const open = state === 'firing' ? this.#open.get(labelsKey(labels)) : undefined
      if (open !== undefined) open.peak = this.#worst(open.peak, value)
    }
    if (this.#open.size > 0) this.steps += 1
  }

  #close(key: string, end: Milliseconds | null): void {
    const open = this.#open.get(key)
    this.#open.delete(key)
    if (open !== undefined && this.done.length < EPISODES_MAX) this.done.push({ ...open, end })
  }

  /** What still fires has no end. */
  finish(): readonly BacktestEpisode[] {
    for (const key of this.#open.keys()) this.#close(key, null)
    return this.done.toSorted((a, b) => a.start - b.start)
  }
}

/** Counts what a rule gives; remembers what stopped it. */
class Budget {
  failure: unknown
  #left = ELEMENTS_MAX

  bound(query: InstantQuery): InstantQuery {
    return async (expression, time) => {
      try {
        const found = await query(expression, time)
        this.#left -= found.length
        if (this.#left < 0) throw new AndonError('query_too_large', `the rule gives more than ${ELEMENTS_MAX} elements over the range`, { hint: 'Test fewer days, or a longer interval.' })
        return found
      } catch (error) {
        this.failure = error
        throw error
      }
    }
  }
}

/** The steps of the live evaluation: on the slot of the group. */
function stepsOf(evaluator: GroupEvaluator, { from, to }: BacktestOptions): { readonly start: Milliseconds; readonly step: Milliseconds; readonly count: number } {
  const { intervalMs: step, slotMs } = evaluator
  const start = Math.ceil((from - slotMs) / step) * step + slotMs
  const count = to < start ? 0 : Math.floor((to - start) / step) + 1
  if (count > STEPS_MAX) throw new AndonError('query_too_large', `the range has ${count} evaluations; ${STEPS_MAX} are allowed`, { hint: 'Test fewer days, or a longer interval.' })
  return { start, step, count }
}

/**
 * Evaluates an alerting rule at each time of a range as it would have been evaluated live, from the state in which nothing is known.
 * Recorded series are read as they are stored. Reads one bounded part of the range after the other, and lets others have their turn.
 *
 * @param group - of the rule: its interval, offset and limit hold
 * @throws AndonError of the query, query_too_large past its limits, bad_rules as the rule would fail; the signal's reason when it is aborted
 */
export async function backtest(rule: AlertRule, group: Omit<RuleGroup, 'rules'>, engine: RangeEngine, options: BacktestOptions): Promise<BacktestResult> {
  const { queryOffsetMs, externalLabels, signal, intervalMs } = options
  const budget = new Budget()
  const episodes = new Episodes(rule.expression)
  let now = options.from
  let chunked: ChunkedQuery | undefined
  const world: RuleWorld = {
    query: budget.bound((expression, time) => chunked?.query(expression, time) ?? Promise.resolve([])),
    write: () => Promise.resolve(),
    keep: (transitions) => Promise.resolve(transitions.forEach((each) => episodes.note(each))),
    told: (alerts) => Promise.resolve(episodes.step(alerts)),
    now: () => now,
    externalUrl: '',
    externalLabels,
  }
  // Its texts are not told, so they are not filled in; labels are what an alert is known by.
  const silent: AlertRule = { ...rule, templates: { labels: rule.templates.labels, annotations: new Map() } }
  const evaluator = new GroupEvaluator({ ...group, rules: [silent] }, world, { intervalMs, queryOffsetMs })
  const steps = stepsOf(evaluator, options)
  const offset = group.queryOffsetMs ?? queryOffsetMs
  const announced = rule.recovery === undefined ? [rule.expression] : [rule.expression, rule.recovery]
  chunked = new ChunkedQuery(engine, { ...steps, start: steps.start - offset }, { signal, announced, chunkSteps: options.chunkSteps })
  for (let index = 0; index < steps.count; index += 1) {
    signal.throwIfAborted()
    now = steps.start + index * steps.step
    await evaluator.evaluate(now)
    const [health] = evaluator.health
    if (health?.health === 'err') throw budget.failure instanceof Error ? budget.failure : new AndonError('bad_rules', health.lastError)
    if (index % TURN === 0) await setImmediate()
  }
  const dataFrom = await firstData(rule.expression, { start: options.from, end: options.to }, chunked.query)
  return resultOf({ rule, episodes, steps, dataFrom }, options)
}

interface Found {
  readonly rule: AlertRule
  readonly episodes: Episodes
  readonly steps: { readonly step: Milliseconds; readonly count: number }
  readonly dataFrom: Milliseconds | undefined
}

function resultOf({ rule, episodes, steps, dataFrom }: Found, { from, to }: BacktestOptions): BacktestResult {
  const list = episodes.finish()
  const coveredMs = dataFrom === undefined ? 0 : to - dataFrom
  return {
    alert: rule.name,
    expression: rule.expression,
    from,
    to,
    intervalMs: steps.step,
    dataFrom: dataFrom ?? null,
    isShorter: dataFrom === undefined || dataFrom > from,
    count: episodes.count,
    perWeek: coveredMs === 0 ? null : (episodes.count * WEEK) / coveredMs,
    firingShare: coveredMs === 0 ? null : Math.min(1, (episodes.steps * steps.step) / coveredMs),
    episodes: list,
    areEpisodesCut: episodes.count > list.length,
  }
}
