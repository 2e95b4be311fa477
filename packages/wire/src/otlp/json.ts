// OTLP in JSON: a reader that says by path what is wrong, and the shapes that all signals share.
import { AndonError, type Attributes, type AttributeValue, type Resource, type Scope } from '@andon/model'
import { decodeBase64, encodeBase64 } from '../base64.ts'
import { type Mutable, noAttributes, type OpenAttributes } from './attributes.ts'
import { emptyResource, emptyScope, grouped, type Sourced } from './request.ts'

const MAX_DEPTH = 32
/** Objects, lists and fields of one text: parsed, they take memory by their number and not by their bytes. */
const JSON_PARTS_MAX = 4_000_000
const [BRACE, BRACKET, COLON] = [0x7b, 0x5b, 0x3a]

type JsonObject = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * One object of a JSON request. A field that is absent or null reads as its default, as protobuf's JSON mapping says;
 * one of the wrong type throws AndonError('bad_body') with its path.
 *
 * @see https://protobuf.dev/programming-guides/json
 */
export class JsonReader {
  readonly #value: JsonObject
  readonly #path: string

  constructor(value: unknown, path: string) {
    if (!isObject(value)) throw new AndonError('bad_body', `${path}: an object is expected`)
    this.#value = value
    this.#path = path
  }

  fail(field: string, expected: string): never {
    throw new AndonError('bad_body', `${this.#path}.${field}: ${expected} is expected`)
  }

  #get(field: string): unknown {
    return Object.hasOwn(this.#value, field) ? this.#value[field] : undefined
  }

  has(field: string): boolean {
    const value = this.#get(field)
    return value !== undefined && value !== null
  }

  text(field: string): string {
    const value = this.#get(field) ?? ''
    return typeof value === 'string' ? value : this.fail(field, 'text')
  }

  bool(field: string): boolean {
    const value = this.#get(field) ?? false
    return typeof value === 'boolean' ? value : this.fail(field, 'true or false')
  }

  /** Bytes as hex digits, which is how OTLP/JSON writes ids; any case, an even number of digits. */
  hex(field: string): string {
    const value = this.text(field)
    return /^(?:[\da-f]{2})*$/i.test(value) ? value.toLowerCase() : this.fail(field, 'an even number of hex digits')
  }

  /** A number, its text, or "NaN", "Infinity", "-Infinity". */
  double(field: string): number {
    const value = this.#get(field) ?? 0
    if (typeof value === 'number') return value
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
    return Number.isNaN(number) && value !== 'NaN' ? this.fail(field, 'a number') : number
  }

  int64(field: string): bigint {
    const value = this.#get(field) ?? 0
    if (typeof value === 'number' && Number.isInteger(value)) return BigInt.asIntN(64, BigInt(value))
    if (typeof value === 'string' && /^[+-]?\d{1,20}$/.test(value)) return BigInt.asIntN(64, BigInt(value.replace('+', '')))
    return this.fail(field, 'a 64-bit integer, as text or number,')
  }

  uint64(field: string): bigint {
    const value = this.int64(field)
    return BigInt.asUintN(64, value)
  }

  /** An integer of up to 53 bits. */
  integer(field: string): number {
    return Number(this.int64(field))
  }

  uint32(field: string): number {
    return Number(this.uint64(field) & 0xffff_ffffn)
  }

  /** An enum by its number or by its name in `names`. */
  enumeration(field: string, names: readonly string[]): number {
    const value = this.#get(field)
    if (typeof value !== 'string') return this.uint32(field)
    const index = names.indexOf(value)
    return index >= 0 ? index : this.fail(field, `one of ${names.join(', ')}`)
  }

  child(field: string): JsonReader {
    return new JsonReader(this.#get(field) ?? {}, `${this.#path}.${field}`)
  }

  #array(field: string): readonly unknown[] {
    const value = this.#get(field) ?? []
    return Array.isArray(value) ? value : this.fail(field, 'a list')
  }

  list(field: string): JsonReader[] {
    return this.#array(field).map((value, index) => new JsonReader(value, `${this.#path}.${field}[${index}]`))
  }

