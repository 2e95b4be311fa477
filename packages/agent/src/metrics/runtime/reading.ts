// Small files of the kernel, read in the background and remembered until the next collection.
import { readFile } from 'node:fs/promises'

/** What was read last. `look` starts the next reading where none is under way, so that a file that hangs costs one thread. */
export class Reading<T> {
  readonly #read: () => Promise<T | undefined>
  #running: Promise<void> | undefined
  /** Undefined until something was read, and where there is nothing to be read. */
  latest: T | undefined

  constructor(read: () => Promise<T | undefined>) {
    this.#read = read
  }

  /** Settles when what is under way has been read; nobody has to wait for it. */
  look(): Promise<void> {
    this.#running ??= this.#read()
      .then(
        (value) => void (this.latest = value),
        () => void (this.latest = undefined),
      )
      .finally(() => void (this.#running = undefined))
    return this.#running
  }
}

/** A file's text; undefined where there is none or it may not be read. */
export function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}

/** Lines of `key value` or `key: value unit`, as numbers. */
export function keyed(text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const line of text.split('\n')) {
    const match = /^(\w+(?:\(\w+\))?):?\s+(\d+)/.exec(line)
    if (match !== null) found.set(match[1] ?? '', Number(match[2]))
  }
  return found
}
