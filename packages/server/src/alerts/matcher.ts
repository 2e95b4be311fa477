// Matchers of labels as Alertmanager writes them: foo=bar, foo="bar", foo!=bar, foo=~"a|b", {foo="bar", baz!~"x"}.
// @see https://prometheus.io/docs/alerting/latest/configuration/#label-matchers
import { AndonError, type LabelMatcher, type Labels, type MatchOperator } from '@andon/model'
import { labelMatch } from '../query/promql/label-match.ts'

/** An unquoted name may hold all that does not mean anything here; a quoted one, anything. */
const MATCHER = /^\s*(?:"((?:[^"\\]|\\.)*)"|([^\s={}!~,"'`\\]+))\s*(=~|!=|!~|=)\s*([\s\S]*?)\s*$/
const OPERATORS: Readonly<Record<string, MatchOperator>> = { '=': '=', '!=': '!=', '=~': '=~', '!~': '!~' }
/** Of one matcher as text. */
const LENGTH_MAX = 8192
const MATCHERS_MAX = 100

const bad = (problem: string): AndonError => new AndonError('bad_parameter', problem, { hint: 'A matcher is written NAME=VALUE, NAME!=VALUE, NAME=~REGEX or NAME!~REGEX; the value may stand in double quotes.' })

/** Escapes of OpenMetrics; a backslash before anything else is one of the text. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([\s\S])/g, (whole, letter: string) => (letter === 'n' ? '\n' : letter === '"' || letter === '\\' ? letter : whole))
}

function valueOf(raw: string): string {
  const isQuoted = raw.startsWith('"')
  if (isQuoted && (raw.length < 2 || !/(?:^|[^\\])(?:\\\\)*"$/.test(raw.slice(1)))) throw bad(`matcher value contains unescaped double quote: ${raw.slice(0, 200)}`)
  const inner = isQuoted ? raw.slice(1, -1) : raw
  if (/(?:^|[^\\])(?:\\\\)*"/.test(inner)) throw bad(`matcher value contains unescaped double quote: ${raw.slice(0, 200)}`)
  return unescaped(inner)
}

/** Refuses an expression that is not one of RE2. */
function checked(matcher: LabelMatcher): LabelMatcher {
  try {
    labelMatch(matcher)
  } catch (error) {
    throw bad(`bad matcher ${matcherText(matcher)}: ${error instanceof Error ? error.message : String(error)}`)
  }
  return matcher
}

/** @throws AndonError bad_parameter when the text is no matcher */
export function parseMatcher(text: string): LabelMatcher {
  const found = text.length > LENGTH_MAX ? null : MATCHER.exec(text)
  const operator = OPERATORS[found?.[3] ?? '']
  const name = found?.[1] === undefined ? (found?.[2] ?? '') : unescaped(found[1])
  if (found === null || operator === undefined || name === '') throw bad(`bad matcher format: ${text.slice(0, 200)}`)
  return checked({ name, operator, value: valueOf(found[4] ?? '') })
}

/** The parts of a list between commas that do not stand in quotes. */
function parts(text: string): string[] {
  const found = ['']
  let isQuoted = false
  let isEscaped = false
  for (const letter of text) {
    if (letter === ',' && !isQuoted) {
      found.push('')
      continue
    }
    if (letter === '"' && !isEscaped) isQuoted = !isQuoted
    isEscaped = letter === '\\' && !isEscaped
    found[found.length - 1] += letter
  }
  return found.filter((part) => part.trim() !== '')
}

/**
 * The matchers of a list between commas, with or without braces around it.
 *
 * @throws AndonError bad_parameter when one is none, or they are more than 100
 */
export function parseMatchers(text: string): LabelMatcher[] {
  const found = parts(text.trim().replace(/^\{/, '').replace(/\}$/, ''))
  if (found.length > MATCHERS_MAX) throw bad(`more than ${MATCHERS_MAX} matchers`)
  return found.map(parseMatcher)
}

/** A matcher from its parts. @throws AndonError bad_parameter for an expression that is not one of RE2 */
export function matcherOf(name: string, operator: MatchOperator, value: string): LabelMatcher {
  if (name === '' || name.length > LENGTH_MAX || value.length > LENGTH_MAX) throw bad('a matcher needs the name of a label, and at most 8192 characters of each part')
  return checked({ name, operator, value })
}

const quoted = (text: string): string => `"${text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`).replaceAll('"', String.raw`\"`)}"`

/** As Alertmanager writes it: `foo="bar"`. */
export function matcherText({ name, operator, value }: LabelMatcher): string {
  return `${/^[a-zA-Z_:][\w:]*$/.test(name) ? name : quoted(name)}${operator}${quoted(value)}`
}

/** `{a="1",b!="2"}`. */
export function matchersText(matchers: readonly LabelMatcher[]): string {
  return `{${matchers.map(matcherText).join(',')}}`
}

function orderKey({ name, value, operator }: LabelMatcher): string {
  return `${name}\u0000${value}\u0000${['=', '!=', '=~', '!~'].indexOf(operator)}`
}

/** In the order in which Alertmanager sorts them: by name, value, operator. */
export function sortedMatchers(matchers: readonly LabelMatcher[]): LabelMatcher[] {
  return matchers.toSorted((a, b) => (orderKey(a) < orderKey(b) ? -1 : orderKey(a) > orderKey(b) ? 1 : 0))
}

/** The condition that all of these hold; true where there are none. An absent label has an empty value. */
export function allMatch(matchers: readonly LabelMatcher[]): (labels: Labels) => boolean {
  const conditions = matchers.map(labelMatch)
  return (labels) => conditions.every((holds) => holds(labels))
}
