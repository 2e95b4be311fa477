// Words to write JSON Schema with, and what one route says of itself.
import type { ErrorCode } from '@andon/model'

/** A schema of JSON Schema 2020-12, which is OpenAPI 3.1's. */
export type Schema = Readonly<Record<string, unknown>>

const described = (schema: Schema, description: string | undefined): Schema => (description === undefined ? schema : { ...schema, description })

export const text = (description?: string): Schema => described({ type: 'string' }, description)
export const number = (description?: string): Schema => described({ type: 'number' }, description)
export const integer = (description?: string): Schema => described({ type: 'integer' }, description)
export const boolean = (description?: string): Schema => described({ type: 'boolean' }, description)
export const oneOf = (words: readonly string[], description?: string): Schema => described({ type: 'string', enum: words }, description)
export const list = (items: Schema, description?: string): Schema => described({ type: 'array', items }, description)
/** An object whose keys come from outside. */
export const record = (values: Schema, description?: string): Schema => described({ type: 'object', additionalProperties: values }, description)
/** Any JSON. */
export const anything = (description?: string): Schema => described({}, description)
export const orNull = (schema: Schema, description?: string): Schema => described({ anyOf: [schema, { type: 'null' }] }, description)

/**
 * An object with these keys and no others.
 *
 * @param optional - keys that may be absent
 */
export function object(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  return { type: 'object', properties, required: Object.keys(properties).filter((key) => !optional.includes(key)), additionalProperties: false }
}

/** Milliseconds since 1970. */
export const time = (description?: string): Schema => integer(description ?? 'Milliseconds since 1970.')
/** The absolute ends of the range that is answered. */
export const RANGE: Readonly<Record<string, Schema>> = { from: time('Start of the range, milliseconds since 1970.'), to: time('End of the range, milliseconds since 1970.') }
/** Aligned to `t`; null where nothing was measured. */
export const values = (description?: string): Schema => list(orNull({ type: 'number' }), description)
export const measured = (description?: string): Schema => orNull({ type: 'number' }, description)

export interface Parameter {
  readonly name: string
  readonly in: 'query' | 'path'
  readonly required: boolean
  readonly description: string
  readonly schema: Schema
}

/** A parameter of the query string. */
export function query(name: string, description: string, schema: Schema = { type: 'string' }): Parameter {
  return { name, in: 'query', required: false, description, schema }
}

/** `from` and `to` of our own routes. */
export function rangeParameters(from = 'now-15m'): Parameter[] {
  const how = 'milliseconds since 1970, ISO 8601, or relative: now, now-15m'
  return [query('from', `Start: ${how}. ${from} when absent.`), query('to', `End: ${how}. now when absent.`)]
}

/** What a route says of itself; its role comes from the route. */
export interface Operation {
  readonly summary: string
  /** Those of the path need none of their own unless there is something to say. */
  readonly parameters?: readonly Parameter[]
  readonly body?: { readonly type: string; readonly schema?: Schema; readonly description?: string }
  /** A schema of JSON, the type of what is no JSON, or nothing: 204. */
  readonly answer: { readonly schema: Schema } | { readonly type: string } | 'nothing'
  /** Errors beside those that any route may answer (bad_parameter, unauthorized, forbidden, internal, unavailable). */
  readonly errors?: readonly ErrorCode[]
  /** Where the protocol of a route that is not our own is described. */
  readonly protocol?: string
}

/** Routes by `METHOD /path/:parameter`, as they are registered. */
export type Operations = Readonly<Record<string, Operation>>
