// The runtime and the system, by the names of the semantic conventions.
import { readFile } from 'node:fs/promises'
import { cpus, freemem, totalmem } from 'node:os'
import { constants, monitorEventLoopDelay, performance, PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8'
import { statfs } from 'node:fs/promises'
import { diag, type Meter } from '@opentelemetry/api'

const GC_KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
}

/** How often the event loop is looked at, milliseconds; a healthy loop's delay reads as this. */
const RESOLUTION = 10

/** Starts the measurement of the event loop, GC, heap, CPU, memory, disk and network. @returns what ends it */
export function startRuntimeMetrics(meter: Meter): () => void {
  const ends = [eventLoop(meter), garbageCollection(meter)]
  heap(meter)
  processUse(meter)
  systemUse(meter)
  return () => {
    for (const end of ends) end()
  }
}

function seconds(nanoseconds: number): number {
  return nanoseconds / 1e9
}

function eventLoop(meter: Meter): () => void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION })
  delay.enable()
  const gauge = (name: string, description: string): ReturnType<Meter['createObservableGauge']> => meter.createObservableGauge(`nodejs.eventloop.delay.${name}`, { unit: 's', description })
  const gauges = {
    min: gauge('min', 'The least delay of the event loop.'),
    max: gauge('max', 'The greatest delay of the event loop.'),
    mean: gauge('mean', 'The mean delay of the event loop.'),
    stddev: gauge('stddev', 'The standard deviation of the delay of the event loop.'),
    p50: gauge('p50', 'The median delay of the event loop.'),
    p90: gauge('p90', 'The 90th percentile of the delay of the event loop.'),
    p99: gauge('p99', 'The 99th percentile of the delay of the event loop.'),
  }
  const utilization = meter.createObservableGauge('nodejs.eventloop.utilization', { unit: '1', description: 'The share of time in which the event loop was busy.' })
  let before = performance.eventLoopUtilization()
  // One look at the histogram for all of its numbers, then it starts anew.
  meter.addBatchObservableCallback(
    (result) => {
      if (delay.count > 0) {
        result.observe(gauges.min, seconds(delay.min))
        result.observe(gauges.max, seconds(delay.max))
        result.observe(gauges.mean, seconds(delay.mean))
        result.observe(gauges.stddev, seconds(delay.stddev))
        result.observe(gauges.p50, seconds(delay.percentile(50)))
        result.observe(gauges.p90, seconds(delay.percentile(90)))
        result.observe(gauges.p99, seconds(delay.percentile(99)))
        delay.reset()
      }
      const now = performance.eventLoopUtilization()
      result.observe(utilization, performance.eventLoopUtilization(now, before).utilization)
      before = now
    },
    [...Object.values(gauges), utilization],
  )
  return () => delay.disable()
}

function garbageCollection(meter: Meter): () => void {
  const duration = meter.createHistogram('v8js.gc.duration', { unit: 's', description: 'How long garbage collections took, by kind.' })
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const detail: unknown = Reflect.get(entry, 'detail')
      const kind: unknown = typeof detail === 'object' && detail !== null ? Reflect.get(detail, 'kind') : undefined
      duration.record(entry.duration / 1000, { 'v8js.gc.type': GC_KINDS[Number(kind)] ?? 'other' })
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => observer.disconnect()
}

function heap(meter: Meter): void {
  const bytes = { unit: 'By' }
  const used = meter.createObservableGauge('v8js.memory.heap.used', { ...bytes, description: 'Heap that is used.' })
  const limit = meter.createObservableGauge('v8js.memory.heap.limit', { ...bytes, description: 'Heap that there can be.' })
  const spaceUsed = meter.createObservableGauge('v8js.memory.heap.space.used_size', { ...bytes, description: 'Heap that is used, by space.' })
  const spaceSize = meter.createObservableGauge('v8js.memory.heap.space.size', { ...bytes, description: 'Heap that is committed, by space.' })
  meter.addBatchObservableCallback(
    (result) => {
      const statistics = getHeapStatistics()
      result.observe(used, statistics.used_heap_size)
      result.observe(limit, statistics.heap_size_limit)
      for (const space of getHeapSpaceStatistics()) {
        const attributes = { 'v8js.heap.space.name': space.space_name }
        result.observe(spaceUsed, space.space_used_size, attributes)
        result.observe(spaceSize, space.space_size, attributes)
      }
    },
    [used, limit, spaceUsed, spaceSize],
  )
}

