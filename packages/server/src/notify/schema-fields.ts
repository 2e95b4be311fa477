// Reads what a person wrote, and names the path of what does not fit.
import { AndonError } from '@andon/model'
import { Secret } from './secret.ts'

/** @returns never: throws bad_config */
export function refuse(path: string, what: string, hint?: string): never {
  throw new AndonError('bad_config', `${path} ${what}.`, hint === undefined ? {} : { hint })
}

export function itemsOf(value: unknown, path: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return refuse(path, 'must be a list')
  return value
}

/** The keys of one mapping. */
export class Fields {
  readonly path: string
  readonly #values: ReadonlyMap<string, unknown>
  readonly #env: Readonly<Record<string, string | undefined>> | undefined

  /** @param env - where secrets are; the process' own where it is absent */
  constructor(value: unknown, path: string, env?: Readonly<Record<string, string | undefined>>) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(path, 'must hold keys and values')
    this.path = path
    this.#values = new Map(Object.entries(value))
    this.#env = env
  }

  at(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`
  }

  has(key: string): boolean {
    const value = this.#values.get(key)
    return value !== undefined && value !== null
  }

  value(key: string): unknown {
    return this.#values.get(key)
  }

  get keys(): readonly string[] {
    return [...this.#values.keys()]
  }

  /** Refuses keys that are not in any of the lists. */
  only(...known: readonly (readonly string[])[]): void {
    const all = known.flat()
    const strange = this.keys.find((key) => !all.includes(key))
    if (strange !== undefined) refuse(this.at(strange), 'is not known here', `Known are: ${all.join(', ')}.`)
  }

  fields(key: string): Fields | undefined {
    return this.has(key) ? this.child(this.value(key), this.at(key)) : undefined
  }

  /** Another mapping, with secrets from the same place. */
  child(value: unknown, path: string): Fields {
    return new Fields(value, path, this.#env)
  }

  text(key: string): string | undefined {
    if (!this.has(key)) return undefined
    const value = this.value(key)
    if (typeof value !== 'string' || value.trim() === '') return refuse(this.at(key), 'must be a text')
    return value
  }

  needed(key: string): string {
    return this.text(key) ?? refuse(this.at(key), 'is missing')
  }

  flag(key: string, otherwise: boolean): boolean {
    if (!this.has(key)) return otherwise
    const value = this.value(key)
    return typeof value === 'boolean' ? value : refuse(this.at(key), 'must be true or false')
  }

  whole(key: string, { min, max, otherwise }: { readonly min: number; readonly max: number; readonly otherwise: number }): number {
    if (!this.has(key)) return otherwise
    const value = this.value(key)
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) return refuse(this.at(key), `must be a whole number from ${min} to ${max}`)
    return value
  }

  word<T extends string>(key: string, words: readonly T[], otherwise: T): T {
    if (!this.has(key)) return otherwise
    return words.find((one) => one === this.value(key)) ?? refuse(this.at(key), `must be one of ${words.join(', ')}`)
  }

  texts(key: string): readonly string[] {
    const value = this.value(key)
    return itemsOf(typeof value === 'string' ? value.split(',').map((one) => one.trim()) : value, this.at(key)).map((one, index) => (typeof one === 'string' && one !== '' ? one : refuse(`${this.at(key)}[${index}]`, 'must be a text')))
  }

  /** A secret: `{env: NAME}` or `{file: PATH}`, never its text. */
  secret(key: string): Secret | undefined {
    if (!this.has(key)) return undefined
    const value = this.value(key)
    if (typeof value === 'string') return refuse(this.at(key), 'holds a secret in plain text', 'Write {env: NAME} or {file: PATH} in its place, so that it is in no file that is shared.')
    const place = new Fields(value, this.at(key))
    place.only(['env', 'file'])
    if (place.has('env') === place.has('file')) refuse(this.at(key), 'must be {env: NAME} or {file: PATH}')
    return new Secret(place.has('env') ? { env: place.needed('env') } : { file: place.needed('file') }, this.#env)
  }

  neededSecret(key: string): Secret {
    return this.secret(key) ?? refuse(this.at(key), 'is missing', 'Write {env: NAME} or {file: PATH}.')
  }
}

/** @throws AndonError bad_config when it is no address of HTTP */
export function checkedUrl(text: string, path: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) refuse(path, 'must be an address that begins with http:// or https://')
  return text.replace(/\/+$/, '')
}
