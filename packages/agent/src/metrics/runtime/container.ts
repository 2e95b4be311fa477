// How full the container is in which this process runs; nothing where no limit is set.
import type { Meter } from '@opentelemetry/api'
import { type GroupUse, readGroup } from './cgroup.ts'
import { Reading } from './reading.ts'
import { SinceStart } from './since-start.ts'

interface TimedUse extends GroupUse {
  readonly atMs: number
}

/** Processors in use between two readings as a share of those that may be used. */
function cpuShare(before: TimedUse | undefined, now: TimedUse): number | undefined {
  if (before?.cpuSeconds === undefined || now.cpuSeconds === undefined || now.cpuLimit === undefined || now.atMs <= before.atMs) return undefined
  return Math.max(0, (now.cpuSeconds - before.cpuSeconds) / ((now.atMs - before.atMs) / 1000) / now.cpuLimit)
}

/** @returns what reads the kernel's files anew */
export function observeContainer(meter: Meter): () => Promise<void> {
  const time = meter.createObservableCounter('container.cpu.time', { unit: 's', description: 'CPU time of the container.' })
  const memory = meter.createObservableUpDownCounter('container.memory.usage', { unit: 'By', description: 'Memory of the container, caches of its files included.' })
  const cpuLimit = meter.createObservableUpDownCounter('andon.container.cpu.limit', { unit: '{cpu}', description: 'Processors that the container may use at once.' })
  const cpuUtilization = meter.createObservableGauge('andon.container.cpu.utilization', { unit: '1', description: 'Processors that the container uses, as a share of its limit.' })
  const throttled = meter.createObservableCounter('andon.container.cpu.throttled.time', { unit: 's', description: 'How long the container was stopped because its share of the processors was used up.' })
  const periods = meter.createObservableCounter('andon.container.cpu.throttled.periods', { unit: '{period}', description: 'How often the container was stopped because its share of the processors was used up.' })
  const memoryLimit = meter.createObservableUpDownCounter('andon.container.memory.limit', { unit: 'By', description: 'Memory at which the kernel ends processes of the container.' })
  const memoryUtilization = meter.createObservableGauge('andon.container.memory.utilization', { unit: '1', description: 'Memory of the container that the kernel cannot give up at once, as a share of its limit.' })
  const reading = new Reading(async (): Promise<TimedUse | undefined> => {
    const use = await readGroup()
    return use && { ...use, atMs: performance.now() }
  })
  let before: TimedUse | undefined
  const since = new SinceStart()
  meter.addBatchObservableCallback(
    (result) => {
      const { latest } = reading
      if (latest === undefined) return
      const share = cpuShare(before, latest)
      before = latest
      if (latest.cpuSeconds !== undefined) since.observe(result, time, latest.cpuSeconds)
      if (latest.memory !== undefined) result.observe(memory, latest.memory)
      if (latest.cpuLimit !== undefined) result.observe(cpuLimit, latest.cpuLimit)
      if (share !== undefined) result.observe(cpuUtilization, share)
      if (latest.cpuLimit !== undefined && latest.throttledSeconds !== undefined) since.observe(result, throttled, latest.throttledSeconds)
      if (latest.cpuLimit !== undefined && latest.throttledPeriods !== undefined) since.observe(result, periods, latest.throttledPeriods)
      if (latest.memoryLimit === undefined) return
      result.observe(memoryLimit, latest.memoryLimit)
      if (latest.workingSet !== undefined) result.observe(memoryUtilization, latest.workingSet / latest.memoryLimit)
    },
    [time, memory, cpuLimit, cpuUtilization, throttled, periods, memoryLimit, memoryUtilization],
  )
  return () => reading.look()
}