  /** Every field as text. */
  texts(): Record<string, string> {
    return Object.fromEntries(Object.keys(this.#value).map((field) => [field, this.text(field)]))
  }

  /** A list of numbers; integers may be written as text. */
  numbers(field: string): number[] {
    return this.#array(field).map((value, index) => new JsonReader({ value }, `${this.#path}.${field}[${index}]`).double('value'))
  }

  attributes(field: string, depth = 0): OpenAttributes {
    const attributes = noAttributes()
    for (const pair of this.list(field)) attributes[pair.text('key')] = pair.child('value').#anyValue(depth)
    return attributes
  }

  #anyValue(depth: number): AttributeValue {
    if (depth > MAX_DEPTH) this.fail('value', `nesting of at most ${MAX_DEPTH}`)
    if (this.has('stringValue')) return this.text('stringValue')
    if (this.has('boolValue')) return this.bool('boolValue')
    if (this.has('intValue')) return this.int64('intValue')
    if (this.has('doubleValue')) return this.double('doubleValue')
    if (this.has('bytesValue')) return decodeBase64(this.text('bytesValue')) ?? this.fail('bytesValue', 'base64')
    if (this.has('arrayValue')) return this.child('arrayValue').list('values').map((value) => value.#anyValue(depth + 1))
    if (this.has('kvlistValue')) return this.child('kvlistValue').attributes('values', depth + 1)
    return null
  }
}

/** The names of the lists of a request, from the outside in, such as resourceSpans, scopeSpans, spans. */
export type ListNames = readonly [resources: string, scopes: string, items: string]

/**
 * What a text of JSON says.
 *
 * @param what - the signal, for messages of errors
 * @throws AndonError bad_body when it is not JSON, too_large before it is parsed into more than may be
 */
export function parseJson(text: string, what: string): unknown {
  let parts = 0
  // Each part is a character at least.
  for (let index = 0; text.length > JSON_PARTS_MAX && index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit === BRACE || unit === BRACKET || unit === COLON) parts += 1
  }
  if (parts > JSON_PARTS_MAX) throw new AndonError('too_large', `${what}: the request has more than ${JSON_PARTS_MAX} objects, lists and fields`)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new AndonError('bad_body', `${what}: not JSON (${error instanceof Error ? error.message : String(error)})`)
  }
}

/**
 * Reads an export request of any signal.
 *
 * @throws AndonError bad_body when the text is not JSON, or a field has the wrong type
 */
export function readJsonRequest(text: string, what: string, names: ListNames, item: (json: JsonReader, source: Sourced) => void): void {
  for (const resourceItems of new JsonReader(parseJson(text, what), what).list(names[0])) {
    const resource: Mutable<Resource> = emptyResource()
    const described = resourceItems.child('resource')
    resource.attributes = described.attributes('attributes')
    resource.droppedAttributes = described.uint32('droppedAttributesCount')
    resource.schemaUrl = resourceItems.text('schemaUrl')
    for (const scopeItems of resourceItems.list(names[1])) {
      const scope = readJsonScope(scopeItems)
      for (const json of scopeItems.list(names[2])) item(json, { resource, scope })
    }
  }
}

function readJsonScope(json: JsonReader): Scope {
  const described = json.child('scope')
  return {
    ...emptyScope(),
    name: described.text('name'),
    version: described.text('version'),
    attributes: described.attributes('attributes'),
    droppedAttributes: described.uint32('droppedAttributesCount'),
    schemaUrl: json.text('schemaUrl'),
  }
}

/** An export request of any signal as JSON text; `item` gives the JSON of one record. */
export function jsonRequest<T extends Sourced>(records: readonly T[], names: ListNames, item: (record: T) => object): string {
  const resources = [...grouped(records)].map(([resource, scopes]) => ({
    resource: { attributes: jsonAttributes(resource.attributes), droppedAttributesCount: resource.droppedAttributes },
    schemaUrl: resource.schemaUrl,
    [names[1]]: [...scopes].map(([scope, list]) => ({
      scope: { name: scope.name, version: scope.version, attributes: jsonAttributes(scope.attributes), droppedAttributesCount: scope.droppedAttributes },
      schemaUrl: scope.schemaUrl,
      [names[2]]: list.map(item),
    })),
  }))
  return JSON.stringify({ [names[0]]: resources })
}

/** Attributes as a list of { key, value }. */
export function jsonAttributes(attributes: Attributes): object[] {
  return Object.keys(attributes).map((key) => ({ key, value: jsonValue(attributes[key] ?? null) }))
}

function isList(value: AttributeValue): value is readonly AttributeValue[] {
  return Array.isArray(value)
}

function jsonValue(value: AttributeValue): object {
  if (value === null) return {}
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'bigint') return { intValue: String(value) }
  if (typeof value === 'number') return { doubleValue: jsonDouble(value) }
  if (value instanceof Uint8Array) return { bytesValue: encodeBase64(value) }
  if (isList(value)) return { arrayValue: { values: value.map(jsonValue) } }
  return { kvlistValue: { values: jsonAttributes(value) } }
}

/** A double as JSON can carry it: what is not finite, and -0, as text. */
export function jsonDouble(value: number): number | string {
  if (Object.is(value, -0)) return '-0'
  return Number.isFinite(value) ? value : String(value)
}
