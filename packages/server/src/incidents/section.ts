// A section of andon.yaml, read key by key; what is wrong is told with the path of its key.
import { AndonError, type Milliseconds } from '@andon/model'
import { parseDuration } from '@andon/promql'

const DURATION_MAX: Milliseconds = 400 * 86_400_000
const LIST_MAX = 1000

/** Tells what is wrong with a key. */
export function badKey(path: string, what: string): AndonError {
  return new AndonError('bad_config', `${path} must be ${what}.`, { hint: 'docs/reference/incidents.md shows every option of incidents.' })
}

export class Section {
  readonly path: string
  readonly #values: ReadonlyMap<string, unknown>

  /**
   * @param value - as the YAML gives it; undefined for an empty one
   * @param keys - that it may have
   * @throws AndonError bad_config where it is no mapping or has another key
   */
  constructor(value: unknown, path: string, keys: readonly string[]) {
    this.path = path
    if (value !== undefined && value !== null && (typeof value !== 'object' || Array.isArray(value))) throw badKey(path, `a mapping of ${keys.join(', ')}`)
    this.#values = new Map<string, unknown>(Object.entries(value ?? {}))
    for (const key of this.#values.keys()) if (!keys.includes(key)) throw badKey(path, `a mapping of ${keys.join(', ')}; "${key.slice(0, 60)}" is none of these`)
  }

  at(key: string): string {
    return `${this.path}.${key}`
  }

  has(key: string): boolean {
    return this.raw(key) !== undefined
  }

  /** Undefined where it is absent or null. */
  raw(key: string): unknown {
    return this.#values.get(key) ?? undefined
  }

  text(key: string, otherwise?: string): string {
    const value = this.raw(key) ?? otherwise
    if (typeof value !== 'string' || (value === '' && otherwise !== '')) throw badKey(this.at(key), 'a text')
    return value
  }

  /** A length of time such as `15m`. */
  duration(key: string, otherwise?: Milliseconds): Milliseconds {
    const value = this.raw(key)
    if (value === undefined && otherwise !== undefined) return otherwise
    const ms = value === 0 ? 0 : typeof value === 'string' ? (value === '0' ? 0 : parseDuration(value)) : undefined
    if (ms === undefined || ms < 0 || ms > DURATION_MAX) throw badKey(this.at(key), 'a length of time such as 90s, 15m or 2h')
    return ms
  }

  whole(key: string, min: number, max: number, otherwise?: number): number {
    const value = this.raw(key) ?? otherwise
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) throw badKey(this.at(key), `a whole number from ${min} to ${max}`)
    return value
  }

  word<T extends string>(key: string, words: readonly T[], otherwise: T): T {
    const value = this.raw(key) ?? otherwise
    const word = words.find((one) => one === value)
    if (word === undefined) throw badKey(this.at(key), `one of ${words.join(', ')}`)
    return word
  }

  /** Texts; one alone may stand without its list. @param min - characters that each has at least */
  texts(key: string, otherwise: readonly string[], min = 1): readonly string[] {
    const value = this.raw(key)
    if (value === undefined) return otherwise
    const list: readonly unknown[] = Array.isArray(value) ? value : [value]
    return list.map((one) => {
      if (typeof one !== 'string' || one.length < min) throw badKey(this.at(key), 'a list of texts')
      return one
    })
  }

  /** What `read` makes of each element of a list, which it is given with its path. */
  list<T>(key: string, read: (value: unknown, path: string) => T): readonly T[] {
    const value = this.raw(key)
    if (value === undefined) return []
    if (!Array.isArray(value) || value.length > LIST_MAX) throw badKey(this.at(key), `a list of at most ${LIST_MAX}`)
    return value.map((one: unknown, index) => read(one, `${this.at(key)}[${index}]`))
  }
}

/** @throws AndonError bad_config where a name stands twice in a list */
export function refuseTwice(names: readonly string[], path: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw badKey(path, `a list without "${twice}" twice`)
}
