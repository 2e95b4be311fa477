// What a rule is once it has been read, wherever it was written.
import type { AlertSource, Labels, Milliseconds } from '@andon/model'
import type { Element } from './missing.ts'
import type { Template } from './template/run.ts'

export interface RuleBase {
  readonly expression: string
  /** Labels that the rule adds; with templates in an alerting rule. */
  readonly labels: Labels
  /** Of its file, from 1. */
  readonly line: number
}

export interface AlertRule extends RuleBase {
  readonly kind: 'alert'
  readonly name: string
  /** How long the expression must hold before it fires. */
  readonly forMs: Milliseconds
  /** How long it fires on after the expression has ceased to hold. */
  readonly keepFiringForMs: Milliseconds
  readonly annotations: Labels
  /** What must hold of an element whose alert fires already, so that it fires on; the expression itself where it is absent. */
  readonly recovery?: string
  /** Finds the elements in place of the expression, which then only tells what is looked for; given the keys of the labels of those whose alerts fire. */
  readonly finds?: (time: Milliseconds, firing: ReadonlySet<string>) => Promise<readonly Element[]>
  /** Who finds it; `rule` where it is absent. */
  readonly source?: AlertSource
  readonly templates: { readonly labels: ReadonlyMap<string, Template>; readonly annotations: ReadonlyMap<string, Template> }
}

export interface RecordingRule extends RuleBase {
  readonly kind: 'record'
  /** The metric that it makes. */
  readonly name: string
}

export interface RuleGroup {
  readonly name: string
  readonly file: string
  /** Undefined for the server's own. */
  readonly intervalMs: Milliseconds | undefined
  /** Alerts or series that one rule may make; 0 for any number. */
  readonly limit: number
  /** How far before the evaluation the rules look; undefined for the server's own. */
  readonly queryOffsetMs: Milliseconds | undefined
  readonly rules: readonly (AlertRule | RecordingRule)[]
}
