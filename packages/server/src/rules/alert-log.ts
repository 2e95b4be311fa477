// What is stored of the alerts of rules.
import { labelsKey } from '@andon/model'
import type { ActiveAlert, AlertState } from './alerting.ts'
import type { AlertRule } from './definition.ts'
import type { RuleId } from './group.ts'

/** A stored change of an alert. */
export interface AlertEntry {
  readonly kind: 'alert'
  readonly key: string
  /** What it is now; `none` when it is forgotten. */
  readonly state: string
  readonly service: string
  readonly severity: string
  readonly actor: ''
  readonly doc: { readonly rule: RuleId; readonly alert: ActiveAlert }
}

/** The part of the state log that rules use. */
export interface AlertLog {
  append(rows: readonly AlertEntry[]): Promise<unknown>
  latest(kind: 'alert'): Promise<readonly { readonly state: string; readonly doc: unknown }[]>
}

/** An alert and whose it is. */
export interface KnownAlert {
  readonly rule: RuleId
  readonly alert: ActiveAlert
  /** Undefined where the rule is not known any more. */
  readonly definition?: AlertRule
}

export function entryOf(to: AlertState | 'none', alert: ActiveAlert, rule: RuleId): AlertEntry {
  const { service_name: service = '', job = '', severity = '' } = alert.labels
  return { kind: 'alert', key: `${rule.id}/${labelsKey(alert.labels)}`, state: to, service: service === '' ? job : service, severity, actor: '', doc: { rule, alert } }
}

function isRestorable(doc: unknown): doc is AlertEntry['doc'] {
  return typeof doc === 'object' && doc !== null && 'rule' in doc && 'alert' in doc
}

/** The alerts that have not been forgotten. */
export function readKnown(rows: readonly { readonly state: string; readonly doc: unknown }[]): KnownAlert[] {
  return rows.flatMap(({ state, doc }) => (state === 'none' || !isRestorable(doc) ? [] : [doc]))
}
