// Secrets: named in a configuration, read where they are used, shown nowhere.
import { readFileSync } from 'node:fs'
import { AndonError } from '@andon/model'

/** Where a secret stands. `text` only of a file that nobody else may read. */
export type SecretPlace = { readonly env: string } | { readonly file: string } | { readonly text: string }

/** How long a secret may be, in bytes of its file. */
const SECRET_MAX = 65_536

/** Knows where a secret stands; its text is in no JSON, no log line and no message. */
export class Secret {
  readonly #place: SecretPlace
  readonly #env: Readonly<Record<string, string | undefined>>

  constructor(place: SecretPlace, env: Readonly<Record<string, string | undefined>> = process.env) {
    this.#place = place
    this.#env = env
  }

  /** By which errors call it: never its text. */
  get name(): string {
    const place = this.#place
    return 'env' in place ? `the environment variable ${place.env}` : 'file' in place ? `the file ${place.file}` : 'the configuration'
  }

  /**
   * The text as it stands there now, without white space around it: a file may be replaced while the server runs.
   *
   * @throws AndonError bad_config when there is none
   */
  read(): string {
    const text = this.#text().trim()
    if (text === '') throw new AndonError('bad_config', `A secret is missing: ${this.name} is empty or not there.`)
    return text
  }

  #text(): string {
    const place = this.#place
    if ('text' in place) return place.text
    if ('env' in place) return this.#env[place.env] ?? ''
    try {
      return readFileSync(place.file, 'utf8').slice(0, SECRET_MAX)
    } catch (error) {
      throw new AndonError('bad_config', `A secret cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }

  toJSON(): string {
    return '[redacted]'
  }

  toString(): string {
    return '[redacted]'
  }
}
