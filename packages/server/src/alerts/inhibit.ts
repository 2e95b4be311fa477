// A worse alert holds back lesser ones: by the rules of the configuration, and along the service map.
// @see alertmanager inhibit/inhibit.go
import type { Labels, Milliseconds } from '@andon/model'
import type { InhibitRule } from './inhibit-rule.ts'
import { allMatch } from './matcher.ts'
import { serviceOf, severityRank } from './severity.ts'

/** An alert that fires. */
export interface Source {
  readonly fingerprint: string
  readonly labels: Labels
}

/** What fires, as those look at it who hold others back. */
export class FiringAlerts {
  readonly all: readonly Source[]
  readonly byService: ReadonlyMap<string, readonly Source[]>

  constructor(all: readonly Source[]) {
    this.all = all
    const byService = new Map<string, Source[]>()
    for (const source of all) {
      const service = serviceOf(source.labels)
      if (service === '') continue
      const held = byService.get(service)
      if (held === undefined) byService.set(service, [source])
      else held.push(source)
    }
    this.byService = byService
  }
}

/** The services that a service calls. */
export type DependsOn = (service: string) => Promise<readonly string[]>

interface CompiledRule {
  readonly isSource: (labels: Labels) => boolean
  readonly isTarget: (labels: Labels) => boolean
  readonly equal: readonly string[]
}

/** How many services are looked at behind one. */
const REACH_MAX = 200
/** How many alerts that hold it back are named of one. */
const NAMED_MAX = 20
/** How long an answer of the service map is believed. */
const MAP_MS: Milliseconds = 60_000

/** The rules of the configuration. */
export class InhibitRules {
  readonly #rules: readonly CompiledRule[]

  constructor(rules: readonly InhibitRule[]) {
    this.#rules = rules.map(({ source, target, equal }) => ({ isSource: allMatch(source), isTarget: allMatch(target), equal }))
  }

  /** Fingerprints of the alerts that hold this one back. */
  inhibitors(labels: Labels, { all }: FiringAlerts): string[] {
    const rules = this.#rules.filter(({ isTarget }) => isTarget(labels))
    if (rules.length === 0) return []
    // An alert that is of both sides of a rule is not held back by another that is.
    const bothSides = new Set(rules.filter(({ isSource }) => isSource(labels)))
    const found: string[] = []
    for (const source of all) {
      const holds = rules.some((rule) => rule.isSource(source.labels) && rule.equal.every((name) => (source.labels[name] ?? '') === (labels[name] ?? '')) && !(bothSides.has(rule) && rule.isTarget(source.labels)))
      if (holds) found.push(source.fingerprint)
    }
    return found.slice(0, NAMED_MAX)
  }
}

/** What the service map says holds an alert back: one of no lesser severity of a service that its own depends on. */
export class TopologyInhibition {
  readonly #dependsOn: DependsOn
  readonly #now: () => Milliseconds
  readonly #known = new Map<string, { readonly at: Milliseconds; readonly services: readonly string[] }>()

  /** @param dependsOn - may answer with direct callees only; what those call is asked for in turn */
  constructor(dependsOn: DependsOn, now: () => Milliseconds) {
    this.#dependsOn = dependsOn
    this.#now = now
  }

  async #direct(service: string): Promise<readonly string[]> {
    const held = this.#known.get(service)
    const now = this.#now()
    if (held !== undefined && now - held.at < MAP_MS) return held.services
    const services = await this.#dependsOn(service)
    if (this.#known.size > 10 * REACH_MAX) this.#known.clear()
    this.#known.set(service, { at: now, services })
    return services
  }

  /** Every service behind one, itself only where it is behind itself. */
  async #reach(service: string): Promise<ReadonlySet<string>> {
    const found = new Set<string>()
    const open = [service]
    for (let next = open.pop(); next !== undefined && found.size < REACH_MAX; next = open.pop()) {
      for (const behind of await this.#direct(next)) {
        if (found.has(behind)) continue
        found.add(behind)
        open.push(behind)
      }
    }
    return found
  }

  /**
   * Fingerprints of the alerts that hold this one back.
   *
   * @throws what `dependsOn` throws; the alert is to be told then
   */
  async inhibitors(labels: Labels, { byService }: FiringAlerts): Promise<string[]> {
    const service = serviceOf(labels)
    if (service === '' || byService.size < (byService.has(service) ? 2 : 1)) return []
    const rank = severityRank(labels)
    const behind = await this.#reach(service)
    const found: string[] = []
    for (const other of behind) {
      const worse = other === service ? [] : (byService.get(other) ?? []).filter((source) => severityRank(source.labels) >= rank && isSameEnvironment(labels, source.labels))
      // Services that call each other cannot both be the root: then both are told.
      if (worse.length > 0 && !(await this.#reach(other)).has(service)) found.push(...worse.map(({ fingerprint }) => fingerprint))
    }
    return found.slice(0, NAMED_MAX)
  }
}

/** Where one of both names no environment, it may be the same. */
function isSameEnvironment(a: Labels, b: Labels): boolean {
  const [one = '', other = ''] = [a['deployment_environment_name'], b['deployment_environment_name']]
  return one === '' || other === '' || one === other
}
