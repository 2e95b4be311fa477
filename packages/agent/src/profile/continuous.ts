// The continuous profile: a window on the samplers that stays open, sent piece by piece.
import { setTimeout as wait } from 'node:timers/promises'
import type { Milliseconds, Nanoseconds, ProfileRecord, ProfileSample, Resource } from '@andon/model'
import { encodePprof } from '@andon/wire'
import { Buffer } from '../export/buffer.ts'
import { OtlpClient } from '../export/client.ts'
import { Sender } from '../export/sender.ts'
import type { WantedProfile } from '../control.ts'
import type { AgentOptions } from '../options.ts'
import { nowNanoseconds } from '../time.ts'
import { ALLOCATION_INTERVAL, ALLOCATION_VALUES } from './allocation.ts'
import { CPU_VALUES, type CpuListener } from './cpu.ts'
import { HEAP_INTERVAL, HEAP_VALUES } from './heap.ts'
import { SAMPLERS } from './profiler.ts'

/** What ran at the start of a program says little of its work, and would be profiled at each start. */
const BOOT_MS: Milliseconds = 10_000
/** What one upload holds. */
const WINDOW_MS: Milliseconds = 60_000
const SAMPLES_MAX = 100_000
/** Uploads that wait, of both kinds. */
const QUEUE_BYTES = 4 * 1024 * 1024
const PATH = '/api/profiles'
/** The longest time a timer of Node can wait. */
const TIMER_MAX = 2 ** 31 - 1

/** Samples of the CPU until they are sent. */
class Window implements CpuListener {
  readonly intervalMs: Milliseconds
  #samples: ProfileSample[] = []
  #start: Nanoseconds = nowNanoseconds()
  dropped = 0

  constructor(rate: number) {
    this.intervalMs = 1000 / rate
  }

  take({ samples }: { readonly samples: readonly ProfileSample[] }): void {
    const room = SAMPLES_MAX - this.#samples.length
    for (const sample of samples.slice(0, room)) this.#samples.push(sample)
    this.dropped += Math.max(0, samples.length - room)
  }

  /** What came since the last call, as one profile. */
  empty(): ProfileRecord {
    const end = nowNanoseconds()
    const record = { valueTypes: CPU_VALUES, start: this.#start, duration: end - this.#start, period: Math.round(this.intervalMs * 1e6), periodType: { type: 'wall', unit: 'nanoseconds' }, samples: this.#samples }
    this.#samples = []
    this.#start = end
    return record
  }
}

interface Wish {
  readonly rate: number
  readonly kinds: WantedProfile['kinds']
}

export class ContinuousProfile {
  readonly #own: Wish
  readonly #sender: Sender
  readonly #client: OtlpClient
  readonly #queue = new Buffer<Uint8Array>(QUEUE_BYTES)
  readonly #boot: Milliseconds
  #sequence = 0
  #window: Window | undefined
  #heap = false
  #allocation = false
  #samplesDropped = 0
  #timers: NodeJS.Timeout[] = []
  #end: NodeJS.Timeout | undefined
  #waitingForFailure: (() => void)[] = []

  /** @param bootMs - how long the start of the program is left out */
  constructor(options: AgentOptions, resource: Resource, bootMs: Milliseconds = BOOT_MS) {
    const { enabled, rate } = options.profile
    this.#own = { rate, kinds: enabled ? ['cpu', 'heap'] : [] }
    this.#boot = bootMs
    const url = options.endpoint + pathOf(resource)
    const target = { url, headers: options.headers, timeoutMs: options.timeoutMs }
    this.#client = new OtlpClient({ signals: { traces: target, metrics: target, logs: target } })
    this.#sender = new Sender({
      client: this.#client,
      path: PATH,
      next: () => {
        const [body] = this.#queue.take(1)
        return body === undefined ? undefined : { body, items: 1 }
      },
      sleep: (ms, signal) => wait(ms, undefined, { ref: false, signal }).catch(() => undefined),
      sequence: () => (this.#sequence += 1),
      failed: () => {
        for (const resolve of this.#waitingForFailure.splice(0)) resolve()
      },
    })
  }

  /** Profiles and samples that gave way because the queue or a window was full, or that the server refused. */
  get dropped(): number {
    return this.#queue.dropped + this.#samplesDropped + (this.#window?.dropped ?? 0) + this.#sender.refused
  }

