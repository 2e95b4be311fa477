import { type AlertSignal, SEVERITIES, type Severity } from './alert.ts'
import type { Attributes, AttributeValue } from './attributes.ts'
import { INVENTORY_KINDS, type InventoryItem, isInventoryItem } from './inventory.ts'
import type { Milliseconds, Ratio } from './units.ts'

// The events that an agent sends as log records, their names and attributes.

/** A threshold was broken in the process. */
export const THRESHOLD_EVENT = 'andon.threshold.exceeded'
/** It is still broken; said about once a minute, with the attributes of the first. */
export const THRESHOLD_LASTING_EVENT = 'andon.threshold.lasting'
/** It is kept again, with the attributes of the first. */
export const THRESHOLD_ENDED_EVENT = 'andon.threshold.ended'
/** All that the application has registered so far. */
export const INVENTORY_EVENT = 'andon.inventory'
/** The agent does less, or more again, to keep its budget. */
export const ADAPTED_EVENT = 'andon.agent.adapted'

/** A broken threshold as it is sent and kept. */
export interface Breach {
  /** The id of the rule; the alert's type where it comes from none. */
  readonly rule: string
  readonly type: string
  readonly metric: string
  /** In the unit of the metric, as the threshold. */
  readonly value: number
  readonly threshold: number
  readonly severity: Severity
  readonly message: string
  readonly tags: Readonly<Record<string, string>>
}

/** What an agent says of a threshold: that it was exceeded, that it still is, or that it is kept again. */
export interface ReportedBreach extends Breach {
  readonly what: 'exceeded' | 'lasting' | 'ended'
  readonly time: Milliseconds
  readonly service: string
  readonly instance: string
}

/** The attributes of the event for an alert. */
export function breachAttributes({ rule, type, metric, value, threshold, severity, message, tags }: AlertSignal): Attributes {
  return {
    'andon.threshold.rule': rule ?? type,
    'andon.threshold.type': type,
    'andon.threshold.metric': metric ?? '',
    'andon.threshold.value': value ?? Number.NaN,
    'andon.threshold.limit': threshold ?? Number.NaN,
    'andon.threshold.severity': severity,
    'andon.threshold.message': message ?? '',
    'andon.threshold.tags': { ...tags },
  }
}

const textOf = (value: AttributeValue | undefined, length: number): string => (typeof value === 'string' ? value.slice(0, length) : '')
const numberOf = (value: AttributeValue | undefined): number => (typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN)

function tagsOf(value: AttributeValue | undefined): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) return {}
  const entries = Object.entries(value).slice(0, 20)
  return Object.fromEntries(entries.map(([key, each]: [string, AttributeValue]) => [key.slice(0, 200), textOf(each, 200)]))
}

/** What such an event says; undefined where it names no rule. */
export function readBreach(attributes: Attributes): Breach | undefined {
  const rule = textOf(attributes['andon.threshold.rule'], 200)
  if (rule === '') return undefined
  return {
    rule,
    type: textOf(attributes['andon.threshold.type'], 100),
    metric: textOf(attributes['andon.threshold.metric'], 200),
    value: numberOf(attributes['andon.threshold.value']),
    threshold: numberOf(attributes['andon.threshold.limit']),
    severity: SEVERITIES.find((each) => each === attributes['andon.threshold.severity']) ?? 'warning',
    message: textOf(attributes['andon.threshold.message'], 1000),
    tags: tagsOf(attributes['andon.threshold.tags']),
  }
}

/** The attributes of the event for an inventory: a list of names per kind. */
export function inventoryAttributes(items: readonly InventoryItem[]): Attributes {
  const lists = INVENTORY_KINDS.map((kind) => [`andon.inventory.${kind}`, items.filter((item) => item.kind === kind).map(({ name }) => name)] as const)
  return Object.fromEntries(lists.filter(([, names]) => names.length > 0))
}

/** The items that such an event holds, without those that may not be registered; at most `max`. */
export function readInventory(attributes: Attributes, max: number): InventoryItem[] {
  const items = INVENTORY_KINDS.flatMap((kind) => {
    const names = attributes[`andon.inventory.${kind}`]
    if (!Array.isArray(names)) return []
    return names.map((name: unknown) => ({ kind, name })).filter(isInventoryItem)
  })
  return items.slice(0, max)
}

/** Why an agent records less or more than before. */
const ADAPTATION_REASONS = ['over_budget', 'load_fell'] as const

/** What an agent does from now on to keep its budget, and why. */
export interface Adaptation {
  readonly reason: (typeof ADAPTATION_REASONS)[number]
  /** What it cost before the change, of one core, and what it may cost. */
  readonly share: Ratio
  readonly budget: Ratio
  /** What is left of the wanted traces and of the wanted rate of the continuous profile. */
  readonly sampling: Ratio
  readonly profile: Ratio
}

/** The attributes of the event for an adaptation. */
export function adaptationAttributes({ reason, share, budget, sampling, profile }: Adaptation): Attributes {
  return {
    'andon.agent.reason': reason,
    'andon.agent.cpu.utilization': share,
    'andon.agent.budget': budget,
    'andon.agent.sampling.limit': sampling,
    'andon.agent.profile.limit': profile,
  }
}

/** What such an event says; undefined where a part is missing or no share. */
export function readAdaptation(attributes: Attributes): Adaptation | undefined {
  const reason = ADAPTATION_REASONS.find((each) => each === attributes['andon.agent.reason'])
  const [share = -1, budget = -1, sampling = -1, profile = -1] = ['cpu.utilization', 'budget', 'sampling.limit', 'profile.limit'].map((name) => numberOf(attributes[`andon.agent.${name}`]))
  const areShares = share >= 0 && share < Infinity && [budget, sampling, profile].every((each) => each >= 0 && each <= 1)
  return reason === undefined || !areShares ? undefined : { reason, share, budget, sampling, profile }
}
