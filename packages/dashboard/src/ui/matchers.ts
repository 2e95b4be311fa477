// Matchers of labels as Alertmanager writes them.
// @see https://prometheus.io/docs/alerting/latest/configuration/#matcher

export type MatchOperator = '=' | '!=' | '=~' | '!~'

/** One condition on one label. */
export interface Matcher {
  readonly name: string
  readonly operator: MatchOperator
  readonly value: string
}

const MATCHER = /^\s*([a-zA-Z_][\w.:-]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^",}]*?))\s*(?:,|$)/

const unescaped = (text: string): string => text.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))
const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', String.raw`\"`).replaceAll('\n', String.raw`\n`)

/**
 * Matchers that a person typed, separated by commas, with or without braces; a value needs quotes only where it holds a comma.
 *
 * @returns null when they cannot be read; an empty list for an empty text
 * @example parseMatchers('service=kanban, severity=~"page|ticket"')
 */
export function parseMatchers(typed: string): readonly Matcher[] | null {
  let rest = typed.trim()
  if (rest.startsWith('{') && rest.endsWith('}')) rest = rest.slice(1, -1)
  const found: Matcher[] = []
  while (rest.trim() !== '') {
    const match = MATCHER.exec(rest)
    if (match === null) return null
    const [whole, name = '', operator = '=', quoted, bare = ''] = match
    found.push({ name, operator: operatorOf(operator), value: quoted === undefined ? bare : unescaped(quoted) })
    rest = rest.slice(whole.length)
  }
  return found
}

const operatorOf = (text: string): MatchOperator => (text === '!=' || text === '=~' || text === '!~' ? text : '=')

/** One matcher as text, as `parseMatchers` reads it. */
export function matcherText({ name, operator, value }: Matcher): string {
  return `${name}${operator}"${escaped(value)}"`
}

/** Matchers as one text. */
export function matchersText(matchers: readonly Matcher[]): string {
  return matchers.map(matcherText).join(', ')
}

function holds({ operator, value }: Matcher, label: string): boolean {
  if (operator === '=') return label === value
  if (operator === '!=') return label !== value
  let pattern: RegExp
  try {
    pattern = new RegExp(`^(?:${value})$`)
  } catch {
    return false
  }
  return pattern.test(label) === (operator === '=~')
}

/** True when every matcher holds; a missing label is an empty one. */
export function matches(matchers: readonly Matcher[], labels: Readonly<Record<string, string>>): boolean {
  return matchers.every((matcher) => holds(matcher, labels[matcher.name] ?? ''))
}

/** Why matchers may not be used for a silence, in words; null when they may. */
export function matchersProblem(matchers: readonly Matcher[] | null): string | null {
  if (matchers === null) return 'Write label="value", separated by commas; also != =~ !~.'
  if (matchers.length === 0) return 'Name at least one label: a silence of everything would hide everything.'
  if (matchers.every((matcher) => holds(matcher, ''))) return 'At least one matcher must need a value: these match every alert.'
  const broken = matchers.find(({ operator, value }) => operator.endsWith('~') && !isPattern(value))
  return broken === undefined ? null : `“${broken.value}” is not a regular expression.`
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp
  } catch {
    return false
  }
}
