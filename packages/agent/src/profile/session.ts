// One profiling session: a window on the samplers from its start to its stop.
import { gzipSync } from 'node:zlib'
import type { Bytes, Milliseconds, Nanoseconds, ProfileFrame, ProfileRecord, ProfileSample } from '@andon/model'
import { encodePprof } from '@andon/wire'
import { nowNanoseconds } from '../time.ts'
import { CPU_VALUES, type CpuListener, type CpuPiece, type CpuSampler } from './cpu.ts'
import { type CpuProfile, toCpuProfile } from './cpu-profile.ts'
import { HEAP_INTERVAL, HEAP_VALUES, type HeapSampler, type HeapStack } from './heap.ts'

export type SessionType = 'cpu' | 'memory'

export interface SessionOptions {
  readonly type: SessionType
  /** Between two samples of the CPU, milliseconds from 1 to 1,000; 10 by default. A shorter one of another session holds for both. */
  readonly interval?: Milliseconds
}

/** One sample as the asked-for interface shows it. */
export interface SessionSample {
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number
  /** CPU time of this stack, milliseconds; 0 in a session of memory. */
  readonly cpuUsage: Milliseconds
  /** In a session of CPU the heap in use about that time; in one of memory what this stack has allocated during it and still holds. */
  readonly memoryUsage: Bytes
  /** Lines of `at function (file:line)`, the running function first. */
  readonly stackTrace: string
}

/** A function with its share of a profile. */
export interface TopEntry extends ProfileFrame {
  /** Nanoseconds of wall time, or bytes: while it ran itself. */
  readonly self: number
  /** The same with all that it called. */
  readonly total: number
  /** `self` in relation to the whole profile, 0..1. */
  readonly share: number
}

/** Samples of one session at most; what comes after them is counted only. */
const SAMPLES_MAX = 100_000
/** How often the heap in use is read during a session of CPU. */
const HEAP_READ_MS: Milliseconds = 250
const HEAP_READS_MAX = 20_000

/** What a session has found. */
export class ProfileResult {
  readonly sessionId: string
  readonly type: SessionType
  /** Milliseconds from start to stop. */
  readonly duration: Milliseconds
  readonly samples: readonly SessionSample[]
  /** Samples that were left out because the session held too many. */
  readonly dropped: number
  readonly #record: ProfileRecord

  constructor(sessionId: string, type: SessionType, record: ProfileRecord, samples: readonly SessionSample[], dropped: number) {
    this.sessionId = sessionId
    this.type = type
    this.duration = Number(record.duration) / 1e6
    this.samples = samples
    this.dropped = dropped
    this.#record = record
  }

