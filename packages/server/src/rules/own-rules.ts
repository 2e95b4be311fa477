// Rules that were made by API or page: kept in the state log, evaluated as a group of their own.
import { AndonError, type Milliseconds, type RuleDefinition } from '@andon/model'
import type { AlertRule, RuleGroup } from './definition.ts'
import { readRules } from './schema.ts'
import { readSimpleRule } from './simple.ts'

/** A rule, who made it so, and when. */
export interface OwnRule {
  readonly id: string
  readonly definition: RuleDefinition
  readonly rule: AlertRule
  /** 0 where it is not stored. */
  readonly revision: number
  readonly actor: string
  readonly updatedAt: Milliseconds
}

/** The part of the state log that own rules use. */
export interface OwnRuleLog {
  append(rows: readonly { kind: 'rule'; key: string; state: string; service: string; severity: string; actor: string; doc: unknown }[]): Promise<readonly number[]>
  latest(kind: 'rule', options: { readonly except: readonly string[] }): Promise<readonly { readonly key: string; readonly revision: number; readonly written: Milliseconds; readonly actor: string; readonly doc: unknown }[]>
}

export const OWN_RULES_MAX = 500
/** The group of own rules, and the file by which it is told. */
const GROUP = { name: 'own', file: 'api', intervalMs: undefined, limit: 0, queryOffsetMs: undefined } as const
const ID = /^[\w.:-]{1,100}$/
const REMOVED = 'removed'

function isFields(value: unknown): value is RuleDefinition {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * A rule as it was sent; `expr` makes it one as Prometheus writes it, anything else is the simple form.
 *
 * @param id - also the name of the alert where it has none
 * @throws AndonError bad_rules
 */
export function readOwnRule(id: string, given: unknown): AlertRule {
  if (!isFields(given)) throw new AndonError('bad_rules', 'a rule must be an object')
  const { id: _, ...definition } = given
  if (!('expr' in definition)) return readSimpleRule({ ...definition, id })
  // JSON is YAML: what holds for a file holds for it.
  const [rule] = readRules(JSON.stringify({ groups: [{ name: GROUP.name, rules: [{ alert: id, ...definition }] }] }), GROUP.file)[0]?.rules ?? []
  if (rule?.kind !== 'alert') throw new AndonError('bad_rules', 'only alerting rules are made here; recording rules stand in files')
  return rule
}

/** Owns the rules of its kind in the log. Changes are made one after the other. */
export class OwnRules {
  readonly #log: OwnRuleLog
  readonly #now: () => Milliseconds
  readonly #rules = new Map<string, OwnRule>()
  #changed: (groups: readonly RuleGroup[]) => Promise<void> = () => Promise.resolve()
  #changing: Promise<unknown> = Promise.resolve()

  private constructor(log: OwnRuleLog, now: () => Milliseconds) {
    this.#log = log
    this.#now = now
  }

  /**
   * Reads what was stored. A rule that is not understood any more is left out, and told.
   *
   * @param broken - told of each that is left out
   */
  static async open(log: OwnRuleLog, { now, broken }: { readonly now: () => Milliseconds; readonly broken: (id: string, error: unknown) => void }): Promise<OwnRules> {
    const book = new OwnRules(log, now)
    for (const { key: id, revision, written, actor, doc } of await log.latest('rule', { except: [REMOVED] })) {
      try {
        if (isFields(doc)) book.#rules.set(id, { id, definition: doc, rule: readOwnRule(id, doc), revision, actor, updatedAt: written })
      } catch (error) {
        broken(id, error)
      }
    }
    return book
  }

  /** @param changed - given the groups whenever a rule was made, changed or removed; the change settles after it */
  onChange(changed: (groups: readonly RuleGroup[]) => Promise<void>): void {
    this.#changed = changed
  }

  /** For the manager of rules. */
  groups(): readonly RuleGroup[] {
    return this.#rules.size === 0 ? [] : [{ ...GROUP, rules: this.list().map(({ rule }) => rule) }]
  }

  /** By id. */
  list(): readonly OwnRule[] {
    return [...this.#rules.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }

  get(id: string): OwnRule | undefined {
    return this.#rules.get(id)
  }

  /**
   * The rule that would be stored; nothing is.
   *
   * @throws AndonError bad_rules, also for a name that another own rule has; overloaded past OWN_RULES_MAX
   */
  check(id: string, given: unknown, actor: string): OwnRule {
    if (!ID.test(id)) throw new AndonError('bad_rules', `"${id.slice(0, 100)}" is not an id: 1 to 100 letters, digits and _ . : -`)
    const rule = readOwnRule(id, given)
    const same = this.list().find((each) => each.id !== id && each.rule.name === rule.name)
    if (same !== undefined) throw new AndonError('bad_rules', `the rule "${same.id}" has the name ${rule.name} already`)
    if (!this.#rules.has(id) && this.#rules.size >= OWN_RULES_MAX) throw new AndonError('overloaded', `There are ${OWN_RULES_MAX} own rules already.`, { hint: 'Delete those that are not needed any more, or write rules in files.' })
    const fields: RuleDefinition = isFields(given) ? given : {}
    const { id: _, ...definition } = fields
    return { id, definition, rule, revision: 0, actor, updatedAt: this.#now() }
  }

  /** Makes or replaces a rule; settles when it is stored and evaluated from then on. @throws AndonError as `check` */
  put(id: string, given: unknown, actor: string): Promise<OwnRule> {
    return this.#oneByOne(async () => {
      const checked = this.check(id, given, actor)
      const [revision = 0] = await this.#log.append([this.#row(id, 'set', actor, checked.definition)])
      const stored = { ...checked, revision }
      this.#rules.set(id, stored)
      await this.#changed(this.groups())
      return stored
    })
  }

  /** Removes a rule; its alerts are over. @returns whether there was one */
  remove(id: string, actor: string): Promise<boolean> {
    return this.#oneByOne(async () => {
      if (!this.#rules.has(id)) return false
      await this.#log.append([this.#row(id, REMOVED, actor, null)])
      this.#rules.delete(id)
      await this.#changed(this.groups())
      return true
    })
  }

  #row(key: string, state: string, actor: string, doc: RuleDefinition | null): { kind: 'rule'; key: string; state: string; service: string; severity: string; actor: string; doc: unknown } {
    const severity = doc?.['severity']
    return { kind: 'rule', key, state, service: '', severity: typeof severity === 'string' ? severity : '', actor, doc }
  }

  #oneByOne<T>(change: () => Promise<T>): Promise<T> {
    const next = this.#changing.then(change)
    this.#changing = next.catch(() => undefined)
    return next
  }
}
