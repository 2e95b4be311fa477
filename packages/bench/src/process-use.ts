// What other processes use, as Linux tells it.
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import type { Bytes, Milliseconds } from '@andon/model'

/** Of /proc: all Linux systems of Node count in hundredths of a second. */
const MS_PER_TICK = 10

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** CPU of all threads of a process since its start; 0 when it is gone. */
export function cpuOf(pid: number): Milliseconds {
  const stat = textOf(`/proc/${pid}/stat`)
  // The name stands in parentheses and may hold spaces; user and system time are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * MS_PER_TICK
}

/** Memory that a process holds, shared pages included. */
export function residentOf(pid: number): Bytes {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0) * 1024
}

/** Memory of a process with shared pages divided among those that share them, so that several can be added up. */
export function proportionalOf(pid: number): Bytes {
  return Number(/^Pss:\s+(\d+) kB/m.exec(textOf(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024
}

/** A process and all below it. */
export function familyOf(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const stat = textOf(`/proc/${entry}/stat`)
    parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
  }
  const family = [pid]
  for (const member of family) for (const [child, parent] of parents) if (parent === member) family.push(child)
  return family
}

const SAMPLE_MS = 200

/** The largest resident memory of a process, looked at until `stop` is called. */
export class PeakMemory {
  readonly #pid: number
  readonly #timer: NodeJS.Timeout
  #peak: Bytes

  constructor(pid: number) {
    this.#pid = pid
    this.#peak = residentOf(pid)
    this.#timer = setInterval(() => this.#look(), SAMPLE_MS)
  }

  #look(): void {
    this.#peak = Math.max(this.#peak, residentOf(this.#pid))
  }

  stop(): Bytes {
    clearInterval(this.#timer)
    this.#look()
    return this.#peak
  }
}

/** A process that uses less than this share of a core has done what was asked of it. */
const QUIET = 0.1

/** Settles when a process has come to rest, so that what it does after its answers, such as merging, is counted too; at the latest after `withinMs`. */
export async function untilQuiet(pid: number, withinMs: Milliseconds): Promise<void> {
  const until = performance.now() + withinMs
  while (performance.now() < until) {
    const before = cpuOf(pid)
    await wait(500)
    if ((cpuOf(pid) - before) / 500 < QUIET) return
  }
}
