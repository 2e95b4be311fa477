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
/** Sources of one rule with the same labels that are looked at: one is enough. */
const SOURCES_MAX = 1000
/** How many alerts that hold it back are named of one. */
const NAMED_MAX = 20
/** How long an answer of the service map is believed. */
const MAP_MS: Milliseconds = 60_000

/** What the labels say that both must have alike. */
const equalKey = (labels: Labels, names: readonly string[]): string => JSON.stringify(names.map((name) => labels[name] ?? ''))

/** The rules of the configuration. */
export class InhibitRules {
  readonly #rules: readonly CompiledRule[]
  /** The sources of each rule among what fires, by the labels that both must have alike: looked for once, whatever the number of targets. */
  readonly #sources = new WeakMap<FiringAlerts, ReadonlyMap<CompiledRule, ReadonlyMap<string, readonly Source[]>>>()

  constructor(rules: readonly InhibitRule[]) {
    this.#rules = rules.map(({ source, target, equal }) => ({ isSource: allMatch(source), isTarget: allMatch(target), equal }))
  }

  #sourcesOf(firing: FiringAlerts): ReadonlyMap<CompiledRule, ReadonlyMap<string, readonly Source[]>> {
    const known = this.#sources.get(firing)
    if (known !== undefined) return known
    const found = new Map(
      this.#rules.map((rule) => {
        const byKey = new Map<string, Source[]>()
        for (const source of firing.all) {
          if (!rule.isSource(source.labels)) continue
          const key = equalKey(source.labels, rule.equal)
          byKey.set(key, [...(byKey.get(key) ?? []), source].slice(0, SOURCES_MAX))
        }
        return [rule, byKey] as const
      }),
    )
    this.#sources.set(firing, found)
    return found
  }

  /** Fingerprints of the alerts that hold this one back; some of them where they are many. */
  inhibitors(labels: Labels, firing: FiringAlerts): string[] {
    const found = new Set<string>()
    for (const rule of this.#rules) {
      if (!rule.isTarget(labels)) continue
      // An alert that is of both sides of a rule is not held back by another that is.
      const isBoth = rule.isSource(labels)
      for (const source of this.#sourcesOf(firing).get(rule)?.get(equalKey(labels, rule.equal)) ?? []) if (!isBoth || !rule.isTarget(source.labels)) found.add(source.fingerprint)
    }
    return [...found].slice(0, NAMED_MAX)
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