function processUse(meter: Meter): void {
  const time = meter.createObservableCounter('process.cpu.time', { unit: 's', description: 'CPU time of this process.' })
  const utilization = meter.createObservableGauge('process.cpu.utilization', { unit: '1', description: 'CPU time of this process per second and core of the machine.' })
  const memory = meter.createObservableGauge('process.memory.usage', { unit: 'By', description: 'Resident memory of this process.' })
  const uptime = meter.createObservableGauge('process.uptime', { unit: 's', description: 'How long this process has run.' })
  const handles = meter.createObservableGauge('nodejs.active_resources', { unit: '{resource}', description: 'What keeps the event loop alive, by kind.' })
  let before = process.cpuUsage()
  let at = performance.now()
  meter.addBatchObservableCallback(
    (result) => {
      const use = process.cpuUsage()
      const now = performance.now()
      result.observe(time, use.user / 1e6, { 'cpu.mode': 'user' })
      result.observe(time, use.system / 1e6, { 'cpu.mode': 'system' })
      const elapsed = (now - at) * 1000 * Math.max(1, cpus().length)
      if (elapsed > 0) result.observe(utilization, (use.user + use.system - before.user - before.system) / elapsed)
      before = use
      at = now
      result.observe(memory, process.memoryUsage.rss())
      result.observe(uptime, process.uptime())
      const kinds = new Map<string, number>()
      for (const kind of process.getActiveResourcesInfo()) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
      for (const [kind, count] of kinds) result.observe(handles, count, { type: kind })
    },
    [time, utilization, memory, uptime, handles],
  )
}

interface CpuTimes {
  readonly busy: number
  readonly all: number
}

function cpuTimes(): CpuTimes {
  let busy = 0
  let all = 0
  for (const { times } of cpus()) {
    const sum = times.user + times.nice + times.sys + times.irq
    busy += sum
    all += sum + times.idle
  }
  return { busy, all }
}

/** Bytes received and sent of all interfaces but the loopback, on Linux. */
async function networkBytes(): Promise<{ receive: number; transmit: number } | undefined> {
  const text = await readFile('/proc/net/dev', 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  let receive = 0
  let transmit = 0
  for (const line of text.split('\n').slice(2)) {
    const [name = '', fields = ''] = line.split(':')
    if (name.trim() === '' || name.trim() === 'lo') continue
    const numbers = fields.trim().split(/\s+/).map(Number)
    receive += numbers[0] ?? 0
    transmit += numbers[8] ?? 0
  }
  return { receive, transmit }
}

async function filesystemUse(): Promise<{ used: number; total: number } | undefined> {
  const found = await statfs('/').catch(() => undefined)
  return found === undefined ? undefined : { used: (found.blocks - found.bfree) * found.bsize, total: found.blocks * found.bsize }
}

function systemUse(meter: Meter): void {
  const cpu = meter.createObservableGauge('system.cpu.utilization', { unit: '1', description: 'The share of the CPU time of the machine that was used.' })
  const memory = meter.createObservableGauge('system.memory.usage', { unit: 'By', description: 'Memory of the machine that is used.' })
  const memoryShare = meter.createObservableGauge('system.memory.utilization', { unit: '1', description: 'The share of the memory of the machine that is used.' })
  const disk = meter.createObservableGauge('system.filesystem.usage', { unit: 'By', description: 'Space of the root file system that is used.' })
  const diskShare = meter.createObservableGauge('system.filesystem.utilization', { unit: '1', description: 'The share of the root file system that is used.' })
  const network = meter.createObservableCounter('system.network.io', { unit: 'By', description: 'Bytes over the network, loopback left out.' })
  let before = cpuTimes()
  // Files are read between two collections, so that a collection never waits.
  let latest: { net?: Awaited<ReturnType<typeof networkBytes>>; disk?: Awaited<ReturnType<typeof filesystemUse>> } = {}
  const look = (): void => {
    Promise.all([networkBytes(), filesystemUse()]).then(([net, use]) => (latest = { net, disk: use })).catch((error: unknown) => diag.debug('andon: the system cannot be read', error))
  }
  look()
  meter.addBatchObservableCallback(
    (result) => {
      const now = cpuTimes()
      if (now.all > before.all) result.observe(cpu, (now.busy - before.busy) / (now.all - before.all))
      before = now
      const used = totalmem() - freemem()
      // Only this state, so that a sum over all states is what is used too.
      result.observe(memory, used, { 'system.memory.state': 'used' })
      result.observe(memoryShare, used / totalmem(), { 'system.memory.state': 'used' })
      if (latest.disk !== undefined) {
        result.observe(disk, latest.disk.used)
        result.observe(diskShare, latest.disk.used / Math.max(1, latest.disk.total))
      }
      if (latest.net !== undefined) {
        result.observe(network, latest.net.receive, { 'network.io.direction': 'receive' })
        result.observe(network, latest.net.transmit, { 'network.io.direction': 'transmit' })
      }
      look()
    },
    [cpu, memory, memoryShare, disk, diskShare, network],
  )
}
