// How often a rule may call people before its next calls are tickets.
import { type Alert, type AlertSource, type Incident, type Milliseconds, serviceOfLabels } from '@andon/model'
import { ruleOf } from './alert-facts.ts'
import { ANDON, type Draft, entry, withEntries } from './draft.ts'
import type { AlertBudget } from './schema.ts'

export interface Demotion {
  readonly rule: string
  /** Whose alerts. */
  readonly service: string
  /** When the budget holds again. */
  readonly until: Milliseconds
  /** For people. */
  readonly reason: string
}

/** Detectors and objectives have a promotion of their own, and what Andon says about itself is rare and must be heard. */
const BUDGETED: ReadonlySet<AlertSource> = new Set(['rule', 'application', 'api'])

type Noted = Pick<Incident, 'id' | 'pages' | 'verdicts'>

/** A page that counts. */
interface Page {
  readonly incident: string
  readonly at: Milliseconds
}

const keyOf = (rule: string, service: string): string => `${rule}\0${service}`

/**
 * Pages of rules within the time of the budget, of each service apart. Those that were judged to be real do not count: a rule that is right may call
 * as often as it must.
 */
export class BudgetBook {
  readonly #budget: AlertBudget | undefined
  /** By rule and service. */
  readonly #pages = new Map<string, readonly Page[]>()

  constructor(budget: AlertBudget | undefined) {
    this.#budget = budget
  }

  /** Takes note of an incident as it is stored. */
  note(incident: Noted, now: Milliseconds): void {
    for (const { rule, service } of incident.pages) {
      const pages = this.#with(rule, service, incident, now)
      if (pages.length === 0) this.#pages.delete(keyOf(rule, service))
      else this.#pages.set(keyOf(rule, service), pages)
    }
  }

  /** Pages of a rule within the time of the budget, with those of an incident as it is now. */
  #with(rule: string, service: string, incident: Noted | undefined, now: Milliseconds): readonly Page[] {
    const since = now - (this.#budget?.perMs ?? 0)
    const known = this.#pages.get(keyOf(rule, service)) ?? []
    if (incident === undefined) return known.filter(({ at }) => at > since)
    // What comes back within the cooldown is the same trouble, and counts once.
    const own = incident.verdicts[rule]?.verdict === 'real' ? undefined : incident.pages.find((page) => page.rule === rule && page.service === service && BUDGETED.has(page.source))
    const all = [...known.filter((page) => page.incident !== incident.id), ...(own === undefined ? [] : [{ incident: incident.id, at: own.at }])]
    return all.filter(({ at }) => at > since).toSorted((a, b) => a.at - b.at)
  }

  /**
   * Whether the pages of a rule are tickets now.
   *
   * @param service - whose alerts; undefined for whichever is demoted the longest
   * @param incident - one that is about to be stored
   */
  demoted(rule: string, service: string | undefined, now: Milliseconds, incident?: Noted): Demotion | undefined {
    const budget = this.#budget
    if (budget === undefined || budget.exempt.includes(rule)) return undefined
    const services = service === undefined ? [...this.#pages.keys()].filter((key) => key.startsWith(keyOf(rule, ''))).map((key) => key.slice(rule.length + 1)) : [service]
    const found = services.flatMap((one) => this.#demotion(rule, one, this.#with(rule, one, incident, now), budget) ?? [])
    return found.toSorted((a, b) => b.until - a.until)[0]
  }

  #demotion(rule: string, service: string, pages: readonly Page[], budget: AlertBudget): Demotion | undefined {
    // It holds again when so many have left the window that one more is allowed.
    const leaves = pages[pages.length - budget.pages]
    if (leaves === undefined) return undefined
    const days = Math.round(budget.perMs / 8_640_000) / 10
    const what = `${pages.length} pages${service === '' ? '' : ` of ${service}`} in ${days} days`
    return { rule, service, until: leaves.at + budget.perMs, reason: `${what} that nobody has judged to be real; ${budget.pages} are allowed. Its alerts are tickets until then.` }
  }

  /** As `demoted`, where the alert is of a source that has a budget. */
  demotionOf({ labels, source }: Pick<Alert, 'labels' | 'source'>, now: Milliseconds): Demotion | undefined {
    return BUDGETED.has(source) ? this.demoted(ruleOf(labels), serviceOfLabels(labels), now) : undefined
  }
}

/** Says so in the timeline where the page of a draft uses up the budget of its rule. */
export function withBudget(draft: Draft, book: BudgetBook, now: Milliseconds): Draft {
  const page = draft.incident.pages.at(-1)
  if (page === undefined || page.at !== now) return draft
  const demotion = book.demoted(page.rule, page.service, now, draft.incident)
  if (demotion === undefined) return draft
  const text = `${page.rule} has used up its budget: ${demotion.reason} Until ${new Date(demotion.until).toISOString()}.`
  return withEntries(draft, entry('alert-budget', now, ANDON, text, { id: `alert-budget/${page.rule}/${now}`, detail: { rule: page.rule, until: demotion.until } }))
}
