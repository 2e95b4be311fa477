// What the server wants of this agent: read when an answer says that it changed, applied, and given up in time.
import { diag } from '@opentelemetry/api'
import { type AgentIdentity, type ControlAnswer, type ControlThreshold, type Milliseconds, type ProfileKind, type Ratio, readControlAnswer, type ThresholdRule, writeAgentIdentity } from '@andon/model'

/** Profiling that is wanted, by this process' clock. */
export interface WantedProfile {
  readonly forMs: Milliseconds
  /** CPU samples per second. */
  readonly rate: number
  readonly kinds: readonly ProfileKind[]
}

/** What can be controlled; each is told only of data, and what it does not have cannot be asked of it. */
export interface ControlTargets {
  /** undefined: the agent's own share again. */
  readonly sampling?: (ratio: Ratio | undefined) => void
  /** All rules of the server; an empty list when nothing is wanted any more. */
  readonly thresholds?: (rules: readonly ThresholdRule[]) => void
  /** undefined: the agent's own profiling again. */
  readonly profile?: (profile: WantedProfile | undefined) => void
}

export interface ControlOptions {
  readonly identity: Pick<AgentIdentity, 'service' | 'instance' | 'version'>
  /** The body of a path's answer; undefined where there was none. Bounded in size and time, never rejects. */
  readonly read: (path: string) => Promise<string | undefined>
  readonly targets: ControlTargets
  /** Without an answer for so long, contact is lost. */
  readonly contactMs?: Milliseconds
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => Milliseconds
  /** Runs once later, without keeping the host alive; answers what prevents it. */
  readonly after?: (ms: Milliseconds, run: () => void) => () => void
}

const CONTACT_MS: Milliseconds = 300_000
/** The state is read at most so often, whatever the answers say. */
const PAUSE_MS: Milliseconds = 5000
const MAX_PAUSE_MS: Milliseconds = 300_000

function unrefTimer(ms: Milliseconds, run: () => void): () => void {
  const timer = setTimeout(run, ms).unref()
  return () => clearTimeout(timer)
}

/**
 * Follows the desired state that the server holds for this instance. A state is data with an end; when it comes, or contact
 * is lost, the agent returns to its own defaults. Never throws, and reads one state at a time.
 */
export class ControlClient {
  readonly #options: ControlOptions
  readonly #now: () => Milliseconds
  readonly #after: (ms: Milliseconds, run: () => void) => () => void
  readonly #contactMs: Milliseconds
  #applied = 0
  #isReading = false
  #isStopped = false
  #readAgainAt = -Infinity
  #pause = PAUSE_MS
  #contactAt = -Infinity
  #expiresAt = Infinity
  #cancel: () => void = () => undefined

  constructor(options: ControlOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#after = options.after ?? unrefTimer
    this.#contactMs = Math.max(options.contactMs ?? 0, CONTACT_MS)
  }

  /** The revision in force; 0: the agent's own defaults. */
  get revision(): number {
    return this.#applied
  }

  /** The header `andon-instance` of each request to the server. */
  header(): string {
    return writeAgentIdentity({ ...this.#options.identity, revision: this.#applied, capabilities: Object.keys(this.#options.targets) })
  }

  /** Takes the header `andon-control` of an answer. */
  answered(header: string): void {
    if (this.#isStopped || !/^\d{1,15}$/.test(header)) return
    this.#contactAt = this.#now()
    const wanted = Number(header)
    if (wanted === this.#applied) return
    if (wanted === 0) this.#toDefaults()
    else if (!this.#isReading && this.#now() >= this.#readAgainAt) void this.#read()
  }

  async #read(): Promise<void> {
    this.#isReading = true
    const answer = await this.#ask()
    this.#isReading = false
    if (this.#isStopped) return
    this.#pause = typeof answer === 'string' ? Math.min(MAX_PAUSE_MS, this.#pause * 2) : PAUSE_MS
    this.#readAgainAt = this.#now() + this.#pause
    if (typeof answer === 'string') diag.warn(`andon: what the server wants of this agent could not be read: ${answer}`)
    else if (answer.revision === 0) this.#toDefaults()
    else if (answer.revision !== this.#applied) this.#apply(answer)
  }

  /** The state, or why there is none. */
  async #ask(): Promise<ControlAnswer | string> {
    try {
      const body = await this.#options.read(`/api/agents/${encodeURIComponent(this.#options.identity.instance)}/control`)
      if (body === undefined) return 'no answer within the limits of time and size'
      const parsed: unknown = JSON.parse(body)
      return readControlAnswer(parsed)
    } catch (error) {
      return error instanceof Error ? error.message.slice(0, 200) : 'unknown reason'
    }
  }

  #apply({ revision, now, sampling, profile, thresholds, expires }: ControlAnswer): void {
    const { targets } = this.#options
    // By the server's clock on both sides, so that the two clocks need not agree.
    this.#expiresAt = this.#now() + Math.max(0, (expires ?? now) - now)
    this.#applied = revision
    guarded(() => targets.sampling?.(sampling ?? undefined))
    guarded(() => targets.thresholds?.(thresholds.map(ruleOf)))
    guarded(() => targets.profile?.(profile === null ? undefined : { forMs: Math.max(0, profile.until - now), rate: profile.rate, kinds: profile.kinds }))
    this.#watch()
  }

  /** Looks again when the state ends or contact would be lost. */
  #watch(): void {
    this.#cancel()
    const endsAt = Math.min(this.#expiresAt, this.#contactAt + this.#contactMs)
    this.#cancel = this.#after(Math.max(0, endsAt - this.#now()), () => {
      const now = this.#now()
      if (now >= this.#expiresAt || now >= this.#contactAt + this.#contactMs) this.#toDefaults()
      else this.#watch()
    })
  }

  #toDefaults(): void {
    this.#cancel()
    if (this.#applied === 0) return
    this.#applied = 0
    const { targets } = this.#options
    guarded(() => targets.sampling?.(undefined))
    guarded(() => targets.thresholds?.([]))
    guarded(() => targets.profile?.(undefined))
  }

  /** Returns to the defaults and listens to nothing any more. */
  stop(): void {
    this.#toDefaults()
    this.#isStopped = true
  }
}

function ruleOf({ rule, metric, operator, value, severity, message, tags }: ControlThreshold): ThresholdRule {
  return { id: rule, metric, operator, threshold: value, severity, message: message === '' ? `${metric} ${operator} ${value}` : message, tags }
}

function guarded(apply: () => void): void {
  try {
    apply()
  } catch (error) {
    diag.error('andon: what the server wants could not be applied', error)
  }
}
