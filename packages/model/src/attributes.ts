/**
 * The value of an attribute as OpenTelemetry knows it. A `bigint` is OTLP's int64, a `number` its double: the
 * two are told apart so that a stored span gives back the very span that was sent.
 */
export type AttributeValue =
  | string
  | boolean
  | number
  | bigint
  | Uint8Array
  | null
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue }

/** Attributes by key, in the order in which they were sent. */
export type Attributes = Readonly<Record<string, AttributeValue>>

/** What sends telemetry: a service, its version and instance, its host and runtime. Shared by all records of a batch. */
export interface Resource {
  readonly attributes: Attributes
  readonly droppedAttributes: number
  readonly schemaUrl: string
}

/** The library that made a record. Shared by all its records of a batch. */
export interface Scope {
  readonly name: string
  readonly version: string
  readonly attributes: Attributes
  readonly droppedAttributes: number
  readonly schemaUrl: string
}
