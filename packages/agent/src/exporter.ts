// What was recorded, from the buffers to the server.
import { setTimeout as wait } from 'node:timers/promises'
import type { Bytes, ExceptionRecord, MetricRecord, Milliseconds, Nanoseconds, Resource } from '@andon/model'
import { encodeEvents, encodeExceptions, encodeMetrics, type LogEvent } from '@andon/wire'
import { redactionOf } from './attributes.ts'
import { runOutside } from './context.ts'
import { Buffer } from './export/buffer.ts'
import { type ControlLink, OtlpClient } from './export/client.ts'
import { Flushes } from './export/flushes.ts'
import type { OwnWork } from './export/own-work.ts'
import { Pace } from './export/pace.ts'
import { batchNumber, Sender } from './export/sender.ts'
import { SpanBuffer } from './export/span-buffer.ts'
import { cutting } from './limits.ts'
import { sizeOfAttributes } from './memory.ts'
import { withoutExemplars } from './metrics/exemplars.ts'
import type { AgentMeterProvider } from './metrics/meter.ts'
import type { AgentOptions } from './options.ts'
import { redactText } from './secrets/text.ts'
import type { Unsent } from './shutdown.ts'
import { nowNanoseconds } from './time.ts'

const EXCEPTIONS_PER_BATCH = 256
const EVENTS_PER_BATCH = 100
/** Of a control state, which the server takes up to 64 KiB of. */
const READ_MAX_BYTES = 128 * 1024
const READ_MS: Milliseconds = 5000
/** By which a process has ended that is about to end. */
const GOES_ON_MS: Milliseconds = 1000

/** Of the bound: spans, errors and events, each with what is under way of it. */
const SHARES = { spans: 0.8, exceptions: 0.06, events: 0.04 } as const
/** Spans wait in batches of at most this much, and a batch is under way beside those that wait. */
const SPAN_BATCH_BYTES: Bytes = 512 * 1024

/** What may wait of spans, so that it and a batch under way (at most a quarter of it) are within their share. */
function spanBytes(maxQueueBytes: Bytes): Bytes {
  const share = maxQueueBytes * SHARES.spans
  return Math.max(share * 0.8, share - SPAN_BATCH_BYTES)
}

function sleep(ms: Milliseconds, signal: AbortSignal): Promise<void> {
  // Woken early by the signal, which is no failure.
  return wait(ms, undefined, { ref: false, signal }).catch(() => undefined)
}

export interface ExporterStatus {
  readonly queueBytes: number
  readonly droppedSpans: number
  /** Spans of traces that were decided before their end, for want of memory, and not kept. */
  readonly earlySpans: number
  readonly droppedExceptions: number
  readonly droppedEvents: number
  readonly refused: number
  readonly failures: number
}

interface FlushOptions {
  /** Settle at the first attempt that fails, as a process does that is about to end. */
  readonly giveUp?: boolean
  /** Whether nothing is recorded afterwards: gauges then end, so that nobody takes their last values for today's. */
  readonly isEnd?: boolean
}

export class Exporter {
  readonly #options: AgentOptions
  readonly #resource: Resource
  readonly #meters: AgentMeterProvider
  readonly #client: OtlpClient
  /** Where tracers get their sinks. */
  readonly spans: SpanBuffer
  readonly #exceptions: Buffer<ExceptionRecord>
  readonly #events: Buffer<LogEvent>
  readonly #senders: { readonly spans: Sender; readonly metrics: Sender; readonly exceptions: Sender }
  readonly #timers: NodeJS.Timeout[] = []
  #collectedUntil: Nanoseconds = nowNanoseconds()
  #metricsDue = false
  /** Whether the process is about to end, so that its gauges end with what is sent now. */
  #isEnd = false
  #sequence = 0
  #beforeFlush: () => void = () => undefined
  readonly #flushes: Flushes = new Flushes(() => runOutside(() => this.#drain()))

