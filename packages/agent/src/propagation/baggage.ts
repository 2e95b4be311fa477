// W3C baggage: values that go along with a request.
// @see https://www.w3.org/TR/baggage/
import { type BaggageEntry, baggageEntryMetadataFromString, type Context, propagation, type TextMapGetter, type TextMapPropagator, type TextMapSetter } from '@opentelemetry/api'
import { isSuppressed } from '../context.ts'
import { joined } from './carrier.ts'
import { trimBlanks } from './hex.ts'

// As the published propagators have them; W3C asks for 64 members and 8,192 bytes at least.
const MAX_LENGTH = 8192
const MAX_MEMBERS = 180
const MAX_MEMBER = 4096

/** A token of RFC 9110 (5.6.2): what a key has to be. */
const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/
/** What properties may be made of: printable ASCII without the comma, which ends a member. */
const PROPERTIES = /^[\x20-\x2b\x2d-\x7e]+$/

/** Percent-decoded, or as it is where it is not percent-encoded. */
export function decoded(text: string): string {
  try {
    return text.includes('%') ? decodeURIComponent(text) : text
  } catch {
    return text
  }
}

/** Percent-encoded; undefined for text that is not Unicode. */
export function encoded(text: string): string | undefined {
  try {
    return encodeURIComponent(text)
  } catch {
    return undefined
  }
}

function memberOf(key: string, { value, metadata }: BaggageEntry): string | undefined {
  // Brackets are no part of a token, and encodeURIComponent lets them be.
  const name = encoded(key)?.replaceAll('(', '%28').replaceAll(')', '%29')
  const text = encoded(value)
  if (name === undefined || name === '' || text === undefined || !TOKEN.test(name)) return undefined
  const properties = metadata?.toString() ?? ''
  const member = properties !== '' && PROPERTIES.test(properties) ? `${name}=${text};${properties}` : `${name}=${text}`
  return member.length > MAX_MEMBER ? undefined : member
}

function entryOf(member: string): readonly [string, BaggageEntry] | undefined {
  const end = member.indexOf(';')
  const pair = end === -1 ? member : member.slice(0, end)
  const at = pair.indexOf('=')
  const key = trimBlanks(pair.slice(0, Math.max(at, 0)))
  if (at < 1 || member.length > MAX_MEMBER || !TOKEN.test(key)) return undefined
  const value = decoded(trimBlanks(pair.slice(at + 1)))
  const properties = end === -1 ? '' : trimBlanks(member.slice(end + 1))
  return [decoded(key), properties === '' ? { value } : { value, metadata: baggageEntryMetadataFromString(properties) }]
}

/** Holds 180 members, 4,096 bytes each and 8,192 in all; further ones are left out. */
export class BaggagePropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const baggage = propagation.getBaggage(context)
    if (baggage === undefined || isSuppressed(context)) return
    let header = ''
    let members = 0
    for (const [key, entry] of baggage.getAllEntries()) {
      const member = memberOf(key, entry)
      if (member === undefined || header.length + member.length + 1 > MAX_LENGTH) continue
      header = header === '' ? member : `${header},${member}`
      members += 1
      if (members === MAX_MEMBERS) break
    }
    if (header !== '') setter.set(carrier, 'baggage', header)
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const header = joined(carrier, getter, 'baggage')
    if (header === '') return context
    const entries = new Map<string, BaggageEntry>()
    let length = 0
    for (const part of header.slice(0, MAX_LENGTH * 2).split(',')) {
      length += part.length + 1
      if (length > MAX_LENGTH + 1 || entries.size >= MAX_MEMBERS) break
      const entry = entryOf(trimBlanks(part))
      if (entry !== undefined) entries.set(...entry)
    }
    // Object.fromEntries makes a property of its own also for a key such as __proto__.
    return entries.size === 0 ? context : propagation.setBaggage(context, propagation.createBaggage(Object.fromEntries(entries)))
  }

  fields(): string[] {
    return ['baggage']
  }
}
