// The header tracestate: members of several vendors, the newest first.
// @see https://www.w3.org/TR/trace-context/#tracestate-header
import type { TraceState as ApiTraceState } from '@opentelemetry/api'
import { trimBlanks } from './hex.ts'

const MAX_MEMBERS = 32
/** What every platform has to hand on; a longer header loses members, large ones first. */
const MAX_LENGTH = 512
const LARGE_MEMBER = 128
/** Longer headers are not looked at. */
const MAX_READ = 16_384
const MAX_KEY = 256
const MAX_TENANT = 241
const MAX_SYSTEM = 14
const MAX_VALUE = 256

function isKeyPart(key: string, start: number, end: number, maxLength: number): boolean {
  if (end - start < 1 || end - start > maxLength) return false
  for (let index = start; index < end; index += 1) {
    const code = key.charCodeAt(index)
    const isAlphanumeric = (code >= 97 && code <= 122) || (code >= 48 && code <= 57)
    // _ - * / anywhere but at the start
    if (!isAlphanumeric && (index === start || (code !== 95 && code !== 45 && code !== 42 && code !== 47))) return false
  }
  return true
}

function isKey(key: string): boolean {
  const at = key.indexOf('@')
  if (at === -1) return isKeyPart(key, 0, key.length, MAX_KEY)
  return isKeyPart(key, 0, at, MAX_TENANT) && isKeyPart(key, at + 1, key.length, MAX_SYSTEM)
}

/** Printable ASCII without comma and equals sign, no space at the end. */
function isValue(value: string): boolean {
  if (value.length === 0 || value.length > MAX_VALUE || value.endsWith(' ')) return false
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index)
    if (code < 32 || code > 126 || code === 44 || code === 61) return false
  }
  return true
}

/** The members of a header; undefined when any of them breaks the rules, for then the header is to be discarded. */
function membersOf(header: string): Map<string, string> | undefined {
  const members = new Map<string, string>()
  if (header.length > MAX_READ) return undefined
  for (const part of header.split(',')) {
    const member = trimBlanks(part)
    if (member === '') continue
    const at = member.indexOf('=')
    const key = member.slice(0, at)
    const value = member.slice(at + 1)
    if (at < 1 || members.has(key) || !isKey(key) || !isValue(value)) return undefined
    members.set(key, value)
  }
  return members.size > MAX_MEMBERS ? undefined : members
}

/** Immutable: `set` and `unset` give another one. Wrong keys and values are left out. */
export class TraceState implements ApiTraceState {
  readonly #members: ReadonlyMap<string, string>
  #text: string | undefined

  private constructor(members: ReadonlyMap<string, string>) {
    this.#members = members
  }

  /** @returns undefined when the header is empty or breaks the rules */
  static parse(header: string): TraceState | undefined {
    const members = membersOf(header)
    return members === undefined || members.size === 0 ? undefined : new TraceState(members)
  }

  /** Puts a member to the front; the last one gives way when there are more than 32. */
  set(key: string, value: string): TraceState {
    if (!isKey(key) || !isValue(value)) return this
    const others = [...this.#members].filter(([name]) => name !== key)
    return new TraceState(new Map([[key, value], ...others.slice(0, MAX_MEMBERS - 1)]))
  }

  unset(key: string): TraceState {
    return new TraceState(new Map([...this.#members].filter(([name]) => name !== key)))
  }

  get(key: string): string | undefined {
    return this.#members.get(key)
  }

  /** At most 512 characters: members over 128 give way first, then the last ones. */
  serialize(): string {
    this.#text ??= this.#serialize()
    return this.#text
  }

  #serialize(): string {
    const members = [...this.#members].map(([key, value]) => `${key}=${value}`)
    let length = members.reduce((sum, member) => sum + member.length + 1, -1)
    for (let index = members.length - 1; index >= 0 && length > MAX_LENGTH; index -= 1) {
      const { length: size } = members[index] ?? ''
      if (size <= LARGE_MEMBER) continue
      members.splice(index, 1)
      length -= size + 1
    }
    while (length > MAX_LENGTH) length -= (members.pop()?.length ?? length) + 1
    return members.join(',')
  }
}
