// Texts of SQL without the values that stand in them, by the rules of each database.
//
// Whoever writes a statement may have put into it what others sent, so each expression is linear: what opens and does not close takes
// the rest. Where the rules are not known, so does all that could be read in two ways.

/** Longer texts are cut before anything else is done. */
const MAX_TEXT = 8192

/** Parts of statements, each an expression. */
const PART = {
  // PostgreSQL's comments nest, others' do not: one that holds a second opening takes the rest.
  block: String.raw`\/\*(?:(?!\*\/|\/\*)[\s\S])*(?:\*\/|\/\*[\s\S]*|$)`,
  line: String.raw`--[^\n]*`,
  // There it begins with white space: 5--'x' is a difference.
  lineOfMysql: String.raw`--(?=\s|$)[^\n]*|#[^\n]*`,
  text: String.raw`(?:[nNbBxX]|[uU]&)?'(?:[^']|'')*(?:'|$)`,
  escaped: String.raw`[nNbBxX]?'(?:[^'\\]|\\[\s\S]|'')*(?:'|\\?$)`,
  escapedByE: String.raw`[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|\\?$)`,
  inDoubleQuotes: String.raw`"(?:[^"\\]|\\[\s\S]|"")*(?:"|\\?$)`,
  inDollars: String.raw`\$(?<tag>[\p{L}_][\p{L}\p{N}_]*)?\$[\s\S]*?(?:\$\k<tag>\$|$)`,
  // Oracle's q'[…]', or with any other character.
  inChosen: String.raw`[nN]?[qQ]'(?:\[[\s\S]*?(?:\]'|$)|\{[\s\S]*?(?:\}'|$)|\([\s\S]*?(?:\)'|$)|<[\s\S]*?(?:>'|$)|(?<quote>\S)[\s\S]*?(?:\k<quote>'|$)|$)`,
  uuid: String.raw`[\da-fA-F]{8}-(?:[\da-fA-F]{4}-){3}[\da-fA-F]{12}`,
  // Also 0x1f, 0b1, 1_000 and 12h30m.
  number: String.raw`(?:\d\w*(?:\.\w*)?|\.\d\w*)(?:(?<=[\d.][eE])[+-]\d+)?`,
  word: String.raw`[\p{L}_][\p{L}\p{M}\p{N}_$]*`,
  quoted: String.raw`"(?:[^"]|"")*"`,
  ticked: '`(?:[^`]|``)*`',
  bracketed: String.raw`\[[^\]]*\]`,
  bracketedTwice: String.raw`\[(?:[^\]]|\]\])*\]`,
  placeholder: String.raw`\$\d+(?![\d.])|\?\d*`,
  colon: String.raw`:\d+(?![\d.])`,
  // Texts that no database reads otherwise.
  plain: String.raw`[eEnNbBxX]?'(?:[^'\\]|'')*'`,
  plainInDoubleQuotes: String.raw`"(?:[^"\\]|"")*"`,
  // What does not close.
  openQuote: String.raw`"[\s\S]*`,
  openTick: '`[\\s\\S]*',
  openBracket: String.raw`\[[\s\S]*`,
  doubtful: String.raw`[nN]?[qQ]?'[\s\S]*|["#][\s\S]*`,
  // A name or a list: either way it ends where the first bracket closes, unless that stands in quotes.
  doubtfulBracket: String.raw`\[(?!(?:[^\]'"]|'[^'\\\]]*'|"[^"\\\]]*"){0,256}\])[\s\S]*`,
} as const

interface Rules {
  readonly comments: readonly string[]
  readonly values: readonly string[]
  /** Names and placeholders, which are looked for after values. */
  readonly kept: readonly string[]
  /** What is looked for last, and taken out. */
  readonly rest: readonly string[]
}

interface Dialect {
  readonly expression: RegExp
  /** Of the expression's groups: that of what is kept; the first is that of comments. */
  readonly keptGroup: number
}

function dialectOf({ comments, values, kept, rest }: Rules): Dialect {
  const expression = new RegExp([`(${comments.join('|')})`, ...values, `(${kept.join('|')})`, PART.number, ...rest].join('|'), 'gu')
  return { expression, keptGroup: values.some((part) => part.includes('(?<') && part.includes('\\k<')) ? 2 : 1 }
}

