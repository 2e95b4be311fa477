// What a rule of inhibition looks like, in the old syntax (source_match, source_match_re) and the new one (source_matchers).
import type { LabelMatcher } from '@andon/model'
import type { Reading } from '../runtime/reading.ts'
import { matcherOf, parseMatchers } from './matcher.ts'

export interface InhibitRule {
  /** Of the alert that holds others back. */
  readonly source: readonly LabelMatcher[]
  /** Of those that are held back. */
  readonly target: readonly LabelMatcher[]
  /** Labels that both must have alike; an absent one is an empty one. */
  readonly equal: readonly string[]
}

function oldMatchers(reading: Reading, operator: '=' | '=~'): LabelMatcher[] {
  return reading.isAbsent ? [] : reading.keys().map((name) => reading.at(name).parsed((value) => matcherOf(name, operator, value)))
}

/** `match`, `match_re` and `matchers` of one thing, joined. @throws AndonError bad_config */
export function readMatchers(match: Reading, matchRe: Reading, matchers: Reading): LabelMatcher[] {
  // Alertmanager takes one text as well as a list of them.
  const texts = typeof matchers.value === 'string' ? [matchers] : matchers.list()
  return [...oldMatchers(match, '='), ...oldMatchers(matchRe, '=~'), ...texts.flatMap((text) => text.parsed(parseMatchers))]
}

/** One entry of `inhibit_rules`. @throws AndonError bad_config */
export function readInhibitRule(reading: Reading): InhibitRule {
  const given = reading.fields(['name', 'source_match', 'source_match_re', 'source_matchers', 'target_match', 'target_match_re', 'target_matchers', 'equal'])
  return {
    source: readMatchers(given.source_match, given.source_match_re, given.source_matchers),
    target: readMatchers(given.target_match, given.target_match_re, given.target_matchers),
    equal: given.equal.names(),
  }
}
