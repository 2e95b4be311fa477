// Measures what the agent costs, and keeps it under its budget.
import { diag } from '@opentelemetry/api'
import { ADAPTED_EVENT, type Adaptation, adaptationAttributes, type Attributes, type Milliseconds, type Ratio } from '@andon/model'
import type { OwnWork } from '../export/own-work.ts'
import type { AgentMeterProvider } from '../metrics/meter.ts'
import type { ContinuousProfile } from '../profile/continuous.ts'
import type { Sampler } from '../sampler.ts'
import type { SamplingPlan } from '../sampling-plan.ts'
import { Calibration } from './calibration.ts'
import { type Cost, costAt, type Load, PARTS, shareOf } from './cost.ts'
import { FULL, type Level, profileFactor, samplingLimit } from './level.ts'
import { type Change, type ChangeReason, GovernorState } from './state.ts'

/** How often it is looked at at most; where metrics are sent oftener, twice in each of their intervals. */
const LOOK_MS: Milliseconds = 5000

/** At the start nothing is compiled yet, and all costs many times what it will: so long nothing is changed. */
const BOOT_MS: Milliseconds = 10_000

export interface GovernorParts {
  /** A share of one core; 0: it is measured, and nothing is changed. */
  readonly budget: Ratio
  readonly metricIntervalMs: Milliseconds
  readonly sampler: Sampler
  readonly sampling: Pick<SamplingPlan, 'limit' | 'ratio'>
  readonly profiles: Pick<ContinuousProfile, 'limit' | 'wantedRate' | 'uploadShare' | 'rate'>
  readonly exporter: { readonly spans: { readonly written: number }; readonly work: OwnWork }
  readonly meters: Pick<AgentMeterProvider, 'recorded'>
  /** Takes an event of the agent. */
  readonly record: (name: string, attributes: Attributes) => void
  readonly now?: () => Milliseconds
  readonly calibration?: Pick<Calibration, 'isDone' | 'round' | 'slowness'>
}

/** Everything that is only ever added up. */
interface Totals {
  readonly at: Milliseconds
  readonly traces: number
  readonly recorded: number
  readonly children: number
  readonly written: number
  readonly measurements: number
  readonly spansMs: Milliseconds
  readonly othersMs: Milliseconds
  readonly posts: number
  readonly compressed: number
}

export interface GovernorStatus {
  /** Milliseconds of processor time since the start, by part. */
  readonly cost: Cost
  /** Of one core, in the last interval. */
  readonly share: Ratio
  readonly budget: Ratio
  readonly level: Level
  /** The share of traces that is kept where no other process has decided. */
  readonly ratio: Ratio
  /** CPU samples a second of the continuous profile. */
  readonly rate: number
  readonly changes: Readonly<Record<ChangeReason, number>>
}

export class Governor {
  readonly #parts: GovernorParts
  readonly #now: () => Milliseconds
  readonly #state: GovernorState | undefined
  readonly #calibration: Pick<Calibration, 'isDone' | 'round' | 'slowness'>
  readonly #cost: Record<keyof Cost, Milliseconds> = { requests: 0, spans: 0, metrics: 0, export: 0, profile: 0, runtime: 0 }
  readonly #changes: Record<ChangeReason, number> = { over_budget: 0, load_fell: 0 }
  readonly #startedAt: Milliseconds
  #share: Ratio = 0
  #before: Totals
  #timer: NodeJS.Timeout | undefined
  #isTold = false

  constructor(parts: GovernorParts) {
    this.#parts = parts
    this.#now = parts.now ?? (() => performance.now())
    this.#state = parts.budget > 0 ? new GovernorState(parts.budget) : undefined
    this.#calibration = parts.calibration ?? new Calibration()
    this.#before = this.#totals()
    this.#startedAt = this.#before.at
  }

  /** Looks at itself from now on. Its timer does not keep the host alive. */
  start(): void {
    this.#timer = setInterval(() => {
      try {
        this.look()
      } catch (error) {
        diag.error('andon: the cost of the agent could not be measured', error)
      }
    }, Math.min(LOOK_MS, this.#parts.metricIntervalMs / 2)).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  status(): GovernorStatus {
    const { budget, sampling, profiles } = this.#parts
    return { cost: this.#cost, share: this.#share, budget, level: this.#state?.level ?? FULL, ratio: sampling.ratio, rate: profiles.rate, changes: this.#changes }
  }

  /** Measures what was done since the last look, and changes what is to be done. */
  look(): void {
    const load = this.#load()
    if (load.elapsed <= 0) return
    this.#calibration.round()
    const { slowness } = this.#calibration
    const level = this.#state?.level ?? FULL
    const cost = costAt(load, slowness, level, level)
    for (const part of PARTS) this.#cost[part] += cost[part]
    this.#share = shareOf(cost, load.elapsed)
    if (this.#before.at - this.#startedAt < BOOT_MS) return
    const change = this.#state?.look(this.#before.at, this.#share, (to) => shareOf(costAt(load, slowness, level, to), load.elapsed))
    if (change !== undefined) this.#apply(change)
    else if (this.#state?.isExhausted === true) this.#tellExhausted(this.#state.budget)
  }

  #apply(change: Change): void {
    const { sampling, profiles, record } = this.#parts
    sampling.limit(samplingLimit(change.to))
    profiles.limit(profileFactor(change.to))
    this.#changes[change.reason] += 1
    this.#isTold = false
    const told = describe(change)
    const line = `andon: the agent costs ${percent(change.share)} of a core, its budget is ${percent(change.budget)}: ${percent(told.sampling)} of the wanted traces are kept, the profile's rate is ${percent(told.profile)} of what is wanted`
    if (change.reason === 'over_budget') diag.warn(line)
    else diag.info(line)
    record(ADAPTED_EVENT, adaptationAttributes(told))
  }

  /** Once for a level: what cannot be taken back costs more than the budget. */
  #tellExhausted(budget: Ratio): void {
    if (this.#isTold) return
    this.#isTold = true
    diag.warn(`andon: the agent costs ${percent(this.#share)} of a core, its budget is ${percent(budget)}, and nothing is left that could be taken back: metrics of every request are kept`)
  }

  #load(): Load {
    const before = this.#before
    const now = this.#totals()
    this.#before = now
    const since = (key: keyof Totals): number => now[key] - before[key]
    const { profiles } = this.#parts
    return {
      elapsed: since('at'),
      traces: since('traces'),
      recordedTraces: since('recorded'),
      spans: since('traces') + since('children'),
      written: since('written'),
      measurements: since('measurements'),
      sending: { spans: since('spansMs'), others: since('othersMs') },
      posts: since('posts'),
      compressed: since('compressed'),
      profile: { wanted: profiles.wantedRate, uploads: profiles.uploadShare * 1000 },
    }
  }

  #totals(): Totals {
    const { sampler, exporter, meters } = this.#parts
    const { ms, posts, compressed } = exporter.work
    const { traces, recorded, children } = sampler
    return { at: this.#now(), traces, recorded, children, written: exporter.spans.written, measurements: meters.recorded, spansMs: ms.spans, othersMs: ms.others, posts, compressed }
  }
}

function describe({ to, reason, share, budget }: Change): Adaptation {
  return { reason, share, budget, sampling: samplingLimit(to).keep, profile: profileFactor(to) }
}

function percent(ratio: Ratio): string {
  return `${Number((ratio * 100).toPrecision(2))} %`
}
