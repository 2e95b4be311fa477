// Spans that wait to be sent, as the bytes that will be sent: no object outlives its end.
import type { Bytes, Resource, Scope } from '@andon/model'
import { encodeSpanRequest, type Redaction, type SpanSource, SpanWriter } from '@andon/wire'
import { runOutside } from '../context.ts'
import type { SpanSink } from '../local-trace.ts'
import { epochOfClock } from '../time.ts'
import { WaitingTraces } from '../waiting-traces.ts'
import { textOf, wrongUse } from '../wrong-use.ts'

/** Large batches cost the host least; they are sent every second all the same. */
const BATCH: Bytes = 512 * 1024

/** A request to /v1/traces. */
export interface SpanBatch {
  readonly body: Uint8Array
  readonly items: number
}

/** What a batch holds in memory: of a small one the encoder's buffer is most. */
function sizeOf(body: Uint8Array): Bytes {
  return body.buffer.byteLength
}

/** The open batch of one scope. */
class ScopeSpans implements SpanSink {
  readonly scope: Scope
  readonly writer: SpanWriter
  readonly #buffer: SpanBuffer

  constructor(scope: Scope, buffer: SpanBuffer, redaction: Redaction) {
    this.scope = scope
    this.writer = new SpanWriter(redaction)
    this.#buffer = buffer
  }

  write(span: SpanSource): void {
    const { writer } = this
    const before = writer.length
    if (before === 0) writer.setEpoch(epochOfClock())
    try {
      writer.write(span)
    } catch (error) {
      // An attribute whose own code throws, or that holds itself.
      writer.cut(before)
      this.#buffer.dropped += 1
      wrongUse(`a span could not be encoded: ${textOf(error instanceof Error ? error.message : error, 'what was thrown')}`)
      return
    }
    this.#buffer.grown(writer.length - before)
  }

  lose(): void {
    this.#buffer.dropped += 1
  }
}

/** Of the bound: spans that wait for the decision on their trace. */
const WAITING_SHARE = 0.25

/** Bounded by bytes, with the spans that wait for the decision on their trace: past it the oldest batch gives way, and its spans are counted. */
export class SpanBuffer {
  readonly #resource: Resource
  readonly #maxBytes: Bytes
  readonly #batchBytes: Bytes
  readonly #redaction: Redaction
  readonly #full: () => void
  readonly #scopes: ScopeSpans[] = []
  readonly #sealed: SpanBatch[] = []
  #open: Bytes = 0
  #sealedBytes: Bytes = 0
  #sealedItems = 0
  /** Traces that are still undecided. What they hold is taken off what batches may. */
  readonly waiting: WaitingTraces
  /** Spans that gave way. */
  dropped = 0

  /** @param full - told when a batch is full and should be sent */
  constructor(resource: Resource, maxBytes: Bytes, redaction: Redaction, full: () => void) {
    this.#resource = resource
    this.#maxBytes = maxBytes
    this.#batchBytes = Math.min(BATCH, maxBytes / 4)
    this.#redaction = redaction
    this.#full = full
    this.waiting = new WaitingTraces(maxBytes * WAITING_SHARE, () => this.#giveWay())
  }

  sinkOf(scope: Scope): SpanSink {
    const sink = new ScopeSpans(scope, this, this.#redaction)
    this.#scopes.push(sink)
    return sink
  }

  get bytes(): Bytes {
    return this.#open + this.#sealedBytes + this.waiting.bytes
  }

  /** Whether nothing can be sent. */
  get isEmpty(): boolean {
    return this.#open + this.#sealedBytes === 0
  }

  /** Spans that were written, since the start. */
  get written(): number {
    return this.#scopes.reduce((sum, { writer }) => sum + writer.count, this.#sealedItems)
  }

  /** Called by a scope that has written. */
  grown(bytes: Bytes): void {
    this.#open += bytes
    if (this.#open < this.#batchBytes) return
    // The request whose span was the last that fitted has no part in it.
    runOutside(() => {
      this.seal()
      this.#full()
    })
  }

  /**
   * Makes a batch of what is open. Only at intervals and at a flush: while one batch is under way the next must be let
   * grow, else a busy service sends a few spans at a time, without pause.
   */
  seal(): void {
    let items = 0
    const parts: (readonly [Scope, Uint8Array])[] = []
    for (const { scope, writer } of this.#scopes) {
      if (writer.count === 0) continue
      items += writer.count
      parts.push([scope, writer.take()])
    }
    this.#open = 0
    if (items === 0) return
    this.#sealedItems += items
    const body = encodeSpanRequest(this.#resource, parts)
    this.#sealed.push({ body, items })
    this.#sealedBytes += sizeOf(body)
    this.#giveWay()
  }

  /** Whoever sealed: a flush a second at a server that is away makes batches as well. */
  #giveWay(): void {
    const room = this.#maxBytes - this.#batchBytes - this.waiting.bytes
    // Also the newest, if it is larger by itself than what may wait.
    while (this.#sealedBytes > room && this.#sealed.length > 0) this.dropped += this.take()?.items ?? 0
  }

  /** Takes out the oldest batch; undefined when there is none. */
  take(): SpanBatch | undefined {
    const batch = this.#sealed.shift()
    if (batch !== undefined) this.#sealedBytes -= sizeOf(batch.body)
    return batch
  }
}
