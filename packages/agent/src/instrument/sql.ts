// Texts of statements as they may be recorded, and what they do in a few words.

/** How the text is written: MySQL takes double quotes for strings and backslashes for escapes. */
export type Dialect = 'standard' | 'mysql'

/** A part of a statement. */
interface Token {
  readonly kind: 'word' | 'literal' | 'space' | 'comment' | 'open' | 'close' | 'other'
  readonly text: string
}

// One alternative for each kind; linear, since no part can match in two ways.
const STANDARD = /([eE]'(?:[^'\\]|\\.|'')*(?:'|$)|[nNbBxX]?'(?:[^']|'')*(?:'|$)|\$([A-Za-z_]\w*|)\$[\s\S]*?(?:\$\2\$|$))|(\/\*[\s\S]*?(?:\*\/|$)|--[^\n]*)|("(?:[^"]|"")*"?|`[^`]*`?|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(\$\d+|[:@]\w+|\?)|(0[xX][\da-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|(\s+)|(\()|(\))|([\s\S])/g
const MYSQL = /([nNbBxX]?'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|"(?:[^"\\]|\\[\s\S]|"")*(?:"|$)(\b\B)?)|(\/\*[\s\S]*?(?:\*\/|$)|--[^\n]*|#[^\n]*)|(`[^`]*`?|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(\$\d+|[:@]\w+|\?)|(0[xX][\da-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|(\s+)|(\()|(\))|([\s\S])/g

function* tokensOf(sql: string, dialect: Dialect): Generator<Token> {
  for (const [text, literal, , comment, word, placeholder, number, space, open, close] of sql.matchAll(dialect === 'mysql' ? MYSQL : STANDARD)) {
    if (literal !== undefined || number !== undefined) yield { kind: 'literal', text }
    else if (comment !== undefined) yield { kind: 'comment', text }
    else if (word !== undefined) yield { kind: 'word', text }
    else if (space !== undefined) yield { kind: 'space', text }
    else if (open !== undefined) yield { kind: 'open', text }
    else if (close !== undefined) yield { kind: 'close', text }
    else yield { kind: 'other', text: placeholder ?? text }
  }
}

/** What a statement is, without its values. */
export interface SqlText {
  /** The text with `?` in the place of every value that stands in it. */
  readonly text: string
  /** The first verb in upper case, such as SELECT; '' where there is none. */
  readonly operation: string
  /** The first table; '' where there is none. */
  readonly collection: string
  /** Verb and tables, such as `SELECT cards labels`: few different ones, whatever the values. */
  readonly summary: string
}

/** Longer texts are cut before anything else is done. */
const MAX_TEXT = 8192
const MAX_SUMMARY = 255
const BEFORE_TABLE: ReadonlySet<string> = new Set(['FROM', 'JOIN', 'INTO', 'UPDATE', 'TABLE'])
const NO_TABLE: ReadonlySet<string> = new Set(['SELECT', 'LATERAL', 'ONLY', 'IF', 'NOT', 'EXISTS', 'SET', 'UNNEST', 'VALUES'])
const VERBS: ReadonlySet<string> = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'MERGE', 'REPLACE'])

/** @param sql - read up to 8 KiB */
export function describeSql(sql: string, dialect: Dialect = 'standard'): SqlText {
  const summary = new Summary()
  let text = ''
  for (const token of tokensOf(sql.length > MAX_TEXT ? sql.slice(0, MAX_TEXT) : sql, dialect)) {
    text += token.kind === 'literal' ? '?' : token.text
    summary.read(token)
  }
  return { text, operation: summary.operation, collection: summary.tables[0] ?? '', summary: summary.text() }
}

class Summary {
  operation = ''
  readonly tables: string[] = []
  #depth = 0
  #isWith = false
  #isTableNext = false
  #isTableOpen = false

  read({ kind, text }: Token): void {
    if (kind === 'space' || kind === 'comment') return
    if (kind === 'open') this.#depth += 1
    if (kind === 'close') this.#depth -= 1
    if (kind === 'word') this.#word(text)
    else {
      // `schema.table` is one name.
      if (text === '.' && this.#isTableOpen) {
        this.#append('.')
        this.#isTableNext = true
      } else {
        this.#isTableNext = false
        this.#isTableOpen = false
      }
    }
  }

  #word(text: string): void {
    const upper = text.toUpperCase()
    if (this.#isTableNext && !NO_TABLE.has(upper)) {
      const name = text.replaceAll(/["`]/g, '')
      if (this.#isTableOpen) this.#append(name)
      else this.tables.push(name)
      this.#isTableOpen = true
      this.#isTableNext = false
      return
    }
    this.#isTableOpen = false
    if (this.operation === '' || (this.#isWith && this.#depth === 0 && VERBS.has(upper))) {
      this.operation = upper
      this.#isWith = upper === 'WITH'
    }
    // `FOR UPDATE` and `ON CONFLICT DO UPDATE` name no table.
    this.#isTableNext = BEFORE_TABLE.has(upper) && !(upper === 'UPDATE' && this.operation !== 'UPDATE')
  }

  #append(part: string): void {
    this.tables[this.tables.length - 1] += part
  }

  text(): string {
    return [this.operation, ...new Set(this.tables)].join(' ').slice(0, MAX_SUMMARY)
  }
}
