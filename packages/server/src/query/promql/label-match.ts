import type { LabelMatcher, Labels } from '@andon/model'
import { RE2JS } from 're2js'
import { checkedPattern } from '../../store/matchers.ts'

/**
 * The condition of a matcher on its label's value; an absent label has an empty one. An expression runs in time linear in the text, whatever it is.
 *
 * @throws AndonError bad_query for an expression that is not one of RE2
 */
export function valueMatch({ operator, value }: Pick<LabelMatcher, 'operator' | 'value'>): (text: string) => boolean {
  if (operator === '=' || operator === '!=') return (text) => (text === value) === (operator === '=')
  const pattern = RE2JS.compile(checkedPattern(value))
  return (text) => pattern.matches(text) === (operator === '=~')
}

/** The condition of a matcher on the labels of a series. @throws AndonError as `valueMatch` */
export function labelMatch(matcher: LabelMatcher): (labels: Labels) => boolean {
  const holds = valueMatch(matcher)
  return (labels) => holds(labels[matcher.name] ?? '')
}
