// Hysteresis: what fires is held against the recovery threshold, what does not against the threshold.
import { labelsKey, type Milliseconds } from '@andon/model'
import type { AlertingRule } from './alerting.ts'
import type { Element, InstantQuery } from './missing.ts'

/** Keys of the labels of the elements whose alerts fire. */
export function firingElements({ alerts }: Pick<AlertingRule, 'alerts'>): Set<string> {
  return new Set([...alerts.values()].filter(({ state }) => state === 'firing').map(({ element }) => labelsKey(element)))
}

/**
 * The elements for which a rule holds: those of its expression, and those whose alert fires and that have not recovered yet.
 *
 * @param found - what the expression gave
 */
export async function withUnrecovered(rule: Pick<AlertingRule, 'rule' | 'alerts'>, found: readonly Element[], query: InstantQuery, time: Milliseconds): Promise<readonly Element[]> {
  const { recovery } = rule.rule
  if (recovery === undefined) return found
  const firing = firingElements(rule)
  for (const { labels } of found) firing.delete(labelsKey(labels))
  // Nothing is asked where nothing could be kept by it.
  if (firing.size === 0) return found
  return [...found, ...(await query(recovery, time)).filter(({ labels }) => firing.has(labelsKey(labels)))]
}