  constructor(options: AgentOptions, resource: Resource, meters: AgentMeterProvider) {
    this.#options = options
    this.#resource = resource
    this.#meters = meters
    this.#client = new OtlpClient(options)
    this.spans = new SpanBuffer(resource, spanBytes(options.maxQueueBytes), cutting(redactionOf, options.limits.valueLength), () => this.#senders.spans.start())
    this.#exceptions = new Buffer(options.maxQueueBytes * SHARES.exceptions)
    this.#events = new Buffer(options.maxQueueBytes * SHARES.events)
    const sender = (path: string, next: () => { body: Uint8Array; items: number } | undefined): Sender =>
      new Sender({ client: this.#client, path, next, sleep, now: () => performance.now(), sequence: () => (this.#sequence += 1), failed: () => this.#flushes.failed() })
    this.#senders = {
      spans: sender('/v1/traces', () => this.spans.take()),
      metrics: sender('/v1/metrics', () => this.#nextMetrics()),
      exceptions: sender('/v1/logs', () => this.work.timed('others', () => batchOf(this.#exceptions.take(EXCEPTIONS_PER_BATCH), encodeExceptions) ?? batchOf(this.#events.take(EVENTS_PER_BATCH), encodeEvents))),
    }
  }

  /** What sending costs. */
  get work(): OwnWork {
    return this.#client.work
  }

  /** Starts sending in the background; its timers do not keep the host alive. */
  start(): void {
    const { spanIntervalMs, metricIntervalMs } = this.#options
    const pace = new Pace(spanIntervalMs)
    this.#timers.push(
      setInterval(() => {
        const areEvents = this.#exceptions.length > 0 || this.#events.length > 0
        if (!pace.isDue(areEvents || !this.spans.isEmpty)) return
        if (!this.#senders.spans.busy) this.work.timed('spans', () => this.spans.seal())
        if (!this.spans.isEmpty) this.#senders.spans.start()
        if (areEvents) this.#senders.exceptions.start()
      }, pace.tickMs).unref(),
      setInterval(() => {
        // What is still to come, the flush at the end takes along.
        if (!this.#isEnd) this.#sendMetrics()
      }, metricIntervalMs).unref(),
    )
  }

  recordException(exception: ExceptionRecord): void {
    const message = redactText(exception.message)
    const stack = redactText(exception.stack)
    this.#exceptions.push({ ...exception, message, stack }, 1000 + (message.length + stack.length) * 2 + sizeOfAttributes(exception.attributes))
  }

  /** An event of the agent, which goes the way of errors. */
  recordEvent(event: LogEvent): void {
    this.#events.push(event, 500 + sizeOfAttributes(event.attributes))
  }

  /** Connects what goes between agent and server beside telemetry. @param beforeFlush - records what it still holds back */
  connect({ control, beforeFlush }: { readonly control: ControlLink; readonly beforeFlush: () => void }): void {
    this.#client.control = control
    this.#beforeFlush = beforeFlush
  }

  /** The text of a path of the server's; undefined where it is not to be had within 5 seconds and 128 KiB. Never rejects. */
  async read(path: string): Promise<string | undefined> {
    return await this.#client.read(path, READ_MAX_BYTES, READ_MS)
  }

  /** While a batch is unanswered no new one is made: its increments go on adding up, so an outage costs resolution only. */
  #sendMetrics(): void {
    if (this.#senders.metrics.busy) return
    this.#metricsDue = true
    this.#senders.metrics.start()
  }

  #nextMetrics(): { body: Uint8Array; items: number } | undefined {
    if (!this.#metricsDue) return undefined
    this.#metricsDue = false
    const now = nowNanoseconds()
    return this.work.timed('others', () => {
      const metrics: readonly MetricRecord[] = this.#meters.collect(this.#resource, { start: this.#collectedUntil, time: now, isEnd: this.#isEnd })
      this.#collectedUntil = now
      return batchOf(this.#options.exemplars ? metrics : metrics.map(withoutExemplars), encodeMetrics)
    })
  }

  async #drain(): Promise<void> {
    const { spans, metrics, exceptions } = this.#senders
    // What is under way first: a second drain collects what came meanwhile.
    await metrics.drain()
    this.#metricsDue = true
    this.spans.seal()
    await Promise.all([spans.drain(), metrics.drain(), exceptions.drain()])
  }

  /**
   * Settles when what was recorded before has been taken or refused, or when the time is over. It keeps the process until
   * then, else an awaited flush would end a program before its time.
   */
  async flush(withinMs: Milliseconds, { giveUp = false, isEnd = false }: FlushOptions = {}): Promise<void> {
    if (isEnd) this.#isEnd = true
    this.#beforeFlush()
    // While another flush waits for a server that does not answer, those of the other signals may.
    if (this.#flushes.waiting > 0) {
      this.#sendMetrics()
      // While a batch of spans is under way the next one grows, as between flushes.
      if (!this.#senders.spans.busy) this.spans.seal()
      for (const sender of Object.values(this.#senders)) sender.hurry()
    }
    await this.#flushes.wait(withinMs, giveUp)
  }

  /** A flush at the end is done: a process that still runs a while later goes on, and its gauges with it. */
  goOn(): void {
    this.#timers.push(setTimeout(() => (this.#isEnd = false), Math.max(GOES_ON_MS, this.#options.metricIntervalMs)).unref())
  }

  /** Changes with each span and error that is recorded. */
  get recorded(): number {
    return this.spans.written + this.#exceptions.length
  }

  status(): ExporterStatus {
    const senders = Object.values(this.#senders)
    return {
      queueBytes: this.spans.bytes + this.#exceptions.bytes + this.#events.bytes + senders.reduce((sum, { unanswered }) => sum + (unanswered?.body.length ?? 0), 0),
      droppedSpans: this.spans.dropped,
      earlySpans: this.spans.waiting.givenUp,
      droppedExceptions: this.#exceptions.dropped,
      droppedEvents: this.#events.dropped,
      refused: senders.reduce((sum, { refused }) => sum + refused, 0),
      failures: senders.reduce((sum, { failures }) => sum + failures, 0),
    }
  }

  /**
   * Takes out what was recorded and not answered, for a process that ends at once: of each signal the batch under way, under
   * its number, and one more.
   */
  takeUnsent(): Unsent[] {
    this.spans.seal()
    this.#metricsDue = true
    this.#isEnd = true
    const { spans, metrics, exceptions } = this.#senders
    const batches = [
      { path: '/v1/metrics', sender: metrics, made: this.#nextMetrics() },
      { path: '/v1/logs', sender: exceptions, made: batchOf(this.#exceptions.take(EXCEPTIONS_PER_BATCH), encodeExceptions) },
      { path: '/v1/traces', sender: spans, made: this.spans.take() },
    ]
    return batches.flatMap(({ path, sender, made }) => [
      ...(sender.unanswered === undefined ? [] : [{ path, ...sender.unanswered }]),
      ...(made === undefined ? [] : [{ path, batch: batchNumber((this.#sequence += 1)), body: made.body }]),
    ])
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer)
    for (const sender of Object.values(this.#senders)) sender.stop()
    this.#client.close()
  }
}

function batchOf<T>(items: readonly T[], encode: (items: readonly T[]) => Uint8Array): { body: Uint8Array; items: number } | undefined {
  // A copy: the encoder's buffer is larger than what it holds.
  return items.length === 0 ? undefined : { body: encode(items).slice(), items: items.length }
}
