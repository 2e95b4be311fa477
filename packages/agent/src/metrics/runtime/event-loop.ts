// How late the event loop is, and how much of its time it is busy.
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { Meter } from '@opentelemetry/api'
import type { Milliseconds, Ratio } from '@andon/model'

/** How often the event loop is looked at; a healthy loop's delay reads as this. Half of it costs an idle process half as much again. */
const RESOLUTION: Milliseconds = 20
/** Above it a mean delay says that the loop was blocked, below it that the timer is not exact. */
const HEALTHY: Milliseconds = 22
/** How far Node's figure may lie over the thread's before it is not believed. */
const BELIEVED: Ratio = 0.1

/** An interval of the event loop: all but the last in milliseconds. */
export interface LoopInterval {
  readonly elapsed: Milliseconds
  /** What Node says. */
  readonly active: Milliseconds
  /** On a processor or waiting for one; undefined where the system does not tell. */
  readonly running: Milliseconds | undefined
  /** Blocked, as the delay of its timers shows. */
  readonly late: Milliseconds
}

/**
 * The time in which the event loop was busy. With a CPU profiler of V8 on, each sample's signal ends the wait for events
 * and Node counts an idle process as busy (0.97 was measured). Where the thread neither ran nor was late for so long, it
 * was idle.
 */
export function busyTime({ elapsed, active, running, late }: LoopInterval): Milliseconds {
  const seen = Math.max(running ?? active, late)
  return Math.max(0, Math.min(elapsed, active - seen > elapsed * BELIEVED ? seen : active))
}

/**
 * How long the calling thread has run or waited for a processor. One small file of the kernel, because a loaded machine
 * lets a busy thread wait; its processor time alone elsewhere, and that of the whole process before Node 24.
 */
function threadTime(): Milliseconds {
  try {
    const [ran, waited] = readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')
    const time = (Number(ran) + Number(waited)) / 1e6
    if (time > 0) return time
  } catch {
    // Not on this system.
  }
  const read: unknown = Reflect.get(process, 'threadCpuUsage')
  const use: unknown = typeof read === 'function' ? Reflect.apply(read, process, []) : process.cpuUsage()
  return typeof use === 'object' && use !== null ? (Number(Reflect.get(use, 'user')) + Number(Reflect.get(use, 'system'))) / 1000 : 0
}

function seconds(nanoseconds: number): number {
  return nanoseconds / 1e9
}

/** @returns what ends the measurement */
export function observeEventLoop(meter: Meter): () => void {
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
  const utilization = meter.createObservableGauge('nodejs.eventloop.utilization', { unit: '1', description: 'The share of time in which the event loop was busy, right also under a CPU profiler.' })
  const time = meter.createObservableCounter('nodejs.eventloop.time', { unit: 's', description: 'How long the event loop was busy and idle.' })
  let before = performance.eventLoopUtilization()
  let ranBefore = threadTime()
  let active = 0
  let idle = 0
  // One look at the histogram for all of its numbers, then it starts anew.
  meter.addBatchObservableCallback(
    (result) => {
      const { count } = delay
      const late = count > 0 ? Math.max(0, seconds(delay.mean) * 1000 - HEALTHY) * count : 0
      if (count > 0) {
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
      const ran = threadTime()
      const since = performance.eventLoopUtilization(now, before)
      const elapsed = since.active + since.idle
      const busy = busyTime({ elapsed, active: since.active, running: ran - ranBefore, late })
      before = now
      ranBefore = ran
      active += busy / 1000
      idle += (elapsed - busy) / 1000
      if (elapsed > 0) result.observe(utilization, busy / elapsed)
      result.observe(time, active, { 'nodejs.eventloop.state': 'active' })
      result.observe(time, idle, { 'nodejs.eventloop.state': 'idle' })
    },
    [...Object.values(gauges), utilization, time],
  )
  return () => delay.disable()
}
