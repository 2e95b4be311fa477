// Keys of attributes by their bytes: few differ, and none has to become a text.
import { TsvRows } from './tsv.ts'

/** Attributes that a row has columns of its own for, or that they are calculated from. */
export const SLOTS = [
  'andon.weight',
  'andon.repeat',
  'http.route',
  'http.response.status_code',
  'http.status_code',
  'db.query.text',
  'db.statement',
  'peer.service',
  'service.peer.name',
  'db.system.name',
  'db.system',
  'messaging.system',
  'db.namespace',
  'db.name',
  'messaging.destination.name',
  'server.address',
  'net.peer.name',
  'server.port',
  'net.peer.port',
] as const

const slots = (...names: readonly (typeof SLOTS)[number][]): readonly number[] => names.map((name) => SLOTS.indexOf(name))

export const STATEMENT_SLOTS: readonly number[] = slots('db.query.text', 'db.statement')
export const SYSTEM_SLOTS: readonly number[] = slots('db.system.name', 'db.system')
/** Whom a span called, from the surest to the least sure. */
export const PEER_SLOTS: Readonly<Record<'service' | 'system' | 'place' | 'host' | 'port', readonly number[]>> = {
  service: slots('peer.service', 'service.peer.name'),
  system: slots('db.system.name', 'db.system', 'messaging.system'),
  place: slots('db.namespace', 'db.name', 'messaging.destination.name'),
  host: slots('server.address', 'net.peer.name'),
  port: slots('server.port', 'net.peer.port'),
}

export interface KnownKey {
  readonly bytes: Uint8Array
  readonly text: string
  /** As it stands in a map of a row: quoted, escaped, with the colon. */
  readonly quoted: Uint8Array
  /** Its place in SLOTS; -1 where it has none. */
  readonly slot: number
  /** The span that had it last. */
  turn: number
}

const LONGEST = 256
const SIZE = 8192
/** Past it the table is begun anew: keys that come once must not fill it for good. */
const MOST = 4096
const table: (KnownKey | undefined)[] = Array.from({ length: SIZE })
let held = 0
let turns = 0

/** A number for the next span, by which a key that comes twice is told. */
export function nextSpan(): number {
  turns += 1
  return turns
}

function isSame(key: KnownKey, bytes: Uint8Array, from: number, length: number): boolean {
  const own = key.bytes
  if (own.length !== length) return false
  for (let index = 0; index < length; index += 1) if (own[index] !== bytes[from + index]) return false
  return true
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function learn(bytes: Uint8Array): KnownKey | undefined {
  try {
    const text = decoder.decode(bytes)
    const rows = new TsvRows(64 + bytes.length * 2)
    const map = rows.textMap([[text, '']]).bytes()
    // {'key':''} without its first brace and the value.
    return { bytes: bytes.slice(), text, quoted: Uint8Array.from(map.subarray(1, map.length - 3)), slot: SLOTS.findIndex((name) => name === text), turn: 0 }
  } catch {
    return undefined
  }
}

/** The key that stands in the bytes; undefined where it is too long or no UTF-8. */
export function keyOf(bytes: Uint8Array, from: number, to: number): KnownKey | undefined {
  const length = to - from
  if (length > LONGEST) return undefined
  let hash = length
  for (let index = from; index < to; index += 1) hash = (Math.imul(hash, 31) + (bytes[index] ?? 0)) | 0
  hash = (hash ^ (hash >>> 13)) & (SIZE - 1)
  for (let known = table[hash]; known !== undefined; known = table[hash]) {
    if (isSame(known, bytes, from, length)) return known
    hash = (hash + 1) & (SIZE - 1)
  }
  const key = learn(bytes.subarray(from, to))
  if (key === undefined) return undefined
  if (held >= MOST) {
    table.fill(undefined)
    held = 0
    return keyOf(bytes, from, to)
  }
  table[hash] = key
  held += 1
  return key
}
