// CPU time of the threads of this process, added up by name. Linux tells it.
import { readdir } from 'node:fs/promises'
import type { Meter } from '@opentelemetry/api'
import { Reading, textOf } from './reading.ts'

/** In which /proc counts processor time: USER_HZ is 100 on all platforms that Node runs on. */
const TICKS_PER_SECOND = 100
const MAX_THREADS = 256

interface ThreadTime {
  readonly id: string
  readonly name: string
  readonly seconds: number
}

/** Name and CPU time of a line of /proc/self/task/ID/stat; the name stands in brackets and may hold any character. */
export function parseThread(id: string, stat: string): ThreadTime | undefined {
  const open = stat.indexOf('(')
  const close = stat.lastIndexOf(')')
  if (open < 0 || close < open) return undefined
  const fields = stat.slice(close + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  return Number.isFinite(ticks) ? { id, name: stat.slice(open + 1, close), seconds: ticks / TICKS_PER_SECOND } : undefined
}

/** Totals by name that go on rising when threads end. */
export class ThreadTotals {
  #last = new Map<string, number>()
  readonly totals: Map<string, number> = new Map()

  add(threads: readonly ThreadTime[]): void {
    const next = new Map<string, number>()
    for (const { id, name, seconds } of threads) {
      const key = `${id} ${name}`
      const before = this.#last.get(key) ?? 0
      next.set(key, seconds)
      // An id that fell belongs to another thread now.
      this.totals.set(name, (this.totals.get(name) ?? 0) + (seconds < before ? seconds : seconds - before))
    }
    this.#last = next
  }
}

async function threadTimes(): Promise<readonly ThreadTime[]> {
  const ids = await readdir('/proc/self/task').catch(() => [])
  const main = String(process.pid)
  const stats = await Promise.all(ids.slice(0, MAX_THREADS).map(async (id) => ({ id, stat: await textOf(`/proc/self/task/${id}/stat`) })))
  return stats.flatMap(({ id, stat }) => {
    const thread = stat === undefined ? undefined : parseThread(id, stat)
    return thread === undefined ? [] : [id === main ? { ...thread, name: 'main' } : thread]
  })
}

/** @returns what reads the kernel's files anew */
export function observeThreads(meter: Meter): () => Promise<void> {
  const time = meter.createObservableCounter('andon.thread.cpu.time', { unit: 's', description: 'CPU time of the threads of this process, by name.' })
  const sums = new ThreadTotals()
  const reading = new Reading(async () => {
    sums.add(await threadTimes())
    return sums.totals
  })
  time.addCallback((result) => {
    for (const [name, seconds] of reading.latest ?? []) result.observe(seconds, { 'thread.name': name })
  })
  return () => reading.look()
}
