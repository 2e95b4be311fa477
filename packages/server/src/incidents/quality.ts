// Which rules call people for something, and which for nothing.
import { type AlertQuality, type Incident, median, type TimeRange } from '@andon/model'
import type { Demotion } from './alert-budget.ts'

/** So many judged alerts it takes to propose anything. */
const JUDGED_MIN = 10
const PRECISION_MIN = 0.5
const WEEK = 7 * 86_400_000

interface Counted {
  fired: number
  pages: number
  real: number
  noise: number
  expected: number
  readonly acks: number[]
}

function count(incidents: readonly Incident[]): Map<string, Counted> {
  const rules = new Map<string, Counted>()
  const of = (rule: string): Counted => {
    const known = rules.get(rule) ?? { fired: 0, pages: 0, real: 0, noise: 0, expected: 0, acks: [] }
    rules.set(rule, known)
    return known
  }
  for (const { alerts, pages, verdicts, firstAcknowledgedAt, marks, openedBy } of incidents) {
    for (const { rule, fired } of alerts) of(rule).fired += fired
    for (const { rule } of pages) of(rule).pages += 1
    for (const [rule, { verdict }] of Object.entries(verdicts)) of(rule)[verdict] += 1
    if (openedBy.kind === 'alert' && firstAcknowledgedAt !== null) of(openedBy.name).acks.push(Math.max(0, firstAcknowledgedAt - marks.detected.at))
  }
  return rules
}

/**
 * The quality of each rule of which incidents have alerts, those with the most pages first.
 *
 * @param incidents - that were detected in the range
 * @param demoted - whether the pages of a rule are tickets now
 */
export function qualityOf(incidents: readonly Incident[], { start, end }: TimeRange, demoted: (rule: string) => Demotion | undefined): AlertQuality[] {
  return [...count(incidents)]
    .map(([rule, { fired, pages, real, noise, expected, acks }]): AlertQuality => {
      const judged = real + noise
      const precision = judged === 0 ? null : real / judged
      const isPoor = precision !== null && judged >= JUDGED_MIN && precision < PRECISION_MIN
      const demotion = demoted(rule)
      const reasons = [...(isPoor ? [`Of ${judged} judged incidents ${real} were real (${Math.floor(precision * 100)} %).`] : []), ...(demotion === undefined ? [] : [demotion.reason])]
      return {
        rule,
        fired,
        perWeek: fired / (Math.max(1, end - start) / WEEK),
        pages,
        real,
        noise,
        expected,
        precision,
        medianAckMs: acks.length === 0 ? null : median(acks),
        proposal: isPoor ? 'demote' : null,
        demotedUntil: demotion?.until ?? null,
        reason: reasons.join(' '),
      }
    })
    .toSorted((a, b) => b.pages - a.pages || b.fired - a.fired || (a.rule < b.rule ? -1 : 1))
}
