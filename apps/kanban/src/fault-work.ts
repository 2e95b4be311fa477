// Work that hurts the process: on the request path, or beside it.
import { pbkdf2Sync } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { CardSummary } from './tasks.ts'

const MIB = 2 ** 20
/** An object of two fields in an array, by measurement with V8's heap. */
const OBJECT_BYTES = 50

const objects = (bytes: number): object[] => Array.from({ length: Math.ceil(bytes / OBJECT_BYTES) }, (_, number) => ({ number, half: number >> 1 }))

/** Allocates objects that nobody keeps. @returns how many */
export function churn(mebibytes: number): number {
  return objects(mebibytes * MIB).length
}

/** An index of the words of cards, whose time grows with the square of `count`. @returns its size */
export function quadraticIndex(cards: readonly Pick<CardSummary, 'title' | 'labels'>[], count: number): number {
  const words = cards.flatMap(({ title, labels }) => [...title.split(/\W+/), ...labels])
  const all = Array.from({ length: count }, (_, index) => `${words[index % Math.max(1, words.length)] ?? ''} ${index}`)
  return all.reduce<readonly string[]>((known, word) => (known.includes(word) ? known : [...known, word]), []).length
}

/** What a leak may hold in all, so that a fault that was forgotten does not end the process. */
const MAX_LEAK = 256 * MIB

/** A map that only grows, and listeners that nobody takes back. */
export class Leak {
  readonly #kept = new Map<number, readonly object[]>()
  readonly #emitter = new EventEmitter().setMaxListeners(0)
  #bytes = 0

  get entries(): number {
    return this.#kept.size
  }

  get listeners(): number {
    return this.#emitter.listenerCount('change')
  }

  add(kibibytes: number): void {
    if (this.#bytes >= MAX_LEAK) return
    this.#bytes += kibibytes * 1024
    const kept = objects(kibibytes * 1024)
    this.#kept.set(this.#kept.size, kept)
    this.#emitter.on('change', () => kept.length)
  }

  /** Gives back what was kept. */
  clear(): void {
    this.#kept.clear()
    this.#emitter.removeAllListeners()
    this.#bytes = 0
  }
}

/** A file that is read synchronously. */
export class BigFile {
  #folder: string | undefined

  /** Makes a file of this size in the place of the one before; 0 removes it. */
  resize(mebibytes: number): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true })
    this.#folder = mebibytes === 0 ? undefined : mkdtempSync(join(tmpdir(), 'kanban-fault-'))
    if (this.#folder !== undefined) writeFileSync(join(this.#folder, 'big'), Buffer.alloc(mebibytes * MIB, 'andon '))
  }

  /** @returns bytes that were read; 0 when there is no file */
  read(): number {
    return this.#folder === undefined ? 0 : readFileSync(join(this.#folder, 'big')).length
  }
}

/** Busy for a share of each 50 ms. */
const BURN = `
const { workerData: share } = require('node:worker_threads')
const pause = new Int32Array(new SharedArrayBuffer(4))
for (;;) {
  const end = performance.now() + 50 * share
  while (performance.now() < end);
  Atomics.wait(pause, 0, 0, Math.max(1, 50 * (1 - share)))
}`

/** Threads that use up processors. */
export class Burner {
  #threads: Worker[] = []

  async resize(cores: number): Promise<void> {
    const before = this.#threads
    const count = Math.ceil(cores)
    // Without the options of this process: a thread of this kind is no part of the application that is watched.
    this.#threads = Array.from({ length: count }, () => new Worker(BURN, { eval: true, workerData: cores / count, execArgv: [] }))
    for (const thread of this.#threads) thread.unref()
    await Promise.all(before.map((thread) => thread.terminate()))
  }
}

/** Computes until the time is over. */
export function block(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end) pbkdf2Sync('andon', 'fault', 100, 32, 'sha256')
}

/** Blocks the event loop again and again. */
export class Blocker {
  #timer: NodeJS.Timeout | undefined

  resize(milliseconds: number): void {
    clearInterval(this.#timer)
    this.#timer = milliseconds === 0 ? undefined : setInterval(() => block(milliseconds), Math.max(1000, milliseconds * 2)).unref()
  }
}
