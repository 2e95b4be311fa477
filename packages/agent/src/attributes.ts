// Attributes of the API as the model keeps them, without what looks like a secret.
import type { AnyValue, Attributes as ApiAttributes } from '@opentelemetry/api'
import type { Attributes, AttributeValue } from '@andon/model'
import { redactQuery, redactUrl } from './secrets/addresses.ts'
import { isSecretName } from './secrets/names.ts'
import { isStatementKey, redactStatement } from './secrets/statements.ts'
import { redactText } from './secrets/text.ts'

const URL_KEYS: ReadonlySet<string> = new Set(['url.full', 'url.query', 'http.url', 'http.target'])

/** Keys whose values are text for people, in which secrets may stand anywhere. */
const TEXT_KEYS: ReadonlySet<string> = new Set(['exception.message', 'exception.stacktrace', 'error.message', 'error.stack', 'bullmq.job.failed.reason'])

/** Keys of caches, which may be as secret as what stands under them. */
const CACHE_KEYS: ReadonlySet<string> = new Set(['db.memcached.key'])

const redactAll = (): string => '[redacted]'

/**
 * What makes the values of a key safe to be recorded; undefined where they are as they stand. Statements are not among them: a span
 * takes out their values itself, by the rules of its database.
 */
export function redactionOf(key: string): ((value: string) => string) | undefined {
  if (isSecretName(key) || CACHE_KEYS.has(key)) return redactAll
  if (TEXT_KEYS.has(key)) return redactText
  if (!URL_KEYS.has(key)) return undefined
  return key === 'url.query' ? redactQuery : redactUrl
}

/** The value of an attribute of this key as it may be recorded. */
function safeText(key: string, value: string): string {
  return isStatementKey(key) ? redactStatement(value, '') : (redactionOf(key)?.(value) ?? value)
}

function one(key: string, value: unknown): AttributeValue {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (typeof value === 'string') return safeText(key, value)
  return typeof value === 'boolean' || typeof value === 'bigint' ? value : null
}

/** One attribute as the model keeps it: whole numbers as int64; null for what is no attribute's value. */
export function toValue(key: string, value: AnyValue): AttributeValue {
  return Array.isArray(value) ? value.map((each: unknown) => one(key, each)) : one(key, value)
}

/** Attributes as the model keeps them; those without a value are left out. */
export function toAttributes(attributes: ApiAttributes | undefined): Attributes {
  const result: Record<string, AttributeValue> = {}
  for (const [key, value] of Object.entries(attributes ?? {})) if (value !== undefined && value !== null) result[key] = toValue(key, value)
  return result
}

const MAX_TEXT = 8192

function safeMember(key: string, value: unknown): unknown {
  if (key !== '' && isSecretName(key)) return '[redacted]'
  if (typeof value === 'string') return redactText(value.slice(0, MAX_TEXT))
  return typeof value === 'bigint' ? String(value) : value
}

function contextValue(key: string, value: unknown): AttributeValue {
  if (isSecretName(key)) return '[redacted]'
  if (typeof value === 'string') return redactText(safeText(key, value.slice(0, MAX_TEXT)))
  if (typeof value === 'number' || typeof value === 'boolean') return one(key, value)
  if (typeof value === 'bigint') return BigInt.asIntN(64, value)
  if (value instanceof Error) return redactText(value.message.slice(0, MAX_TEXT))
  try {
    const text = JSON.stringify(value, safeMember)
    return (text as string | undefined)?.slice(0, MAX_TEXT) ?? null
  } catch {
    return redactText(String(value).slice(0, MAX_TEXT))
  }
}

/** What a caller gave as context of an error: texts cut at 8 KiB, objects as JSON, secrets at any depth and within texts redacted. */
export function contextAttributes(context: Readonly<Record<string, unknown>> = {}): Attributes {
  const result: Record<string, AttributeValue> = {}
  for (const [key, value] of Object.entries(context).slice(0, 128)) if (value !== undefined && value !== null) result[key] = contextValue(key, value)
  return result
}
