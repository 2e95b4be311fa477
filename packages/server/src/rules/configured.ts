// `rules.simple` of andon.yaml: rules in the simple form, without a file of their own.
import { AndonError } from '@andon/model'
import type { RuleGroup } from './definition.ts'
import { readSimpleRules, SIMPLE_GROUP } from './simple.ts'

/**
 * The group of these rules; none where there are none.
 *
 * @throws AndonError bad_config with the path of the rule
 */
export function readConfiguredRules(value: unknown): readonly RuleGroup[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new AndonError('bad_config', 'rules.simple must be a list of rules in the simple form')
  const rules = readSimpleRules(value, (problem, index) => {
    throw new AndonError('bad_config', `rules.simple[${index}]: ${problem}`, { hint: 'docs/reference/rules.md shows the simple form.' })
  })
  return rules.length === 0 ? [] : [{ name: SIMPLE_GROUP, file: 'andon.yaml', intervalMs: undefined, limit: 0, queryOffsetMs: undefined, rules }]
}
