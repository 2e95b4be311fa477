import type { LabelMatcher, Labels } from '@andon/model'
import { anchored } from './re2.ts'

/**
 * A condition on labels; an absent label is an empty one.
 *
 * @throws AndonError query_failed for an expression that is not one of RE2
 */
export function labelMatch({ name, operator, value }: LabelMatcher): (labels: Labels) => boolean {
  if (operator === '=' || operator === '!=') return (labels) => ((labels[name] ?? '') === value) === (operator === '=')
  const pattern = anchored(value, `the matcher of ${name}`)
  return (labels) => pattern.matcher(labels[name] ?? '').find() === (operator === '=~')
}
