// What this process takes of the machine.
import { readdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import type { Meter } from '@opentelemetry/api'
import { keyed, Reading, textOf } from './reading.ts'

interface ProcFiles {
  readonly descriptors: number | undefined
  readonly virtual: number | undefined
  readonly threads: number | undefined
  readonly read: number | undefined
  readonly written: number | undefined
}

async function procFiles(): Promise<ProcFiles | undefined> {
  const [descriptors, status = '', io = ''] = await Promise.all([readdir('/proc/self/fd').catch(() => undefined), textOf('/proc/self/status'), textOf('/proc/self/io')])
  const state = keyed(status)
  const transferred = keyed(io)
  const kilobytes = state.get('VmSize')
  return {
    // One of them is the folder that is being read.
    descriptors: descriptors && descriptors.length - 1,
    virtual: kilobytes === undefined ? undefined : kilobytes * 1024,
    threads: state.get('Threads'),
    read: transferred.get('read_bytes'),
    written: transferred.get('write_bytes'),
  }
}

/** @returns what reads the kernel's files anew */
export function observeProcess(meter: Meter): () => Promise<void> {
  const time = meter.createObservableCounter('process.cpu.time', { unit: 's', description: 'CPU time of this process.' })
  const utilization = meter.createObservableGauge('process.cpu.utilization', { unit: '1', description: 'CPU time of this process per second and processor that it may use.' })
  const memory = meter.createObservableUpDownCounter('process.memory.usage', { unit: 'By', description: 'Resident memory of this process.' })
  const uptime = meter.createObservableGauge('process.uptime', { unit: 's', description: 'How long this process has run.' })
  const switches = meter.createObservableCounter('process.context_switches', { unit: '{context_switch}', description: 'How often a thread of this process gave up its processor, and had to.' })
  const faults = meter.createObservableCounter('process.paging.faults', { unit: '{fault}', description: 'Page faults of this process; major ones waited for a disk.' })
  const resources = meter.createObservableUpDownCounter('v8js.resource.active', { unit: '{resource}', description: 'What keeps the event loop alive: handles and requests, by kind.' })
  let before = process.cpuUsage()
  let at = performance.now()
  meter.addBatchObservableCallback(
    (result) => {
      const use = process.cpuUsage()
      const now = performance.now()
      const elapsed = (now - at) * 1000 * availableParallelism()
      for (const mode of ['user', 'system'] as const) {
        result.observe(time, use[mode] / 1e6, { 'cpu.mode': mode })
        if (elapsed > 0) result.observe(utilization, (use[mode] - before[mode]) / elapsed, { 'cpu.mode': mode })
      }
      before = use
      at = now
      result.observe(memory, process.memoryUsage.rss())
      result.observe(uptime, process.uptime())
      const { voluntaryContextSwitches, involuntaryContextSwitches, majorPageFault, minorPageFault } = process.resourceUsage()
      result.observe(switches, voluntaryContextSwitches, { 'process.context_switch.type': 'voluntary' })
      result.observe(switches, involuntaryContextSwitches, { 'process.context_switch.type': 'involuntary' })
      result.observe(faults, majorPageFault, { 'system.paging.fault.type': 'major' })
      result.observe(faults, minorPageFault, { 'system.paging.fault.type': 'minor' })
      const kinds = new Map<string, number>()
      for (const kind of process.getActiveResourcesInfo()) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
      for (const [kind, count] of kinds) result.observe(resources, count, { 'v8js.resource.type': kind })
    },
    [time, utilization, memory, uptime, switches, faults, resources],
  )
  return observeFiles(meter)
}

function observeFiles(meter: Meter): () => Promise<void> {
  const descriptors = meter.createObservableUpDownCounter('process.unix.file_descriptor.count', { unit: '{file_descriptor}', description: 'Files and sockets that this process has open.' })
  const virtual = meter.createObservableUpDownCounter('process.memory.virtual', { unit: 'By', description: 'Addresses that this process has reserved.' })
  const threads = meter.createObservableUpDownCounter('process.thread.count', { unit: '{thread}', description: 'Threads of this process.' })
  const io = meter.createObservableCounter('process.disk.io', { unit: 'By', description: 'Bytes that this process moved from and to disks.' })
  const reading = new Reading(procFiles)
  meter.addBatchObservableCallback(
    (result) => {
      const { latest } = reading
      if (latest?.descriptors !== undefined) result.observe(descriptors, latest.descriptors)
      if (latest?.virtual !== undefined) result.observe(virtual, latest.virtual)
      if (latest?.threads !== undefined) result.observe(threads, latest.threads)
      if (latest?.read !== undefined) result.observe(io, latest.read, { 'disk.io.direction': 'read' })
      if (latest?.written !== undefined) result.observe(io, latest.written, { 'disk.io.direction': 'write' })
    },
    [descriptors, virtual, threads, io],
  )
  return () => reading.look()
}
