// A value of YAML, read with the path at which it stands.
import { AndonError, type Milliseconds } from '@andon/model'
import { parseDuration } from '@andon/promql'

const DURATION = /^(?:0|(?:\d+(?:ms|[smhdwy]))+)$/
const ALERTING_HINT = 'docs/reference/alertmanager.md shows what is understood; the rest is as in https://prometheus.io/docs/alerting/latest/configuration/.'

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isWhole<K extends string>(found: Partial<Record<K, Reading>>, keys: readonly K[]): found is Record<K, Reading> {
  return keys.every((key) => found[key] !== undefined)
}

/** One value and its path; a value that does not fit is refused with it. */
export class Reading {
  readonly value: unknown
  readonly path: string

  constructor(value: unknown, path: string) {
    this.value = value
    this.path = path
  }

  /** @throws AndonError bad_config */
  refuse(problem: string): never {
    throw new AndonError('bad_config', `${this.path} ${problem}`, { hint: ALERTING_HINT })
  }

  /** Whether nothing is written here. */
  get isAbsent(): boolean {
    return this.value === undefined || this.value === null
  }

  record(): Readonly<Record<string, unknown>> {
    return isRecord(this.value) ? this.value : this.refuse('must hold names and values')
  }

  /** The values under these keys; any other key is refused. */
  fields<K extends string>(keys: readonly K[]): Readonly<Record<K, Reading>> {
    const record = this.record()
    const known: ReadonlySet<string> = new Set(keys)
    for (const key of Object.keys(record)) if (!known.has(key)) new Reading(undefined, this.join(key)).refuse(`is not known here; there may be ${keys.join(', ')}`)
    const found: Partial<Record<K, Reading>> = {}
    for (const key of keys) found[key] = this.at(key)
    return isWhole(found, keys) ? found : this.refuse('cannot be read')
  }

  at(key: string): Reading {
    return new Reading(this.record()[key], this.join(key))
  }

  join(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`
  }

  /** Each of a list; none where nothing is written. */
  list(): Reading[] {
    if (this.isAbsent) return []
    if (!Array.isArray(this.value)) return this.refuse('must be a list')
    const items: readonly unknown[] = this.value
    return items.map((item, index) => new Reading(item, `${this.path}[${index}]`))
  }

  text(): string {
    if (typeof this.value === 'number' || typeof this.value === 'boolean') return String(this.value)
    return typeof this.value === 'string' ? this.value : this.refuse('must be a text')
  }

  /** A text that is not empty. */
  name(): string {
    const text = this.text()
    return text === '' ? this.refuse('must not be empty') : text
  }

  names(): string[] {
    return this.list().map((one) => one.name())
  }

  flag(otherwise: boolean): boolean {
    if (this.isAbsent) return otherwise
    return typeof this.value === 'boolean' ? this.value : this.refuse('must be true or false')
  }

  /** Undefined where nothing is written. */
  duration(least: Milliseconds): Milliseconds | undefined {
    if (this.isAbsent) return undefined
    const text = this.text()
    const ms = DURATION.test(text) ? parseDuration(text) : undefined
    if (ms === undefined) return this.refuse('must be a duration such as 30s or 1h30m')
    return ms < least ? this.refuse(`must be at least ${least} ms`) : ms
  }

  /** Runs what throws its own text, and refuses with it. */
  parsed<T>(parse: (text: string) => T): T {
    try {
      return parse(this.text())
    } catch (error) {
      return this.refuse(`is not understood: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}
