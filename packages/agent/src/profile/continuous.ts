// The continuous profile: a window on the samplers that stays open, sent piece by piece.
import { diag } from '@opentelemetry/api'
import type { Bytes, Milliseconds, Ratio, Resource } from '@andon/model'
import type { WantedProfile } from '../control.ts'
import type { AgentOptions } from '../options.ts'
import { nowNanoseconds } from '../time.ts'
import { ALLOCATION_INTERVAL, ALLOCATION_VALUES } from './allocation.ts'
import { HEAP_INTERVAL, HEAP_VALUES } from './heap.ts'
import { SAMPLERS } from './profiler.ts'
import { ProfileUploads } from './uploads.ts'
import { Window } from './window.ts'

/** What ran at the start of a program says little of its work, and would be profiled at each start. */
const BOOT_MS: Milliseconds = 10_000
/** What one upload holds. */
const WINDOW_MS: Milliseconds = 60_000
/** The longest time a timer of Node can wait. */
const TIMER_MAX = 2 ** 31 - 1
/** Below it each upload would hold the thread for more than a tenth of a second. */
const RATE_MIN = 20

interface Wish {
  readonly rate: number
  readonly kinds: WantedProfile['kinds']
}

const NOTHING: Wish = { rate: 1, kinds: [] }

export class ContinuousProfile {
  #own: Wish
  /** What holds now, before the limit. */
  #wish = NOTHING
  #factor: Ratio = 1
  #isStarted = false
  #uploadMs: Milliseconds = 0
  readonly #uploads: ProfileUploads
  readonly #boot: Milliseconds
  #window: Window | undefined
  #heap = false
  #allocation = false
  #samplesDropped = 0
  #timers: NodeJS.Timeout[] = []
  #end: NodeJS.Timeout | undefined

  /** @param bootMs - how long the start of the program is left out */
  constructor(options: AgentOptions, resource: Resource, bootMs: Milliseconds = BOOT_MS) {
    const { rate, enabled } = options.profile
    const { traces, metrics, logs } = options.signals
    // Where nothing else is sent, the server is not wanted.
    const isSending = [traces, metrics, logs].some(({ url }) => url !== undefined)
    this.#own = { rate, kinds: enabled && isSending ? ['cpu', 'heap'] : [] }
    this.#boot = bootMs
    this.#uploads = new ProfileUploads(options, resource, () => this.#giveUp())
  }

  /** Profiles and samples that gave way because the queue or a window was full, or that the server refused. */
  get dropped(): number {
    return this.#uploads.dropped + this.#samplesDropped + (this.#window?.dropped ?? 0)
  }

  /** CPU samples a second that are wanted now, before the limit. */
  get wantedRate(): number {
    return this.#wish.kinds.includes('cpu') ? this.#wish.rate : 0
  }

  /** CPU samples a second that are taken for it now; 0: none. */
  get rate(): number {
    return this.#window === undefined ? 0 : 1000 / this.#window.intervalMs
  }

  /** Processor time of the last upload, as a share of the time between two. */
  get uploadShare(): Ratio {
    return this.#uploadMs / WINDOW_MS
  }

  /** What waits to be sent. */
  get queueBytes(): Bytes {
    return this.#uploads.bytes
  }

  /** How much of what is wanted is left, whoever wants it: the rate times so much, at 0 nothing at all. */
  limit(factor: Ratio): void {
    this.#factor = factor
    if (this.#isStarted) this.#apply()
  }

  /** The server takes no profiles: nothing is sampled for it unless it wishes so. */
  #giveUp(): void {
    if (this.#own.kinds.length === 0) return
    diag.warn('andon: the continuous profile is off: the server takes no profiles')
    this.#own = NOTHING
    if (this.#end === undefined) this.#set(NOTHING)
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
    this.#uploads.start()
  }

  #set(wish: Wish): void {
    this.#wish = wish
    this.#isStarted = true
    this.#apply()
  }

  /** Brings the samplers to what is wished, as far as the limit lets it. */
  #apply(): void {
    const { cpu } = SAMPLERS
    const kinds = this.#factor > 0 ? this.#wish.kinds : []
    const rate = Math.min(this.#wish.rate, Math.max(RATE_MIN, this.#wish.rate * this.#factor))
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
    if (record.samples.length > 0) this.#uploads.push(record)
  }

  /** Takes what was sampled and sends it in the background. */
  #send(): void {
    const before = threadTime()
    if (this.#window !== undefined) {
      SAMPLERS.cpu.cut()
      this.#push(this.#window)
    }
    if (this.#heap) this.#pushHeap()
    if (this.#allocation) this.#pushAllocation()
    this.#uploadMs = threadTime() - before
    this.#uploads.start()
  }

  #pushHeap(): void {
    const samples = SAMPLERS.heap.snapshot().map(({ stack, objects, bytes }) => ({ stack, values: [objects, bytes], time: 0n, labels: {} }))
    if (samples.length > 0) this.#uploads.push({ valueTypes: HEAP_VALUES, start: nowNanoseconds(), duration: 0n, period: HEAP_INTERVAL, periodType: { type: 'space', unit: 'bytes' }, samples })
  }

  #pushAllocation(): void {
    const { start, duration, samples } = SAMPLERS.allocation.take()
    if (samples.length > 0) this.#uploads.push({ valueTypes: ALLOCATION_VALUES, start, duration, period: ALLOCATION_INTERVAL, periodType: { type: 'space', unit: 'bytes' }, samples })
  }

  /**
   * Settles when what was sampled before has been taken or refused, or when the time is over.
   *
   * @param giveUp - settle at the first attempt that fails
   */
  async flush(withinMs: Milliseconds, giveUp = false): Promise<void> {
    this.#send()
    await this.#uploads.flush(withinMs, giveUp)
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer)
    clearTimeout(this.#end)
    this.#set(NOTHING)
    this.#uploads.close()
  }
}

/** Processor time of this thread; of the whole process before Node 24, where nothing else is known. By the clock it would include a wait. */
function threadTime(): Milliseconds {
  const read: unknown = Reflect.get(process, 'threadCpuUsage')
  const use: unknown = typeof read === 'function' ? Reflect.apply(read, process, []) : process.cpuUsage()
  return typeof use === 'object' && use !== null ? (Number(Reflect.get(use, 'user')) + Number(Reflect.get(use, 'system'))) / 1000 : 0
}