  /** The profile as gzipped pprof, for `go tool pprof`, speedscope and Andon itself. */
  toPprof(): Uint8Array {
    return gzipSync(encodePprof(this.#record))
  }

  /** The profile as Chrome's .cpuprofile; in a session of memory each stack counts as one sample. */
  toCpuProfile(): CpuProfile {
    return toCpuProfile(this.#record)
  }

  /** The functions that took most by themselves, at most `count`. */
  top(count = 20): TopEntry[] {
    const entries = new Map<string, { frame: ProfileFrame; self: number; total: number }>()
    let whole = 0
    for (const { stack, values } of this.#record.samples) {
      // Of the CPU sampler the wall time, of the heap the bytes.
      const value = values[1] ?? 0
      whole += value
      const met = new Set<string>()
      stack.forEach((frame, depth) => {
        const key = `${frame.name}\n${frame.file}\n${frame.line}`
        const entry = entries.get(key) ?? { frame, self: 0, total: 0 }
        entries.set(key, entry)
        if (depth === 0) entry.self += value
        // A function that calls itself counts once.
        if (!met.has(key)) entry.total += value
        met.add(key)
      })
    }
    const sorted = [...entries.values()].toSorted((a, b) => b.self - a.self || b.total - a.total)
    return sorted.slice(0, count).map(({ frame, self, total }) => ({ ...frame, self, total, share: whole === 0 ? 0 : self / whole }))
  }
}

function stackTrace(stack: readonly ProfileFrame[]): string {
  return stack.map(({ name, file, line }) => `at ${name}${file === '' ? '' : ` (${file}:${line})`}`).join('\n')
}

/** A running session; `finish` ends it. */
export class ProfileSession implements CpuListener {
  readonly sessionId: string
  readonly type: SessionType
  readonly intervalMs: Milliseconds
  readonly #cpu: CpuSampler
  readonly #heap: HeapSampler
  readonly #start: Nanoseconds = nowNanoseconds()
  readonly #samples: ProfileSample[] = []
  readonly #heapReads: { readonly time: Nanoseconds; readonly bytes: Bytes }[] = []
  readonly #before: readonly HeapStack[] = []
  readonly #timer: NodeJS.Timeout | undefined
  #dropped = 0

  constructor(sessionId: string, type: SessionType, intervalMs: Milliseconds, samplers: { readonly cpu: CpuSampler; readonly heap: HeapSampler }) {
    this.sessionId = sessionId
    this.type = type
    this.intervalMs = intervalMs
    this.#cpu = samplers.cpu
    this.#heap = samplers.heap
    if (type === 'memory') {
      this.#heap.acquire()
      this.#before = this.#heap.snapshot()
      return
    }
    this.#readHeap()
    this.#timer = setInterval(() => this.#readHeap(), HEAP_READ_MS).unref()
    this.#cpu.open(this)
  }

  take({ samples }: CpuPiece): void {
    const room = Math.max(0, SAMPLES_MAX - this.#samples.length)
    for (const sample of samples.slice(0, room)) this.#samples.push(sample)
    this.#dropped += Math.max(0, samples.length - room)
  }

  /** Ends the window. Call it once. */
  finish(): ProfileResult {
    if (this.type === 'memory') return this.#finishMemory()
    this.#cpu.close(this)
    clearInterval(this.#timer)
    this.#readHeap()
    const end = nowNanoseconds()
    const samples = this.#samples.map(({ time, values, stack }) => ({
      timestamp: Number((time === 0n ? end : time) / 1000n) / 1000,
      cpuUsage: (values[2] ?? 0) / 1e6,
      memoryUsage: this.#heapAt(time),
      stackTrace: stackTrace(stack),
    }))
    const period = { period: this.intervalMs * 1e6, periodType: { type: 'wall', unit: 'nanoseconds' } }
    return this.#result({ valueTypes: CPU_VALUES, samples: this.#samples, ...period }, samples, end)
  }

  #finishMemory(): ProfileResult {
    const after = this.#heap.snapshot()
    this.#heap.release()
    const end = nowNanoseconds()
    const grown = difference(this.#before, after)
    const samples = grown.map(({ stack, bytes }) => ({ timestamp: Number(end / 1000n) / 1000, cpuUsage: 0, memoryUsage: bytes, stackTrace: stackTrace(stack) }))
    const records = grown.map(({ stack, objects, bytes }) => ({ stack, values: [objects, bytes], time: 0n, labels: {} }))
    return this.#result({ valueTypes: HEAP_VALUES, samples: records, period: HEAP_INTERVAL, periodType: { type: 'space', unit: 'bytes' } }, samples, end)
  }

  #result(record: Omit<ProfileRecord, 'start' | 'duration'>, samples: readonly SessionSample[], end: Nanoseconds): ProfileResult {
    return new ProfileResult(this.sessionId, this.type, { ...record, start: this.#start, duration: end - this.#start }, samples, this.#dropped)
  }

  #readHeap(): void {
    if (this.#heapReads.length < HEAP_READS_MAX) this.#heapReads.push({ time: nowNanoseconds(), bytes: process.memoryUsage().heapUsed })
  }

  /** The last reading before a time. */
  #heapAt(time: Nanoseconds): Bytes {
    const later = this.#heapReads.findIndex((read) => read.time > time)
    return this.#heapReads.at(later === -1 ? -1 : Math.max(0, later - 1))?.bytes ?? 0
  }
}

/** What each stack holds more than before. */
function difference(before: readonly HeapStack[], after: readonly HeapStack[]): HeapStack[] {
  const known = new Map<string, { objects: number; bytes: Bytes }>()
  for (const { stack, objects, bytes } of before) {
    const sum = known.get(stackTrace(stack)) ?? { objects: 0, bytes: 0 }
    known.set(stackTrace(stack), { objects: sum.objects + objects, bytes: sum.bytes + bytes })
  }
  const sums = new Map<string, { stack: readonly ProfileFrame[]; objects: number; bytes: Bytes }>()
  for (const { stack, objects, bytes } of after) {
    const key = stackTrace(stack)
    const sum = sums.get(key) ?? { stack, objects: 0, bytes: 0 }
    sums.set(key, { stack, objects: sum.objects + objects, bytes: sum.bytes + bytes })
  }
  return [...sums].flatMap(([key, { stack, objects, bytes }]) => {
    const old = known.get(key) ?? { objects: 0, bytes: 0 }
    return bytes > old.bytes ? [{ stack, objects: Math.max(0, objects - old.objects), bytes: bytes - old.bytes }] : []
  })
}
