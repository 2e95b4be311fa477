// TraceQL text as tokens.
// @see https://grafana.com/docs/tempo/latest/traceql/ ; lexical rules of tempo pkg/traceql/lexer.go
import { AndonError } from '@andon/model'

export type TokenKind = 'symbol' | 'word' | 'attribute' | 'text' | 'integer' | 'float' | 'duration' | 'end'

export interface Token {
  readonly kind: TokenKind
  /** As it stands, of a text its value without quotes. */
  readonly text: string
  /** Of a duration, in nanoseconds. */
  readonly nanoseconds?: number
  /** Index into the query, from 0. */
  readonly at: number
}

const UNIT_NS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, 'µs': 1e3, 'μs': 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9, d: 86_400e9, w: 604_800e9 }
const DURATION = /(?:\d+(?:\.\d+)?(?:ns|us|µs|μs|ms|[smhdw]))+(?![\w.])/y
const NUMBER = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y
/** What names of attributes and words are made of; a quoted part may hold anything. */
const NAME = /(?:[^\s{}()=~!<>&|^,"`]|"(?:[^"\\]|\\.)*")+/y
const SYMBOL = /&&|\|\||=~|!~|!=|<=|>=|>>|<<|&>>|&>|&<|!>|!<|[{}()|,=<>!~&+*/^%-]/y
const SPACE = /(?:\s|\/\/[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/y
const SCOPES = /^(?:span|resource|event|link|instrumentation|parent)?\./

/** @throws AndonError bad_query with the column, from 1 */
export function failAt(query: string, at: number, problem: string, hint?: string): never {
  throw new AndonError('bad_query', `TraceQL: ${problem} at column ${at + 1} of ${query.slice(0, 200)}`, { hint: hint ?? 'A query looks like {resource.service.name="shop" && name="GET /cart" && duration>1s && status=error && span.http.response.status_code=500}.' })
}

function match(pattern: RegExp, query: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(query)?.[0]
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\u0007', b: '\b', f: '\f', v: '\v' }

/** A text in double quotes, as Go writes it. */
export function unquote(body: string): string {
  return body.replaceAll(/\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|(.))/gs, (_, x?: string, u?: string, long?: string, letter?: string) => {
    const hex = x ?? u ?? long
    if (hex === undefined) return ESCAPES[letter ?? ''] ?? letter ?? ''
    const code = Number.parseInt(hex, 16)
    return code > 0x10_ff_ff ? '\uFFFD' : String.fromCodePoint(code)
  })
}

/** Reads a text from its opening quote. */
function quoted(query: string, at: number): { text: string; length: number } {
  const quote = query[at]
  const body = match(quote === '`' ? /`[^`]*`/y : /"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'/y, query, at)
  if (body === undefined) return failAt(query, at, 'a text without its closing quote')
  const inner = body.slice(1, -1)
  return { text: quote === '`' ? inner : unquote(inner), length: body.length }
}

/** @returns nanoseconds of a duration such as 1h30m or 1.5s */
export function nanosecondsOf(duration: string): number {
  return [...duration.matchAll(/(\d+(?:\.\d+)?)(\D+)/g)].reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT_NS[unit ?? ''] ?? Number.NaN), 0)
}

function numberAt(query: string, at: number): Token | undefined {
  const duration = match(DURATION, query, at)
  if (duration !== undefined) return { kind: 'duration', text: duration, nanoseconds: nanosecondsOf(duration), at }
  const number = match(NUMBER, query, at)
  return number === undefined ? undefined : { kind: /^\d+$/.test(number) ? 'integer' : 'float', text: number, at }
}

function tokenAt(query: string, at: number): Token {
  const first = query[at] ?? ''
  if (first === '"' || first === "'" || first === '`') return { kind: 'text', text: quoted(query, at).text, at }
  if (/\d/.test(first)) return numberAt(query, at) ?? failAt(query, at, 'a number that cannot be read', 'Texts stand in quotes: span.user="42abc".')
  const symbol = match(SYMBOL, query, at)
  if (symbol !== undefined) return { kind: 'symbol', text: symbol, at }
  const name = match(NAME, query, at)
  if (name === undefined) return failAt(query, at, `the character ${JSON.stringify(first)}`)
  return { kind: SCOPES.test(name) ? 'attribute' : 'word', text: name, at }
}

/** The tokens of a query, the last of kind `end`. @throws AndonError bad_query */
export function tokensOf(query: string): Token[] {
  const tokens: Token[] = []
  let at = match(SPACE, query, 0)?.length ?? 0
  while (at < query.length) {
    const token = tokenAt(query, at)
    tokens.push(token)
    at += token.kind === 'text' ? quoted(query, at).length : token.text.length
    at += match(SPACE, query, at)?.length ?? 0
  }
  return [...tokens, { kind: 'end', text: '', at: query.length }]
}
