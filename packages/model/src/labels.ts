/** The labels of a series: names and values; an absent label is the same as an empty one. */
export type Labels = Readonly<Record<string, string>>

/** How a matcher compares: equal, not equal, matches the anchored RE2 expression, does not match it. */
export type MatchOperator = '=' | '!=' | '=~' | '!~'

/** One condition on a label; a selector is a list of them, all of which must hold. */
export interface LabelMatcher {
  readonly name: string
  readonly operator: MatchOperator
  readonly value: string
}

/**
 * The labels as pairs in the order of their names (by UTF-16 code unit), empty values left out.
 *
 * @param labels - not modified
 * @example sortedPairs({ b: '2', a: '1', c: '' }) // [['a', '1'], ['b', '2']]
 */
export function sortedPairs(labels: Labels): [name: string, value: string][] {
  return Object.entries(labels)
    .filter(([, value]) => value !== '')
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}

/**
 * The text that identifies a set of labels: each name, 0x1F, value, 0x1E, in the order of the names. The id of a
 * series is xxHash64 (seed 0) of this text in UTF-8; as a key of a Map the text itself serves.
 *
 * @param labels - with `__name__` for a whole series; not modified
 * @example labelsKey({ b: '2', a: '1' }) // 'a\x1F1\x1Eb\x1F2\x1E'
 */
export function labelsKey(labels: Labels): string {
  let key = ''
  for (const [name, value] of sortedPairs(labels)) key += `${name}\u001F${value}\u001E`
  return key
}

/** Labels that may name a service, an environment: our own first. */
const SERVICE = ['service_name', 'service', 'job'] as const
const ENVIRONMENT = ['deployment_environment_name', 'deployment_environment', 'environment', 'env'] as const

const firstOf = (labels: Labels, names: readonly string[]): string => names.map((name) => labels[name] ?? '').find((value) => value !== '') ?? ''

/** The service that labels name; '' where they name none. */
export const serviceOfLabels = (labels: Labels): string => firstOf(labels, SERVICE)
/** The environment that labels name; '' where they name none. */
export const environmentOfLabels = (labels: Labels): string => firstOf(labels, ENVIRONMENT)
