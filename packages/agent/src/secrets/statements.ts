// Statements of databases as instrumentation tells them, without values: SQL, documents and commands.
import { canonicalStatement } from '@andon/model'
import { redactSql } from './sql.ts'

/** Longer texts are cut. */
const MAX_TEXT = 8192
const KEY_VALUE: ReadonlySet<string> = new Set(['redis', 'valkey', 'memcached'])
/** Deeper documents are one value. */
const MAX_DEPTH = 100

/** Whether a statement stands under this key, by the conventions of now and before. */
export function isStatementKey(key: string): boolean {
  return key === 'db.query.text' || key === 'db.statement'
}

/** Whether the name of the database stands under this key. */
export function isSystemKey(key: unknown): boolean {
  return key === 'db.system.name' || key === 'db.system'
}

function withoutValues(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return '?'
  if (Array.isArray(value)) return value.map((each: unknown) => withoutValues(each, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutValues(each, depth + 1)]))
}

/** A document with its keys; undefined where it is none, as when it was cut. */
function redactDocument(text: string): string | undefined {
  try {
    return JSON.stringify(withoutValues(JSON.parse(text), 0))
  } catch {
    return undefined
  }
}

function redact(text: string, system: string): string {
  // With its key gone a command is the same whatever it is called with.
  if (KEY_VALUE.has(system)) return canonicalStatement(text, system).text
  return (/^\s*[[{]/.test(text) ? redactDocument(text) : undefined) ?? redactSql(text, system)
}

/** Texts that are remembered with what is left of them: what comes again costs a look-up. */
const MAX_KNOWN = 500
const MAX_KNOWN_LENGTH = 2048
let known = new Map<string, string>()

/**
 * A statement as it may be recorded: `?` in the place of each value, also of the keys of Redis and Memcached. Cut at 8 Ki characters.
 *
 * @param system - OpenTelemetry's name of the database; '' where it is not known
 */
export function redactStatement(statement: string, system: string): string {
  if (statement.length > MAX_KNOWN_LENGTH) return redact(statement.slice(0, MAX_TEXT), system)
  const key = `${system}\n${statement}`
  let text = known.get(key)
  if (text !== undefined) return text
  text = redact(statement, system)
  if (known.size >= MAX_KNOWN) known = new Map<string, string>()
  known.set(key, text)
  return text
}
