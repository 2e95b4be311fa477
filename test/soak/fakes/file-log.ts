// A state log in a file: one line for each insert, synced to the disk before it counts as stored. It stands for the store's table, whose
// inserts are whole or not there as well; that the table keeps what it acknowledged is proved by `npm run soak -- kills`.
import { closeSync, existsSync, fdatasync, ftruncateSync, openSync, readFileSync, write } from 'node:fs'
import { promisify } from 'node:util'

interface Row {
  readonly kind: string
  readonly key: string
  readonly state: string
  readonly doc: unknown
}

interface Stored extends Row {
  readonly revision: number
  readonly written: number
}

const writeTo: (file: number, text: string) => Promise<unknown> = promisify(write)
const sync = promisify(fdatasync)

/** As this program wrote them. */
function rowsOf(line: string): readonly Stored[] {
  const rows: Stored[] = JSON.parse(line)
  return rows
}

export class FileLog {
  readonly #file: number
  readonly #now: () => number
  readonly #newest = new Map<string, Stored>()
  #revision = 0
  #last: Promise<unknown> = Promise.resolve()

  /** Reads what was stored; a line that was cut by the end of the process was not, and is removed. */
  constructor(path: string, now: () => number) {
    this.#now = now
    const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    for (const line of whole.split('\n')) if (line !== '') for (const row of rowsOf(line)) this.#keep(row)
    this.#file = openSync(path, 'a')
    if (whole.length < text.length) ftruncateSync(this.#file, Buffer.byteLength(whole))
  }

  #keep(row: Stored): void {
    this.#newest.set(`${row.kind}\0${row.key}`, row)
    this.#revision = Math.max(this.#revision, row.revision)
  }

  async append(rows: readonly Row[]): Promise<void> {
    const stored = rows.map(({ kind, key, state, doc }) => ({ kind, key, state, doc, revision: (this.#revision += 1), written: this.#now() }))
    const line = `${JSON.stringify(stored)}\n`
    const done = this.#write(line, this.#last)
    this.#last = done
    await done
    for (const row of rowsOf(line)) this.#keep(row)
  }

  async #write(line: string, before: Promise<unknown>): Promise<void> {
    await before
    await writeTo(this.#file, line)
    await sync(this.#file)
  }

  /** The ids of notifications that were stored. */
  notifications(): readonly string[] {
    return [...new Set([...this.#newest.values()].flatMap(({ key }) => (key.startsWith('m/') ? [key.split('/')[1] ?? ''] : [])))]
  }

  latest(kind: string, { except = [] }: { readonly except?: readonly string[] } = {}): Promise<readonly Stored[]> {
    return Promise.resolve([...this.#newest.values()].filter((row) => row.kind === kind && !except.includes(row.state)))
  }

  between(): Promise<readonly Stored[]> {
    return Promise.resolve([])
  }

  close(): void {
    closeSync(this.#file)
  }
}
