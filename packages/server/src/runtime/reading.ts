// What a person wrote as YAML, read piece by piece; what does not fit is refused with the path at which it stands.
import { AndonError, type Milliseconds } from '@andon/model'
import { formatDuration, parseDuration } from '@andon/promql'

/** Keys and numbers of elements from the outermost value to one within it. */
export type Steps = readonly (string | number)[]

/** What all that is read of one section or file has in common. */
export interface Origin {
  /** Where a person reads how such things are written. */
  readonly hint: string
  /** By which errors call the file, where it is one. */
  readonly file?: string
  /** Stands before the path of a fault, such as `a.yaml:12: `. */
  readonly placeOf?: (steps: Steps) => string
  /** Where secrets are that are named by a variable; that of the process where it is absent. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
}

/** From and to, both allowed. */
interface Bounds {
  readonly least?: number
  readonly most?: number
}

/** A mapping with its values; keys that it inherits are none of its own. */
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isWhole<K extends string>(found: Partial<Record<K, Reading>>, keys: readonly K[]): found is Record<K, Reading> {
  return keys.every((key) => found[key] !== undefined)
}

function boundsText({ least = 0, most = Infinity }: Bounds): string {
  if (most !== Infinity) return ` from ${formatDuration(least)} to ${formatDuration(most)}`
  return least > 1 ? ` of ${formatDuration(least)} or longer` : ''
}

/**
 * One value and its path. Every reader throws AndonError bad_config where the value does not fit; `otherwise` is what it gives where
 * nothing is written, and null is nothing.
 */
export class Reading {
  readonly value: unknown
  /** As errors name it: `alerting.route.routes[0]`; '' for a file as a whole. */
  readonly path: string
  readonly origin: Origin
  /** From the value that was read first. */
  readonly steps: Steps

  constructor(value: unknown, path: string, origin: Origin, steps: Steps = []) {
    this.value = value
    this.path = path
    this.origin = origin
    this.steps = steps
  }

  /**
   * @param problem - completes a sentence that begins with the path, such as `must be a text`
   * @throws AndonError bad_config
   */
  refuse(problem: string, hint: string = this.origin.hint): never {
    throw new AndonError('bad_config', `${this.origin.placeOf?.(this.steps) ?? ''}${this.path === '' ? '' : `${this.path} `}${problem}`, { hint })
  }

  /** Whether nothing is written here. */
  get isAbsent(): boolean {
    return this.value === undefined || this.value === null
  }

  /** What `read` makes of it; `otherwise` where nothing is written. */
  or<T, U>(otherwise: U, read: (one: Reading) => T): T | U {
    return this.isAbsent ? otherwise : read(this)
  }

  /** The same, or a mapping without keys where nothing is written. */
  orEmpty(): Reading {
    return this.isAbsent ? new Reading({}, this.path, this.origin, this.steps) : this
  }

  /** The same; undefined where nothing is written. */
  orNone(): Reading | undefined {
    return this.isAbsent ? undefined : this
  }

  record(): Readonly<Record<string, unknown>> {
    return isRecord(this.value) ? this.value : this.refuse('must hold names and values')
  }

  keys(): readonly string[] {
    return Object.keys(this.record())
  }

  /** The path of a key of this mapping. */
  join(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`
  }

  at(key: string): Reading {
    const record = this.record()
    return new Reading(Object.hasOwn(record, key) ? record[key] : undefined, this.join(key), this.origin, [...this.steps, key])
  }

  has(key: string): boolean {
    return !this.at(key).isAbsent
  }

  /** Refuses keys that are not among these. */
  only(...keys: readonly string[]): void {
    const unknown = this.keys().find((key) => !keys.includes(key))
    if (unknown !== undefined) this.at(unknown).refuse(`is not known here; there may be ${keys.join(', ')}`)
  }

  /** The values under these keys; any other key is refused. */
  fields<K extends string>(keys: readonly K[]): Readonly<Record<K, Reading>> {
    this.only(...keys)
    const found: Partial<Record<K, Reading>> = {}
    for (const key of keys) found[key] = this.at(key)
    return isWhole(found, keys) ? found : this.refuse('cannot be read')
  }

  /** Each of a list; none where nothing is written. */
  list(most: number = Infinity): Reading[] {
    if (this.isAbsent) return []
    if (!Array.isArray(this.value)) return this.refuse('must be a list')
    const items: readonly unknown[] = this.value
    if (items.length > most) return this.refuse(`must be a list of at most ${most}`)
    return items.map((item, index) => new Reading(item, `${this.path}[${index}]`, this.origin, [...this.steps, index]))
  }

  /** A text that is not blank, unless `otherwise` is the very same. A number is none: what it looked like is lost. */
  text(): string
  text<T>(otherwise: T): string | T
  text(...given: readonly unknown[]): unknown {
    if (given.length > 0 && (this.isAbsent || this.value === given[0])) return given[0]
    return typeof this.value === 'string' && this.value.trim() !== '' ? this.value : this.refuse('must be a text')
  }

  /** A text, also an empty one; a number and a truth are what they are written as. */
  scalar(): string {
    if (typeof this.value === 'number' || typeof this.value === 'boolean') return String(this.value)
    return typeof this.value === 'string' ? this.value : this.refuse('must be a text')
  }

  /** A scalar that is not blank. */
  name(otherwise?: string): string {
    if (this.isAbsent && otherwise !== undefined) return otherwise
    const text = this.scalar()
    return text.trim() === '' ? this.refuse('must be a text that is not empty') : text
  }

  names(): string[] {
    return this.list().map((one) => one.name())
  }

  /** Texts; one alone may stand without its list. @param least - characters that each has at least */
  texts(otherwise: readonly string[] = [], least = 1): readonly string[] {
    if (this.isAbsent) return otherwise
    const list = Array.isArray(this.value) ? this.list() : [this]
    return list.map((one) => (typeof one.value === 'string' && one.value.length >= least ? one.value : this.refuse('must be a list of texts')))
  }

  flag(otherwise: boolean): boolean {
    if (this.isAbsent) return otherwise
    return typeof this.value === 'boolean' ? this.value : this.refuse('must be true or false')
  }

  whole({ least, most }: Required<Bounds>, otherwise?: number): number {
    const value = this.isAbsent ? otherwise : this.value
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most) return this.refuse(`must be a whole number from ${least} to ${most}`)
    return value
  }

  word<T extends string>(words: readonly T[], otherwise?: T): T {
    const value = this.isAbsent ? otherwise : this.value
    return words.find((word) => word === value) ?? this.refuse(`must be one of ${words.join(', ')}`)
  }

  /** A length of time such as `1h30m`; 0 needs no unit. */
  duration(bounds: Bounds = {}, otherwise?: Milliseconds): Milliseconds {
    if (this.isAbsent && otherwise !== undefined) return otherwise
    const text = this.value === 0 ? '0' : this.value
    const ms = typeof text === 'string' ? parseDuration(text) : undefined
    if (ms === undefined || !Number.isFinite(ms) || ms < (bounds.least ?? 0) || ms > (bounds.most ?? Infinity)) return this.refuse(`must be a duration${boundsText(bounds)}, such as 30s or 1h30m`)
    return ms
  }

  /** Runs what throws its own text, and refuses with it. */
  parsed<T>(parse: (text: string) => T): T {
    try {
      return parse(this.scalar())
    } catch (error) {
      return this.refuse(`is not understood: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  /** @throws AndonError bad_config where one of the names that were read here stands twice */
  refuseTwice(names: readonly string[], hint?: string): void {
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined) this.refuse(`must not hold "${twice}" twice`, hint)
  }
}
