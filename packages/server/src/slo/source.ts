// One document of YAML, read piece by piece; every problem is told with file, line and path.
import { AndonError, isTimeZone, type Labels, type Milliseconds, type Ratio } from '@andon/model'
import { parse, parseDuration, typeOf } from '@andon/promql'
import { type Document, isNode, type LineCounter } from 'yaml'

export type Path = readonly (string | number)[]

const LABEL = /^[a-zA-Z_]\w*$/

export function pathText(path: Path): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('')
}

/** A value within a document, with where it stands. */
export class Source {
  readonly file: string
  readonly path: Path
  readonly value: unknown
  readonly #document: Document
  readonly #lines: LineCounter

  private constructor(value: unknown, path: Path, { file, document, lines }: { readonly file: string; readonly document: Document; readonly lines: LineCounter }) {
    this.value = value
    this.path = path
    this.file = file
    this.#document = document
    this.#lines = lines
  }

  static of(document: Document, file: string, lines: LineCounter): Source {
    const value: unknown = document.toJS({ maxAliasCount: 100 })
    return new Source(value, [], { file, document, lines })
  }

  /** @throws AndonError bad_config */
  fail(problem: string): never {
    let line = 1
    for (let length = this.path.length; length >= 0; length -= 1) {
      const node: unknown = length === 0 ? this.#document.contents : this.#document.getIn(this.path.slice(0, length), true)
      const range = isNode(node) ? node.range : undefined
      if (range === undefined || range === null) continue
      line = this.#lines.linePos(range[0]).line
      break
    }
    const where = this.path.length === 0 ? '' : `${pathText(this.path)} `
    throw new AndonError('bad_config', `${this.file}:${line}: ${where}${problem}`, { hint: 'docs/reference/objectives.md shows how objectives are written.' })
  }

  get isAbsent(): boolean {
    return this.value === undefined || this.value === null
  }

  #child(key: string | number, value: unknown): Source {
    return new Source(value, [...this.path, key], { file: this.file, document: this.#document, lines: this.#lines })
  }

  /** @throws AndonError bad_config where this is no object */
  at(key: string): Source {
    const record = this.#record()
    return this.#child(key, Object.hasOwn(record, key) ? Reflect.get(record, key) : undefined)
  }

  get keys(): readonly string[] {
    return Object.keys(this.#record())
  }

  #record(): object {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value)) return this.fail('must hold names and values')
    return this.value
  }

  /** Refuses keys that are not among these. */
  only(...keys: readonly string[]): void {
    const unknown = this.keys.find((key) => !keys.includes(key))
    if (unknown !== undefined) this.at(unknown).fail(`is not known; there may be ${keys.join(', ')}`)
  }

  /** Elements of a list; none where it is absent. */
  list(): Source[] {
    if (this.isAbsent) return []
    if (!Array.isArray(this.value)) return this.fail('must be a list')
    return this.value.map((each: unknown, index) => this.#child(index, each))
  }

  text(otherwise?: string): string {
    if (this.isAbsent && otherwise !== undefined) return otherwise
    if (typeof this.value === 'number') return String(this.value)
    return typeof this.value === 'string' && this.value.trim() !== '' ? this.value : this.fail('must be a text')
  }

  flag(otherwise: boolean): boolean {
    if (this.isAbsent) return otherwise
    return typeof this.value === 'boolean' ? this.value : this.fail('must be true or false')
  }

  number(): number {
    const value = typeof this.value === 'string' && /^[\d.]+%?$/.test(this.value) ? Number.parseFloat(this.value) : this.value
    return typeof value === 'number' && Number.isFinite(value) ? value : this.fail('must be a number')
  }

  /** A target in percent as a share. */
  percent(): Ratio {
    const value = this.number()
    if (!(value > 0 && value < 100)) return this.fail('must be a number of percent greater than 0 and less than 100, such as 99.9')
    return share(value)
  }

  duration(): Milliseconds {
    const text = typeof this.value === 'string' ? this.value : ''
    const ms = parseDuration(text)
    return ms !== undefined && ms > 0 ? ms : this.fail('must be a duration such as 500ms or 28d')
  }

  timeZone(): string {
    const name = this.text('UTC')
    return isTimeZone(name) ? name : this.fail(`"${name}" is not a time zone such as Europe/Berlin`)
  }

  time(): Milliseconds {
    const time = this.value instanceof Date ? this.value.getTime() : typeof this.value === 'string' ? Date.parse(this.value) : Number.NaN
    return Number.isFinite(time) ? time : this.fail('must be a time such as 2026-11-28T22:00:00Z')
  }

  oneOf<T extends string>(words: readonly T[]): T {
    const found = words.find((word) => word === this.value)
    return found ?? this.fail(`must be one of ${words.join(', ')}`)
  }

  texts(): string[] {
    return this.list().map((each) => each.text())
  }

  labels(): Labels {
    if (this.isAbsent) return {}
    return Object.fromEntries(
      this.keys.map((name) => {
        if (!LABEL.test(name)) this.at(name).fail('is not a name for a label')
        return [name, this.at(name).text('')]
      }),
    )
  }

  /** An expression of PromQL, checked with its windows filled in. */
  expression(): string {
    const text = this.text()
    try {
      const type = typeOf(parse(text.replaceAll(/\{\{-?\s*\.window\s*-?\}\}|\$window\b/g, '5m'), { step: 0, range: 0 }))
      if (type !== 'instant vector' && type !== 'scalar') return this.fail(`must be an instant vector or a scalar, not a ${type}`)
    } catch (error) {
      if (error instanceof AndonError && error.code === 'bad_config') throw error
      return this.fail(`cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    }
    return text
  }
}

/** Percent as a share, without the last digits that dividing makes: 99.9 is 0.999. */
export function share(percent: number): Ratio {
  return Number((percent / 100).toPrecision(15))
}
