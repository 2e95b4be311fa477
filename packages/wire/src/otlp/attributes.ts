import { type Attributes, type AttributeValue, type Resource, type Scope } from '@andon/model'
import { Reader, type Writer } from '../protobuf.ts'

/** How deep arrays and maps may lie in each other. */
const MAX_DEPTH = 32

/** A record that is being read. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Attributes that are being read. Without a prototype, so that a key such as `__proto__` is a key like any other. */
export type OpenAttributes = Record<string, AttributeValue>

export function noAttributes(): OpenAttributes {
  return Object.create(null)
}

/** The attributes of a record that is being read, which is counted. */
export function ownAttributes(reader: Reader): OpenAttributes {
  reader.record()
  return noAttributes()
}

/** message KeyValue { string key = 1; AnyValue value = 2 } into `into`. */
export function readKeyValue(reader: Reader, into: OpenAttributes, depth = 0): void {
  let key = ''
  let value: AttributeValue = null
  reader.message((tag) => {
    if (tag === 10) key = reader.string()
    else if (tag === 18) value = readValue(reader, depth)
    else reader.skip(tag)
  })
  into[key] = value
}

/** message AnyValue { oneof string 1, bool 2, int 3, double 4, array 5, kvlist 6, bytes 7 } */
function readValue(reader: Reader, depth: number): AttributeValue {
  if (depth > MAX_DEPTH) reader.fail(`an attribute is nested more than ${MAX_DEPTH} deep`)
  let value: AttributeValue = null
  reader.message((tag) => {
    switch (tag) {
      case 10:
        value = reader.string()
        break
      case 16:
        value = reader.bool()
        break
      case 24:
        value = reader.int64()
        break
      case 33:
        value = reader.double()
        break
      case 42:
        value = readArray(reader, depth + 1)
        break
      case 50:
        value = readMap(reader, depth + 1)
        break
      case 58:
        value = reader.bytes().slice()
        break
      default:
        reader.skip(tag)
    }
  })
  return value
}

function readArray(reader: Reader, depth: number): AttributeValue[] {
  const values: AttributeValue[] = []
  reader.message((tag) => {
    if (tag === 10) values.push(readValue(reader, depth))
    else reader.skip(tag)
  })
  return values
}

function readMap(reader: Reader, depth: number): OpenAttributes {
  const values = ownAttributes(reader)
  reader.message((tag) => {
    if (tag === 10) readKeyValue(reader, values, depth)
    else reader.skip(tag)
  })
  return values
}

/** Attributes as repeated KeyValue of one field. */
export function writeAttributes(writer: Writer, field: number, attributes: Attributes): void {
  for (const key of Object.keys(attributes)) {
    writer.message(field, () => {
      writer.string(1, key)
      writer.message(2, () => writeValue(writer, attributes[key] ?? null))
    })
  }
}

/** The oneof of AnyValue. */
export function writeValue(writer: Writer, value: AttributeValue): void {
  if (typeof value === 'string') writer.text(1, value)
  else if (typeof value === 'boolean') writer.bool(2, value)
  else if (typeof value === 'bigint') writer.int64(3, value)
  else if (typeof value === 'number') writer.double(4, value)
  else if (value instanceof Uint8Array) writer.raw(7, value)
  else if (isList(value)) writer.message(5, () => writeList(writer, value))
  else if (value !== null) writer.message(6, () => writeAttributes(writer, 1, value))
}

function isList(value: AttributeValue): value is readonly AttributeValue[] {
  return Array.isArray(value)
}

function writeList(writer: Writer, values: readonly AttributeValue[]): void {
  for (const value of values) writer.message(1, () => writeValue(writer, value))
}

/** message Resource { KeyValue attributes = 1; uint32 dropped_attributes_count = 2 } */
export function readResource(reader: Reader, into: Mutable<Resource>): void {
  const attributes = ownAttributes(reader)
  reader.message((tag) => {
    if (tag === 10) readKeyValue(reader, attributes)
    else if (tag === 16) into.droppedAttributes = reader.uint32()
    else reader.skip(tag)
  })
  into.attributes = attributes
}

/** One message Resource. @throws AndonError bad_body, too_large */
export function decodeResource(bytes: Uint8Array, schemaUrl: string): Resource {
  const reader = new Reader(bytes, 'a resource')
  const attributes = ownAttributes(reader)
  let droppedAttributes = 0
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) readKeyValue(reader, attributes)
    else if (tag === 16) droppedAttributes = reader.uint32()
    else reader.skip(tag)
  }
  return { attributes, droppedAttributes, schemaUrl }
}

/** Fields KeyValue of one tag, and no others. @throws AndonError bad_body, too_large */
export function decodeAttributes(bytes: Uint8Array, field: number): Attributes {
  const reader = new Reader(bytes, 'attributes')
  const attributes = ownAttributes(reader)
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === field) readKeyValue(reader, attributes)
    else reader.skip(tag)
  }
  return attributes
}

export function writeResource(writer: Writer, field: number, resource: Resource): void {
  writer.message(field, () => {
    writeAttributes(writer, 1, resource.attributes)
    writer.uint(2, resource.droppedAttributes)
  })
}

/** message InstrumentationScope { string name = 1; string version = 2; KeyValue attributes = 3; uint32 dropped_attributes_count = 4 } */
export function readScope(reader: Reader, into: Mutable<Scope>): void {
  const attributes = ownAttributes(reader)
  reader.message((tag) => {
    if (tag === 10) into.name = reader.string()
    else if (tag === 18) into.version = reader.string()
    else if (tag === 26) readKeyValue(reader, attributes)
    else if (tag === 32) into.droppedAttributes = reader.uint32()
    else reader.skip(tag)
  })
  into.attributes = attributes
}

export function writeScope(writer: Writer, field: number, scope: Scope): void {
  writer.message(field, () => {
    writer.string(1, scope.name)
    writer.string(2, scope.version)
    writeAttributes(writer, 3, scope.attributes)
    writer.uint(4, scope.droppedAttributes)
  })
}

/** Told of each record that cannot be meant, and why; the record is then left out. */
export type Refuse = (problem: string) => void

/** The empty id and the all-zero one are ''. */
export function knownId(id: string): string {
  return /^0+$/.test(id) ? '' : id
}

/** An id of a trace (32 digits) or span (16) where nothing depends on it: what is none is ''. */
export function idOrNone(id: string, digits: 16 | 32): string {
  return id.length === digits ? knownId(id) : ''
}
