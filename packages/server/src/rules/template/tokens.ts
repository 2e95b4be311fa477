// Cuts a Go template into text and the words of its actions.
// @see https://pkg.go.dev/text/template
import { AndonError } from '@andon/model'

/** A word of an action. */
export interface Token {
  readonly kind: 'identifier' | 'field' | 'variable' | 'string' | 'number' | 'char' | 'punctuation'
  /** A string without its quotes and escapes, a field without its dot. */
  readonly text: string
  /** Whether white space stands before it: `.a.b` is one operand, `.a .b` are two. */
  readonly spaced: boolean
}

/** A stretch of plain text, or the words between two braces. */
export type Piece = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'action'; readonly tokens: readonly Token[] }

export function templateError(problem: string): AndonError {
  return new AndonError('bad_rules', problem, { hint: 'Templates are written as Prometheus has them: {{ $labels.instance }}, {{ $value | humanize }}.' })
}

const WORDS: readonly (readonly [Token['kind'], RegExp])[] = [
  ['string', /"(?:[^"\\\n]|\\.)*"|`[^`]*`/y],
  ['char', /'(?:[^'\\\n]|\\.)+'/y],
  ['number', /[+-]?(?:0[xX][\da-fA-F_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y],
  ['variable', /\$[\p{L}\d_]*/uy],
  ['field', /\.[\p{L}_][\p{L}\d_]*/uy],
  ['identifier', /[\p{L}_][\p{L}\d_]*/uy],
  ['punctuation', /:=|[=|(),.]/y],
]
const SPACE = /\s+/y

const ESCAPES: Readonly<Record<string, string>> = { a: '\u0007', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** What a quoted text of Go says. */
function unquoted(text: string): string {
  if (text.startsWith('`')) return text.slice(1, -1)
  return text.slice(1, -1).replaceAll(/\\(x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-7]{3}|.)/g, (_, escape: string) => {
    if (/^[xuU]./.test(escape)) return String.fromCodePoint(Number.parseInt(escape.slice(1), 16))
    if (/^[0-7]{3}$/.test(escape)) return String.fromCodePoint(Number.parseInt(escape, 8))
    return ESCAPES[escape] ?? escape
  })
}

function readWord(text: string, at: number): { readonly kind: Token['kind']; readonly raw: string } {
  for (const [kind, pattern] of WORDS) {
    pattern.lastIndex = at
    const raw = pattern.exec(text)?.[0]
    if (raw !== undefined) return { kind, raw }
  }
  throw templateError(`unexpected ${JSON.stringify(text.slice(at, at + 10))} in an action`)
}

function textOf(kind: Token['kind'], raw: string): string {
  if (kind === 'string') return unquoted(raw)
  if (kind === 'char') return String(unquoted(raw).codePointAt(0) ?? 0)
  return kind === 'field' ? raw.slice(1) : raw
}

/** The words of an action, and where it ends: behind its closing braces. */
function readAction(text: string, from: number): { readonly tokens: Token[]; readonly end: number; readonly trims: boolean } {
  const tokens: Token[] = []
  let at = from
  for (;;) {
    SPACE.lastIndex = at
    const space = SPACE.exec(text)?.[0] ?? ''
    at += space.length
    if (text.startsWith('}}', at)) return { tokens, end: at + 2, trims: false }
    if (space !== '' && text.startsWith('-}}', at)) return { tokens, end: at + 3, trims: true }
    if (at >= text.length) throw templateError('an action is not closed by }}')
    const { kind, raw } = readWord(text, at)
    tokens.push({ kind, text: textOf(kind, raw), spaced: space !== '' })
    at += raw.length
  }
}

const COMMENT = /\s?\/\*[\s\S]*?\*\/(\s-)?\}\}/y

/**
 * @param text - a template, at most 64 KiB
 * @throws AndonError bad_rules
 */
export function readPieces(text: string): Piece[] {
  if (text.length > 65_536) throw templateError('a template may be 64 KiB long')
  const pieces: Piece[] = []
  let at = 0
  let trimsNext = false
  const addText = (upTo: number, trimsEnd: boolean): void => {
    let plain = text.slice(at, upTo)
    if (trimsNext) plain = plain.trimStart()
    if (trimsEnd) plain = plain.trimEnd()
    if (plain !== '') pieces.push({ kind: 'text', text: plain })
  }
  for (;;) {
    const open = text.indexOf('{{', at)
    if (open < 0) {
      addText(text.length, false)
      return pieces
    }
    const trims = /^-\s/.test(text.slice(open + 2, open + 4))
    addText(open, trims)
    const from = open + 2 + (trims ? 1 : 0)
    COMMENT.lastIndex = from
    const comment = COMMENT.exec(text)
    if (comment === null) {
      const action = readAction(text, from)
      pieces.push({ kind: 'action', tokens: action.tokens })
      at = action.end
      trimsNext = action.trims
    } else {
      at = from + comment[0].length
      trimsNext = comment[1] !== undefined
    }
  }
}
