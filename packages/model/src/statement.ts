// Texts of database statements: as they may be recorded, what they do in a few words, and which are the same but for values.

/** How the text is written: MySQL takes double quotes for strings and backslashes for escapes. */
export type SqlDialect = 'standard' | 'mysql'

/** A part of a statement. */
interface Token {
  readonly kind: 'word' | 'literal' | 'space' | 'comment' | 'open' | 'close' | 'other'
  readonly text: string
}

// One alternative for each kind; linear, since no part can match in two ways.
const STANDARD = /([eE]'(?:[^'\\]|\\.|'')*(?:'|$)|[nNbBxX]?'(?:[^']|'')*(?:'|$)|\$([A-Za-z_]\w*|)\$[\s\S]*?(?:\$\2\$|$))|(\/\*[\s\S]*?(?:\*\/|$)|--[^\n]*)|("(?:[^"]|"")*"?|`[^`]*`?|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(\$\d+|[:@]\w+|\?)|(0[xX][\da-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|(\s+)|(\()|(\))|([\s\S])/g
const MYSQL = /([nNbBxX]?'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|"(?:[^"\\]|\\[\s\S]|"")*(?:"|$)(\b\B)?)|(\/\*[\s\S]*?(?:\*\/|$)|--[^\n]*|#[^\n]*)|(`[^`]*`?|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(\$\d+|[:@]\w+|\?)|(0[xX][\da-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|(\s+)|(\()|(\))|([\s\S])/g

function* tokensOf(sql: string, dialect: SqlDialect): Generator<Token> {
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

/** What a statement of SQL is, without its values. */
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
export function describeSql(sql: string, dialect: SqlDialect = 'standard'): SqlText {
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

/** A statement as it is grouped and shown. */
export interface StatementText {
  /** Without values, comments and differences of white space; at most 8 KiB. Its xxHash64 is the statement's id. */
  readonly text: string
  /** What it does, such as SELECT, GET or find; '' where that is not known. */
  readonly operation: string
  /** The tables or collections that it names, each once. */
  readonly collections: readonly string[]
}

const KEY_VALUE: ReadonlySet<string> = new Set(['redis', 'valkey', 'memcached'])
/** Commands of MongoDB whose value is the name of a collection. */
const DOCUMENT_COMMANDS: ReadonlySet<string> = new Set(['find', 'insert', 'update', 'delete', 'aggregate', 'findAndModify', 'findandmodify', 'count', 'distinct', 'getMore', 'createIndexes'])
const LIST = '(...)'
const VALUE = /^(?:\?|\$\d+|[:@]\w+)$/
/** Deeper documents are shown as one value. */
const MAX_DEPTH = 20

/**
 * What a statement is apart from its values: the same text for `id = 7` and `id = 8`, for lists and rows of different lengths,
 * whatever its comments and line breaks. Applied to its own text it changes nothing.
 *
 * @param statement - read up to 8 KiB
 * @param system - OpenTelemetry's name of the database, such as `postgresql`; '' where it is not known
 * @example canonicalStatement("SELECT a\n FROM t WHERE id IN (1, 2)", 'postgresql').text // 'SELECT a FROM t WHERE id IN (...)'
 */
export function canonicalStatement(statement: string, system: string): StatementText {
  const cut = (statement.length > MAX_TEXT ? statement.slice(0, MAX_TEXT) : statement).trim()
  if (KEY_VALUE.has(system)) return ofKeyValue(cut)
  if (cut.startsWith('{')) return ofDocument(cut) ?? ofSql(cut, 'mysql')
  return ofSql(cut, system === 'mysql' || system === 'mariadb' ? 'mysql' : 'standard')
}

function ofKeyValue(command: string): StatementText {
  const [, word = '', rest = ''] = /^(\S*)\s*(\S?)/.exec(command) ?? []
  const operation = word.toUpperCase().slice(0, 50)
  return { text: rest === '' ? operation : `${operation} ?`, operation, collections: [] }
}

function masked(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return '?'
  if (Array.isArray(value)) return value.length === 0 ? [] : [masked(value[0], depth + 1)]
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, masked(each, depth + 1)]))
}

/** A command as a JSON document; undefined where it is none, as when it was cut. */
function ofDocument(document: string): StatementText | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(document)
  } catch {
    return undefined
  }
  const entries = Object.entries(typeof parsed === 'object' && parsed !== null ? parsed : {})
  const [command = '', named]: readonly unknown[] = entries[0] ?? []
  const isNamed = typeof command === 'string' && DOCUMENT_COMMANDS.has(command) && typeof named === 'string'
  const collection = isNamed ? named.slice(0, 200) : ''
  const text = JSON.stringify(Object.fromEntries(entries.map(([key, value], index) => [key, isNamed && index === 0 ? collection : masked(value, 1)]))).slice(0, MAX_TEXT)
  return isNamed ? { text, operation: command, collections: [collection] } : { text, operation: '', collections: [] }
}

function ofSql(sql: string, dialect: SqlDialect): StatementText {
  const summary = new Summary()
  const text = new CanonicalText()
  for (const token of tokensOf(sql, dialect)) {
    summary.read(token)
    text.read(token)
  }
  return { text: text.text(), operation: summary.operation, collections: [...new Set(summary.tables)] }
}

/** Writes tokens with one space where there was any, values as `?`, and lists of values as one. */
class CanonicalText {
  readonly #parts: string[] = []
  /** Where the list of values began that may be open; -1 where there is none. */
  #list = -1
  /** Whether the list that is open, or that was closed last with nothing but a comma after it, is a row of VALUES. */
  #isRow = false
  #isGap = false
  /** The last word in upper case, while nothing followed it. */
  #word = ''

  read({ kind, text }: Token): void {
    if (kind === 'space' || kind === 'comment') {
      this.#isGap = this.#parts.length > 0
      return
    }
    if (this.#list >= 0 && kind === 'close') {
      this.#closeList()
      return
    }
    const isValue = kind === 'literal' || (kind === 'other' && VALUE.test(text))
    if (this.#list >= 0 && !isValue && text !== ',' && text !== ':') this.#list = -1
    if (this.#list < 0) this.#outside(kind, text)
    if (this.#isGap) this.#parts.push(' ')
    this.#isGap = false
    this.#parts.push(kind === 'literal' ? '?' : text)
    this.#word = kind === 'word' ? text.toUpperCase() : ''
  }

  /** Lists follow IN; rows follow VALUES, and one another. */
  #outside(kind: Token['kind'], text: string): void {
    const isNextRow = this.#isRow && this.#parts.at(-1) === ','
    this.#isRow = (this.#isRow && text === ',') || (kind === 'open' && (this.#word === 'VALUES' || isNextRow))
    if (kind === 'open' && (this.#isRow || this.#word === 'IN')) this.#list = this.#parts.length + (this.#isGap ? 1 : 0)
  }

  #closeList(): void {
    const length = this.#parts.length - this.#list
    this.#parts.length = this.#list
    this.#list = -1
    this.#isGap = false
    this.#word = ''
    this.#trim()
    // A further row is the same as the one before.
    if (this.#isRow && this.#parts.at(-1) === ',') {
      this.#parts.pop()
      this.#trim()
    } else this.#parts.push(' ', length === 1 ? '()' : LIST)
  }

  #trim(): void {
    while (this.#parts.at(-1) === ' ') this.#parts.pop()
  }

  text(): string {
    while (this.#parts.at(-1) === ' ' || this.#parts.at(-1) === ';') this.#parts.pop()
    return this.#parts.join('').slice(0, MAX_TEXT)
  }
}
