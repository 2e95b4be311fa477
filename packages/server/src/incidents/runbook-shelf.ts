// Where runbooks lie: those that are shipped, and a folder of one's own, whose runbooks stand in for shipped ones of the same name.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AndonError, type Runbook } from '@andon/model'
import { readRunbook } from './runbook.ts'

const FILES_MAX = 500
const BYTES_MAX = 512 * 1024

/** The shipped ones: in the documentation where it is built, a copy of it where the package alone is installed. */
export function findRunbooks(): string | undefined {
  const places = ['../../../../docs/runbooks', '../runbooks'].map((path) => fileURLToPath(new URL(path, import.meta.url)))
  return places.find((path) => existsSync(path))
}

function readFolder(folder: string, from: Runbook['from']): Runbook[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.md') && name.toLowerCase() !== 'readme.md').toSorted()
  if (names.length > FILES_MAX) throw new AndonError('bad_config', `The folder ${folder} has more than ${FILES_MAX} runbooks.`)
  return names.map((name) => {
    const path = join(folder, name)
    if (statSync(path).size > BYTES_MAX) throw new AndonError('bad_config', `The runbook ${path} is larger than ${BYTES_MAX} bytes.`)
    return readRunbook(readFileSync(path, 'utf8'), name.slice(0, -'.md'.length), from)
  })
}

/** All runbooks, in the order of their names. */
export class RunbookShelf {
  readonly #shipped: string | undefined
  readonly #own: string | undefined
  #all: readonly Runbook[] = []

  private constructor(shipped: string | undefined, own: string | undefined) {
    this.#shipped = shipped
    this.#own = own
  }

  /**
   * Reads all runbooks.
   *
   * @param own - a folder of one's own; undefined for none
   * @throws AndonError bad_config where the folder is not there, or one of its runbooks is wrong
   */
  static open(own: string | undefined, shipped: string | undefined = findRunbooks()): RunbookShelf {
    const shelf = new RunbookShelf(shipped, own)
    shelf.reload()
    return shelf
  }

  /** Reads them anew. @throws AndonError bad_config; then nothing has changed */
  reload(): void {
    if (this.#own !== undefined && !existsSync(this.#own)) throw new AndonError('bad_config', `incidents.runbooks_dir: there is no folder ${this.#own}.`)
    const shipped = this.#shipped === undefined ? [] : readFolder(this.#shipped, 'andon')
    const own = this.#own === undefined ? [] : readFolder(this.#own, 'own')
    const all = new Map([...shipped, ...own].map((runbook) => [runbook.name, runbook]))
    this.#all = [...all.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  all(): readonly Runbook[] {
    return this.#all
  }

  /** @throws AndonError not_found */
  find(name: string): Runbook {
    const found = this.#all.find((one) => one.name === name)
    if (found === undefined) throw new AndonError('not_found', `There is no runbook "${name.slice(0, 100)}".`, { hint: 'GET /api/runbooks lists them.' })
    return found
  }
}
