// Processors, memory and file systems of the machine.
import { statfs, stat } from 'node:fs/promises'
import { availableParallelism, cpus, freemem, totalmem } from 'node:os'
import type { Meter } from '@opentelemetry/api'
import { keyed, Reading, textOf } from './reading.ts'
import { SinceStart } from './since-start.ts'

// The order in which /proc/stat has them.
const MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'interrupt', 'softirq', 'steal'] as const
const TICKS_PER_SECOND = 100

/** Seconds of all processors since the machine was started, by mode. */
export type CpuTimes = ReadonlyMap<string, number>

/** The first line of /proc/stat; interrupts of both kinds are one mode. */
export function parseCpuTimes(text: string): CpuTimes | undefined {
  const line = /^cpu\s+(.*)$/m.exec(text)?.[1]
  if (line === undefined) return undefined
  const times = new Map<string, number>()
  line.split(' ').forEach((ticks, index) => {
    const mode = MODES[index]
    if (mode === undefined) return
    const name = mode === 'softirq' ? 'interrupt' : mode
    times.set(name, (times.get(name) ?? 0) + Number(ticks) / TICKS_PER_SECOND)
  })
  return times
}

function nodesCpuTimes(): CpuTimes {
  const sums = { user: 0, nice: 0, system: 0, idle: 0, interrupt: 0 }
  for (const { times } of cpus()) {
    sums.user += times.user / 1000
    sums.nice += times.nice / 1000
    sums.system += times.sys / 1000
    sums.idle += times.idle / 1000
    sums.interrupt += times.irq / 1000
  }
  return new Map(Object.entries(sums))
}

/** The share of each mode of the time between; waiting for a disk is idle, so that the others add up to what was used. */
export function shares(before: CpuTimes, now: CpuTimes): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  let all = 0
  for (const [mode, seconds] of now) {
    const difference = Math.max(0, seconds - (before.get(mode) ?? 0))
    const name = mode === 'iowait' ? 'idle' : mode
    found.set(name, (found.get(name) ?? 0) + difference)
    all += difference
  }
  for (const [mode, seconds] of found) found.set(mode, all > 0 ? seconds / all : 0)
  return all > 0 ? found : new Map()
}

function observeProcessors(meter: Meter): () => Promise<void> {
  const time = meter.createObservableCounter('system.cpu.time', { unit: 's', description: 'CPU time of all processors of the machine, by mode.' })
  const utilization = meter.createObservableGauge('system.cpu.utilization', { unit: '1', description: 'The share of the CPU time of the machine that went to each mode; waiting for a disk is idle.' })
  const count = meter.createObservableUpDownCounter('system.cpu.logical.count', { unit: '{cpu}', description: 'Processors that this process may use.' })
  const reading = new Reading(async () => parseCpuTimes((await textOf('/proc/stat')) ?? '') ?? nodesCpuTimes())
  let before: CpuTimes | undefined
  const since = new SinceStart()
  meter.addBatchObservableCallback(
    (result) => {
      result.observe(count, availableParallelism())
      const { latest } = reading
      if (latest === undefined) return
      for (const [mode, seconds] of latest) since.observe(result, time, seconds, { 'cpu.mode': mode })
      // Not since the start of the machine: of the first interval there is nothing to tell.
      for (const [mode, share] of before === undefined ? [] : shares(before, latest)) result.observe(utilization, share, { 'cpu.mode': mode })
      before = latest
    },
    [time, utilization, count],
  )
  return () => reading.look()
}

interface Memory {
  readonly total: number
  readonly available: number
  readonly swapTotal: number
  readonly swapFree: number
}

/** /proc/meminfo, in bytes. */
export function parseMemory(text: string): Memory | undefined {
  const found = keyed(text)
  const bytes = (key: string): number => (found.get(key) ?? 0) * 1024
  const available = found.has('MemAvailable') ? bytes('MemAvailable') : bytes('MemFree')
  return found.has('MemTotal') ? { total: bytes('MemTotal'), available, swapTotal: bytes('SwapTotal'), swapFree: bytes('SwapFree') } : undefined
}

function observeMemory(meter: Meter): () => Promise<void> {
  const usage = meter.createObservableUpDownCounter('system.memory.usage', { unit: 'By', description: 'Memory of the machine: used, and free for programs (caches can be given up).' })
  const limit = meter.createObservableUpDownCounter('system.memory.limit', { unit: 'By', description: 'Memory of the machine.' })
  const share = meter.createObservableGauge('system.memory.utilization', { unit: '1', description: 'The share of the memory of the machine that is used.' })
  const swap = meter.createObservableUpDownCounter('system.paging.usage', { unit: 'By', description: 'Swap space, used and free.' })
  const reading = new Reading(async () => parseMemory((await textOf('/proc/meminfo')) ?? '') ?? { total: totalmem(), available: freemem(), swapTotal: 0, swapFree: 0 })
  meter.addBatchObservableCallback(
    (result) => {
      const { latest } = reading
      if (latest === undefined) return
      const { total, available, swapTotal, swapFree } = latest
      result.observe(usage, total - available, { 'system.memory.state': 'used' })
      result.observe(usage, available, { 'system.memory.state': 'free' })
      result.observe(limit, total)
      result.observe(share, 1 - available / total, { 'system.memory.state': 'used' })
      if (swapTotal === 0) return
      result.observe(swap, swapTotal - swapFree, { 'system.paging.state': 'used' })
      result.observe(swap, swapFree, { 'system.paging.state': 'free' })
    },
    [usage, limit, share, swap],
  )
  return () => reading.look()
}

interface FileSystem {
  readonly path: string
  readonly used: number
  readonly free: number
}

/** The root's and that of the working folder, once where they are one. Others may hang, as network mounts do. */
async function fileSystems(): Promise<readonly FileSystem[]> {
  const found = new Map<number, FileSystem>()
  for (const path of ['/', process.cwd()]) {
    const device = (await stat(path)).dev
    if (found.has(device)) continue
    const { blocks, bfree, bavail, bsize } = await statfs(path)
    found.set(device, { path, used: (blocks - bfree) * bsize, free: bavail * bsize })
  }
  return [...found.values()]
}

function observeFileSystems(meter: Meter): () => Promise<void> {
  const usage = meter.createObservableUpDownCounter('system.filesystem.usage', { unit: 'By', description: 'Space of the file systems of the root and of the working folder: used, and free for programs.' })
  const share = meter.createObservableGauge('system.filesystem.utilization', { unit: '1', description: 'The share of the space of a file system that is used.' })
  const reading = new Reading(fileSystems)
  meter.addBatchObservableCallback(
    (result) => {
      for (const { path, used, free } of reading.latest ?? []) {
        const at = { 'system.filesystem.mountpoint': path }
        result.observe(usage, used, { ...at, 'system.filesystem.state': 'used' })
        result.observe(usage, free, { ...at, 'system.filesystem.state': 'free' })
        if (used + free > 0) result.observe(share, used / (used + free), { ...at, 'system.filesystem.state': 'used' })
      }
    },
    [usage, share],
  )
  return () => reading.look()
}

/** @returns what reads the kernel's files anew */
export function observeSystem(meter: Meter): () => Promise<unknown> {
  const looks = [observeProcessors(meter), observeMemory(meter), observeFileSystems(meter)]
  return () => Promise.all(looks.map((look) => look()))
}