const UNKNOWN = dialectOf({
  comments: [PART.block, PART.line],
  values: [PART.plain, PART.plainInDoubleQuotes, PART.inDollars, PART.uuid, PART.doubtful, PART.doubtfulBracket],
  kept: [PART.ticked, PART.word, PART.placeholder],
  rest: [PART.openTick],
})

/** Each with the names of its databases: OpenTelemetry's, of now and before, and those of drivers, which knex tells. */
const KNOWN: readonly (readonly [names: readonly string[], dialect: Dialect])[] = [
  [
    ['postgresql', 'postgres', 'pg', 'pgnative', 'pg-native', 'cockroachdb', 'redshift', 'pg-redshift', 'aws.redshift', 'cassandra', 'db2', 'ibm.db2', 'derby', 'hsqldb', 'h2database', 'firebirdsql', 'sap.hana', 'hanadb'],
    dialectOf({ comments: [PART.block, PART.line], values: [PART.escapedByE, PART.text, PART.inDollars, PART.uuid], kept: [PART.quoted, PART.ticked, PART.word, PART.placeholder], rest: [PART.openQuote, PART.openTick] }),
  ],
  [
    ['sqlite', 'sqlite3', 'better-sqlite3'],
    dialectOf({ comments: [PART.block, PART.line], values: [PART.text], kept: [PART.quoted, PART.ticked, PART.bracketed, PART.word, PART.placeholder], rest: [PART.openQuote, PART.openTick, PART.openBracket] }),
  ],
  [
    ['oracle', 'oracle.db', 'oracledb'],
    dialectOf({ comments: [PART.block, PART.line], values: [PART.inChosen, PART.text], kept: [PART.quoted, PART.word, PART.placeholder, PART.colon], rest: [PART.openQuote] }),
  ],
  [
    ['microsoft.sql_server', 'mssql', 'tedious'],
    // No placeholders of digits: $5 is money there.
    dialectOf({ comments: [PART.block, PART.line], values: [PART.text], kept: [PART.quoted, PART.bracketedTwice, PART.word], rest: [PART.openQuote, PART.openBracket] }),
  ],
  [
    ['mysql', 'mysql2', 'mariadb'],
    dialectOf({ comments: [PART.block, PART.lineOfMysql], values: [PART.escaped, PART.inDoubleQuotes], kept: [PART.ticked, PART.word, PART.placeholder], rest: [PART.openTick] }),
  ],
]
const DIALECTS: ReadonlyMap<string, Dialect> = new Map(KNOWN.flatMap(([names, dialect]) => names.map((name) => [name, dialect] as const)))

/** Without any of these there is neither a value nor a comment. */
const MAY_HOLD_VALUES = /["'`$\d#[]|--|\/\*/

/** What stands in a comment: words, and what looks like a value. Ends where the comment does. */
const IN_COMMENT = new RegExp([`(${PART.word})`, String.raw`'[^']*(?:'|$)`, String.raw`"[^"]*(?:"|$)`, PART.number].join('|'), 'gu')

/** Comments say whose a statement is; some frameworks write values into them. */
function redactComment(comment: string): string {
  const isBlock = comment.startsWith('/*')
  // Read to the end because it holds another.
  if (isBlock && comment.indexOf('/*', 2) > 0) return '/* ? */'
  const end = isBlock && comment.length > 3 && comment.endsWith('*/') ? comment.length - 2 : comment.length
  return comment.slice(0, end).replace(IN_COMMENT, (match: string, word: string | undefined) => (word === undefined ? '?' : match)) + comment.slice(end)
}

/**
 * A statement with `?` in the place of each value, also in comments; names, placeholders and words of comments stay. Applied to its own
 * text it changes nothing where the system is known.
 *
 * @param sql - cut at 8 Ki characters
 * @param system - OpenTelemetry's name of the database or that of its driver; '' where it is not known
 * @example redactSql("SELECT a FROM t WHERE b = 'x'", 'postgresql') // 'SELECT a FROM t WHERE b = ?'
 */
export function redactSql(sql: string, system: string): string {
  const text = sql.length > MAX_TEXT ? sql.slice(0, MAX_TEXT) : sql
  if (!MAY_HOLD_VALUES.test(text)) return text
  const { expression, keptGroup } = DIALECTS.get(system) ?? UNKNOWN
  return text.replace(expression, (match: string, ...groups: unknown[]) => {
    if (groups[0] !== undefined) return redactComment(match)
    return groups[keptGroup] === undefined ? '?' : match
  })
}
