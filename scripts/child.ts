import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const stopWithin = 15_000

export interface ChildOptions {
  readonly name: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Called once when the process ends without having been asked to; `lastWords` are its last lines. */
  readonly onExit: (name: string, code: number | null, lastWords: string) => void
}

/**
 * A Node program that runs beside this one. It stands in a process group of its own, so that Ctrl+C reaches it
 * through `stop` and in the right order, not from the terminal.
 */
export class Child {
  readonly name: string
  readonly #process: ChildProcess
  readonly #last: string[] = []
  #stopping = false

  constructor(options: ChildOptions) {
    this.name = options.name
    this.#process = spawn(process.execPath, [...options.args], {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream === null) continue
      createInterface({ input: stream }).on('line', (line) => {
        this.#last.push(line)
        if (this.#last.length > 30) this.#last.shift()
        this.#heard.forEach((listen) => listen(line))
      })
    }
    this.#process.on('close', (code) => {
      if (!this.#stopping) options.onExit(this.name, code, this.#last.join('\n'))
    })
  }

  readonly #heard = new Set<(line: string) => void>()

  /** Settles with the first line that matches; rejects when the process ends before. */
  async line(pattern: RegExp): Promise<string> {
    const early = this.#last.find((line) => pattern.test(line))
    if (early !== undefined) return early
    return await new Promise((resolve, reject) => {
      const listen = (line: string): void => {
        if (!pattern.test(line)) return
        this.#heard.delete(listen)
        resolve(line)
      }
      this.#heard.add(listen)
      this.#process.once('close', () => reject(new Error(`${this.name} ended before it was ready`)))
    })
  }

  /** Memory in bytes of the process and of what it started; undefined where the system does not tell it by /proc. */
  get memoryBytes(): number | undefined {
    return memoryOf(this.#process.pid ?? 0)
  }

  /** Asks the process to end and waits for it; after 15 s it is killed. Harmless when it has ended. */
  async stop(): Promise<void> {
    this.#stopping = true
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const closed = once(this.#process, 'close')
    this.#process.kill('SIGTERM')
    const killer = setTimeout(() => this.#process.kill('SIGKILL'), stopWithin)
    await closed
    clearTimeout(killer)
  }
}

/** Of a process and all below it. Pages that several share are counted once, by each one's share. */
function memoryOf(pid: number): number | undefined {
  try {
    const kilobytes = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter((child) => child.trim() !== '')
    return Number(kilobytes ?? 0) * 1024 + children.reduce((sum, child) => sum + (memoryOf(Number(child)) ?? 0), 0)
  } catch {
    return undefined
  }
}
