// The runtime and the machine, by the names of the semantic conventions.
import { isMainThread } from 'node:worker_threads'
import type { Meter } from '@opentelemetry/api'
import type { Milliseconds } from '@andon/model'
import { observeContainer } from './runtime/container.ts'
import { observeDevices } from './runtime/devices.ts'
import { observeEventLoop } from './runtime/event-loop.ts'
import { observeGarbageCollection, observeHeap } from './runtime/heap.ts'
import { observeProcess } from './runtime/process.ts'
import { observeStalls, type Stall } from './runtime/stall.ts'
import { observeSystem } from './runtime/system.ts'
import { observeThreads } from './runtime/threads.ts'

/**
 * Starts the measurement of the event loop, GC, heap, process and machine. Files of the kernel are read once after each
 * collection, in the background: a collection tells what the one before it had read.
 *
 * @param stallMs - from which length on a block of the event loop is a stall
 * @param stalled - told of each stall, after its end
 * @returns what ends it
 */
export function startRuntimeMetrics(meter: Meter, stallMs: Milliseconds, stalled?: (stall: Stall) => void): () => void {
  const ends = [observeEventLoop(meter), observeGarbageCollection(meter), observeStalls(meter, stallMs, stalled)]
  observeHeap(meter)
  const end = (): void => ends.forEach((each) => each())
  // The main thread tells of the process and the machine, once.
  if (!isMainThread) return end
  const looks = [observeProcess(meter), observeThreads(meter), observeSystem(meter), observeDevices(meter), observeContainer(meter)]
  const look = (): void => looks.forEach((each) => void each())
  // Behind all others: batch callbacks are asked in their order.
  meter.addBatchObservableCallback(look, [])
  look()
  return end
}
