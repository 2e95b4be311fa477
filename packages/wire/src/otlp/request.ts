// What the requests of all three signals have in common: items grouped by resource, then by scope.
import type { Resource, Scope } from '@andon/model'
import { Reader, Writer } from '../protobuf.ts'
import { type Mutable, noAttributes, readResource, readScope, writeResource, writeScope } from './attributes.ts'

/** What every record has: where it comes from. */
export interface Sourced {
  readonly resource: Resource
  readonly scope: Scope
}

export function emptyResource(): Mutable<Resource> {
  return { attributes: noAttributes(), droppedAttributes: 0, schemaUrl: '' }
}

export function emptyScope(): Mutable<Scope> {
  return { name: '', version: '', attributes: noAttributes(), droppedAttributes: 0, schemaUrl: '' }
}

/**
 * Reads an export request of any signal: { ResourceItems = 1 { Resource = 1; ScopeItems = 2 { Scope = 1; items = 2;
 * schema_url = 3 }; schema_url = 3 } }.
 *
 * @param what - the signal, for messages of errors
 * @param item - reads one item (tag 18 has been read) whose resource and scope are given; they are complete only when
 *   the whole request has been read, because their fields may follow the items
 */
export function readRequest(bytes: Uint8Array, what: string, item: (reader: Reader, source: Sourced) => void): void {
  const reader = new Reader(bytes, what)
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) readResourceItems(reader, item)
    else reader.skip(tag)
  }
}

function readResourceItems(reader: Reader, item: (reader: Reader, source: Sourced) => void): void {
  const resource = emptyResource()
  reader.message((tag) => {
    if (tag === 10) readResource(reader, resource)
    else if (tag === 18) readScopeItems(reader, resource, item)
    else if (tag === 26) resource.schemaUrl = reader.string()
    else reader.skip(tag)
  })
}

function readScopeItems(reader: Reader, resource: Resource, item: (reader: Reader, source: Sourced) => void): void {
  const scope = emptyScope()
  const source = { resource, scope }
  reader.message((tag) => {
    if (tag === 10) readScope(reader, scope)
    else if (tag === 18) item(reader, source)
    else if (tag === 26) scope.schemaUrl = reader.string()
    else reader.skip(tag)
  })
}

/** Records by resource, then by scope, each in the order of its first record. */
export function grouped<T extends Sourced>(records: readonly T[]): Map<Resource, Map<Scope, T[]>> {
  const resources = new Map<Resource, Map<Scope, T[]>>()
  for (const record of records) {
    let scopes = resources.get(record.resource)
    if (scopes === undefined) resources.set(record.resource, (scopes = new Map()))
    const list = scopes.get(record.scope)
    if (list === undefined) scopes.set(record.scope, [record])
    else list.push(record)
  }
  return resources
}

/** Writes an export request of any signal; `item` writes one record as field 2 of its scope. */
export function writeRequest<T extends Sourced>(records: readonly T[], item: (writer: Writer, record: T) => void): Uint8Array {
  const writer = new Writer(256 + records.length * 256)
  for (const [resource, scopes] of grouped(records)) {
    writer.message(1, () => {
      writeResource(writer, 1, resource)
      for (const [scope, list] of scopes) {
        writer.message(2, () => {
          writeScope(writer, 1, scope)
          for (const record of list) item(writer, record)
          writer.string(3, scope.schemaUrl)
        })
      }
      writer.string(3, resource.schemaUrl)
    })
  }
  return writer.bytes()
}
