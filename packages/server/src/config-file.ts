// andon.yaml: which options it names, and where each stands.
import { AndonError } from '@andon/model'
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { Unfit } from './config-values.ts'

/** One option: how it is called everywhere, and what it may be. */
export interface OptionSpec {
  /** In andon.yaml, the sections joined by dots. */
  readonly name: string
  readonly env?: string
  readonly flag?: string
  /** What it may be, in words. */
  readonly kind: string
  /** As it would be written in andon.yaml. */
  readonly default: string
  /** Turns what was written into the option's value; throws a text that completes "must be …". */
  readonly read: (value: unknown) => unknown
}

export const badConfig = (where: string, what: string): AndonError => new AndonError('bad_config', `${where}: ${what}`)

/** Reads a value and says where it stands when it does not fit. */
export function fit(option: OptionSpec, value: unknown, where: string): unknown {
  try {
    return option.read(value)
  } catch (error) {
    if (error instanceof Unfit) throw badConfig(where, `${option.name} must be ${error.message}.`)
    if (error instanceof AndonError) throw badConfig(where, error.message)
    throw error
  }
}

/** What a configuration file says. */
export interface FileOptions {
  readonly values: ReadonlyMap<string, unknown>
  /** Where each of them stands, file and line. */
  readonly places: ReadonlyMap<string, string>
  /** File and line of the key that a message begins with, as deep as it is there; undefined where the file has no such section. */
  placeOf(message: string): string | undefined
}

/** The options that a configuration file names. */
export class ConfigFile implements FileOptions {
  readonly values: Map<string, unknown> = new Map()
  /** Where each of them stands, file and line. */
  readonly places: Map<string, string> = new Map()
  readonly #name: string
  readonly #options: readonly OptionSpec[]
  readonly #lines = new LineCounter()
  #contents: unknown

  /**
   * @param text - its content, YAML
   * @param name - by which errors call it
   * @param options - that it may name
   * @throws AndonError bad_config naming the line
   */
  constructor(text: string, name: string, options: readonly OptionSpec[]) {
    this.#name = name
    this.#options = options
    const document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, strict: true })
    const [error] = document.errors
    if (error !== undefined) throw badConfig(this.#at(error.pos[0]), error.message)
    if (document.contents === null) return
    if (!isMap(document.contents)) throw badConfig(this.#at(0), 'the file must hold keys and values.')
    this.#contents = document.contents
    for (const { key, value } of document.contents.items) this.#read(key, value, '')
  }

  /** @see FileOptions */
  placeOf(message: string): string | undefined {
    const path = /^[\w.[\]-]+/.exec(message)?.[0] ?? ''
    let node = this.#contents
    let offset: number | undefined
    for (const step of path.split(/[.[\]]+/)) {
      const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && String(key.value) === step) : undefined
      const found: unknown = pair?.value ?? (isSeq(node) ? node.items[Number(step)] : undefined)
      const named: unknown = pair?.key ?? found
      if (!isNode(named)) break
      offset = named.range?.[0] ?? offset
      node = found
    }
    return offset === undefined ? undefined : this.#at(offset)
  }

  #at(offset: number): string {
    return `${this.#name}:${this.#lines.linePos(offset).line}`
  }

  /** A key within a section is named by its own line, not by that of the section. */
  #fit(option: OptionSpec, value: unknown, where: string): unknown {
    try {
      return fit(option, value, where)
    } catch (error) {
      if (!(error instanceof AndonError) || !error.message.startsWith(`${where}: `)) throw error
      const message = error.message.slice(where.length + 2)
      throw new AndonError(error.code, `${this.placeOf(message) ?? where}: ${message}`, { cause: error, hint: error.hint })
    }
  }

  #read(key: unknown, value: unknown, prefix: string): void {
    const where = this.#at(isNode(key) ? (key.range?.[0] ?? 0) : 0)
    const name = `${prefix}${isScalar(key) ? String(key.value) : '?'}`
    const option = this.#options.find((one) => one.name === name)
    if (option !== undefined) {
      this.values.set(name, this.#fit(option, isNode(value) ? value.toJSON() : value, where))
      this.places.set(name, where)
      return
    }
    const section = this.#options.filter((one) => one.name.startsWith(`${name}.`))
    if (section.length === 0) throw badConfig(where, `there is no option "${name}".${suggestion(name, this.#options)}`)
    if (!isMap(value)) throw badConfig(where, `${name} must hold ${section.map((one) => one.name.slice(name.length + 1)).join(', ')}.`)
    for (const inner of value.items) this.#read(inner.key, inner.value, `${name}.`)
  }
}

/** The known option of the same last word, if there is one. */
function suggestion(name: string, options: readonly OptionSpec[]): string {
  const last = name.split('.').at(-1)
  const near = options.find((option) => option.name.split('.').at(-1) === last)
  return near === undefined ? '' : ` Did you mean ${near.name}?`
}
