// The labels and annotations of an alert: the texts of its rule, filled in for one element.
import type { Labels, Milliseconds } from '@andon/model'
import type { Candidate } from './alerting.ts'
import type { InstantQuery } from './missing.ts'
import type { AlertRule } from './schema.ts'
import type { TemplateWorld } from './template/functions.ts'
import { runTemplate, type Template } from './template/run.ts'
import type { Value } from './template/values.ts'

export interface ExpandOptions {
  readonly query: InstantQuery
  readonly time: Milliseconds
  /** Where people reach this server. */
  readonly externalUrl: string
  readonly externalLabels: Labels
}

async function filled(templates: ReadonlyMap<string, Template>, data: Value, variables: ReadonlyMap<string, Value>, world: TemplateWorld): Promise<Labels> {
  const texts: Record<string, string> = {}
  for (const [name, template] of templates) {
    try {
      texts[name] = await runTemplate(template, data, variables, world)
    } catch (error) {
      // As Prometheus does: an alert with a broken text is better than none.
      texts[name] = `<error expanding template: ${error instanceof Error ? error.message : String(error)}>`
    }
  }
  return texts
}

/** An alert of a rule for one element of its expression. */
export async function expanded(rule: AlertRule, element: Labels, value: number, { query, time, externalUrl, externalLabels }: ExpandOptions): Promise<Candidate> {
  const world: TemplateWorld = {
    externalUrl,
    query: async (expression) => (await query(expression, time)).map((sample) => ({ Labels: sample.labels, Value: sample.value })),
  }
  const data = { Labels: element, ExternalLabels: externalLabels, ExternalURL: externalUrl, Value: value }
  const variables = new Map<string, Value>([
    ['$labels', element],
    ['$externalLabels', externalLabels],
    ['$externalURL', externalUrl],
    ['$value', value],
  ])
  const { __name__: _, ...own } = element
  const labels = await filled(rule.templates.labels, data, variables, world)
  const annotations = await filled(rule.templates.annotations, data, variables, world)
  const all: Labels = { ...own, ...labels, alertname: rule.name }
  return { element, value, labels: Object.fromEntries(Object.entries(all).filter(([, text]) => text !== '')), annotations }
}