  /** Starts after the boot, if the options say so. Its timers do not keep the host alive. */
  start(): void {
    this.#timers.push(
      setTimeout(() => {
        // The server may have wished something meanwhile.
        if (this.#end === undefined) this.#set(this.#own)
      }, this.#boot).unref(),
      setInterval(() => this.#send(), WINDOW_MS).unref(),
    )
  }

  /** Does what the server wishes for a while, then what the options say; what was sampled is sent at the end. Without a wish the options hold at once. */
  want(wanted: WantedProfile | undefined): void {
    const isLeft = this.#end === undefined && wanted === undefined
    clearTimeout(this.#end)
    this.#end = undefined
    if (isLeft) return
    if (wanted === undefined || wanted.forMs <= 0) {
      this.#return()
      return
    }
    this.#set(this.#with(wanted))
    this.#end = setTimeout(() => {
      this.#end = undefined
      this.#return()
    }, Math.min(wanted.forMs, TIMER_MAX)).unref()
  }

  /** What is wished beside what the options say, which goes on. */
  #with({ rate, kinds }: Wish): Wish {
    const own = this.#own
    return { rate: kinds.includes('cpu') ? rate : own.rate, kinds: [...new Set([...own.kinds, ...kinds])] }
  }

  #return(): void {
    // Whoever wished it waits for it.
    this.#send()
    this.#set(this.#own)
    this.#startSending()
  }

  #set({ rate, kinds }: Wish): void {
    const { cpu } = SAMPLERS
    const intervalMs = kinds.includes('cpu') ? 1000 / rate : undefined
    if (this.#window !== undefined && this.#window.intervalMs !== intervalMs) {
      cpu.close(this.#window)
      this.#push(this.#window)
      this.#samplesDropped += this.#window.dropped
      this.#window = undefined
    }
    if (intervalMs !== undefined && this.#window === undefined) {
      this.#window = new Window(rate)
      cpu.open(this.#window)
    }
    this.#setAllocation(kinds.includes('allocation'))
    this.#setHeap(kinds.includes('heap'))
  }

  #setAllocation(wanted: boolean): void {
    if (wanted === this.#allocation) return
    this.#allocation = wanted
    if (wanted) {
      SAMPLERS.allocation.start()
    } else {
      this.#pushAllocation()
      SAMPLERS.allocation.stop()
    }
  }

  #setHeap(wanted: boolean): void {
    const { heap } = SAMPLERS
    if (wanted === this.#heap) return
    this.#heap = wanted
    if (wanted) {
      heap.acquire()
    } else {
      this.#pushHeap()
      heap.release()
    }
  }

  #push(window: Window): void {
    const record = window.empty()
    // An idle process has nothing to tell.
    if (record.samples.length > 0) this.#queueUp(record)
  }

  #queueUp(record: ProfileRecord): void {
    // A copy: the encoder's buffer is larger than what it holds.
    const body = encodePprof(record).slice()
    this.#queue.push(body, body.length)
  }

  /** Takes what was sampled and sends it in the background. */
  #send(): void {
    if (this.#window !== undefined) {
      SAMPLERS.cpu.cut()
      this.#push(this.#window)
    }
    if (this.#heap) this.#pushHeap()
    if (this.#allocation) this.#pushAllocation()
    this.#startSending()
  }

  #startSending(): void {
    if (this.#queue.length > 0) this.#sender.start()
  }

  #pushHeap(): void {
    const samples = SAMPLERS.heap.snapshot().map(({ stack, objects, bytes }) => ({ stack, values: [objects, bytes], time: 0n, labels: {} }))
    if (samples.length > 0) this.#queueUp({ valueTypes: HEAP_VALUES, start: nowNanoseconds(), duration: 0n, period: HEAP_INTERVAL, periodType: { type: 'space', unit: 'bytes' }, samples })
  }

  #pushAllocation(): void {
    const { start, duration, samples } = SAMPLERS.allocation.take()
    if (samples.length > 0) this.#queueUp({ valueTypes: ALLOCATION_VALUES, start, duration, period: ALLOCATION_INTERVAL, periodType: { type: 'space', unit: 'bytes' }, samples })
  }

  /**
   * Settles when what was sampled before has been taken or refused, or when the time is over.
   *
   * @param giveUp - settle at the first attempt that fails
   */
  async flush(withinMs: Milliseconds, giveUp = false): Promise<void> {
    this.#send()
    if (this.#queue.length === 0 && !this.#sender.busy) return
    const ended = new AbortController()
    const deadline = wait(withinMs, undefined, { signal: ended.signal }).catch(() => undefined)
    const failure = giveUp ? [new Promise<void>((resolve) => this.#waitingForFailure.push(resolve))] : []
    await Promise.race([this.#sender.drain(), deadline, ...failure])
    ended.abort()
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer)
    clearTimeout(this.#end)
    this.#set({ rate: 1, kinds: [] })
    this.#sender.stop()
    this.#client.close()
  }
}

/** Where profiles go, and whose they are: pprof itself has no place for it. */
function pathOf({ attributes }: Resource): string {
  const text = (key: string): string => (typeof attributes[key] === 'string' ? attributes[key] : '')
  const query = new URLSearchParams()
  for (const [name, key] of Object.entries({ service: 'service.name', instance: 'service.instance.id', version: 'service.version', env: 'deployment.environment.name' })) {
    if (text(key) !== '') query.set(name, text(key))
  }
  return `${PATH}?${query.toString()}`
}
