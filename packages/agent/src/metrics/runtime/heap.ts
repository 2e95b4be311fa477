// V8's heap and its garbage collections.
import { constants, PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8'
import type { Meter } from '@opentelemetry/api'

const KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
}

/** @returns what ends the measurement */
export function observeGarbageCollection(meter: Meter): () => void {
  const duration = meter.createHistogram('v8js.gc.duration', { unit: 's', description: 'How long garbage collections took, by kind.' })
  const floor = meter.createObservableGauge('andon.heap.floor', { unit: 'By', description: 'Heap that was still used after a major garbage collection: what rises here is a leak.' })
  let least: number | undefined
  floor.addCallback((result) => {
    if (least !== undefined) result.observe(least)
    least = undefined
  })
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const detail: unknown = Reflect.get(entry, 'detail')
      const kind = KINDS[Number(typeof detail === 'object' && detail !== null ? Reflect.get(detail, 'kind') : 0)] ?? 'other'
      duration.record(entry.duration / 1000, { 'v8js.gc.type': kind })
      if (kind !== 'major') continue
      const { used_heap_size: used } = getHeapStatistics()
      least = Math.min(least ?? used, used)
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => observer.disconnect()
}

export function observeHeap(meter: Meter): void {
  const bytes = (name: string, description: string): ReturnType<Meter['createObservableUpDownCounter']> => meter.createObservableUpDownCounter(name, { unit: 'By', description })
  const used = bytes('v8js.memory.heap.used', 'Heap that is used, by space.')
  const size = bytes('v8js.memory.heap.space.size', 'Heap that is set aside, by space.')
  const available = bytes('v8js.memory.heap.space.available_size', 'Heap that can be used without setting aside more, by space.')
  const physical = bytes('v8js.memory.heap.space.physical_size', 'Heap that is held in memory, by space.')
  const limit = bytes('v8js.memory.heap.limit', 'Heap that there can be at most, before V8 ends the process.')
  const external = bytes('andon.memory.external', 'Memory outside of the heap that objects of the heap hold, by kind.')
  meter.addBatchObservableCallback(
    (result) => {
      for (const space of getHeapSpaceStatistics()) {
        const attributes = { 'v8js.heap.space.name': space.space_name }
        result.observe(used, space.space_used_size, attributes)
        result.observe(size, space.space_size, attributes)
        result.observe(available, space.space_available_size, attributes)
        result.observe(physical, space.physical_space_size, attributes)
      }
      const { heap_size_limit: most } = getHeapStatistics()
      result.observe(limit, most)
      const memory = process.memoryUsage()
      result.observe(external, memory.arrayBuffers, { 'andon.memory.kind': 'array_buffers' })
      result.observe(external, memory.external - memory.arrayBuffers, { 'andon.memory.kind': 'other' })
    },
    [used, size, available, physical, limit, external],
  )
}
