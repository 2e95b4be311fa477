// What an alert says by its labels.
import { type Alert, type IncidentAlert, type Labels, type Milliseconds, serviceOfLabels } from '@andon/model'

/** From the least to the worst; all others stand between warning and critical. */
const RANKS: Readonly<Record<string, number>> = { none: 0, info: 1, '': 2, ticket: 2, warning: 3, error: 5, high: 5, critical: 6, page: 7 }
const OTHER_RANK = 4
const ANNOTATION_MAX = 500
const ANNOTATIONS_MAX = 20
const EXPRESSION_MAX = 4000

/** The rule that an alert comes from. */
export const ruleOf = (labels: Labels): string => labels['alertname'] ?? ''

/** How bad a severity is; the greater the worse. */
export function rankOf(severity: string): number {
  const rank = Object.hasOwn(RANKS, severity) ? RANKS[severity] : undefined
  return rank ?? OTHER_RANK
}

export function worse(a: string, b: string): string {
  return rankOf(b) > rankOf(a) ? b : a
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}

/** One line for a list. */
export function titleOf({ labels, annotations }: Pick<Alert, 'labels' | 'annotations'>): string {
  const service = serviceOfLabels(labels)
  const text = annotations['summary'] ?? annotations['title'] ?? annotations['message'] ?? ruleOf(labels)
  const line = cut(text.replaceAll(/\s+/g, ' ').trim(), 200)
  return service === '' || line.includes(service) ? line : `${service}: ${line}`
}

/**
 * An alert as an incident keeps it.
 *
 * @param severity - that it has here: a demoted one is a ticket
 * @param holdMs - how long its expression had to hold before it fired, where that is known
 */
export function memberOf({ alert, fingerprint }: { readonly alert: Alert; readonly fingerprint: string }, severity: string, holdMs: Milliseconds): IncidentAlert {
  const { labels, annotations, startsAt, source, value, expression, generatorUrl } = alert
  return {
    fingerprint,
    rule: ruleOf(labels),
    status: 'firing',
    severity,
    source,
    service: serviceOfLabels(labels),
    labels,
    annotations: Object.fromEntries(
      Object.entries(annotations)
        .slice(0, ANNOTATIONS_MAX)
        .map(([name, text]) => [name, cut(text, ANNOTATION_MAX)]),
    ),
    startsAt,
    endsAt: null,
    onsetAt: Math.min(startsAt, alert.onsetAt ?? startsAt - holdMs),
    value: value === undefined || !Number.isFinite(value) ? null : value,
    // A part of an expression is none.
    expression: expression === undefined || expression.length > EXPRESSION_MAX ? null : expression,
    generatorUrl: cut(generatorUrl, 2000),
    fired: 1,
  }
}
