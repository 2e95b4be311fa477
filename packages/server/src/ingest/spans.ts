// OTLP spans: decode, check, bound, write.
import type { Bytes, ExceptionRecord, SpanRecord } from '@andon/model'
import { decodeSpans, decodeSpansJson, type PartialSuccess } from '@andon/wire'
import type { Clock } from '../runtime/clock.ts'
import type { Limits } from '../runtime/limits.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import type { WriteOptions } from '../store/spans.ts'
import { bounded } from './attributes.ts'
import { Batcher } from './batcher.ts'
import { exceptionsOf } from './span-exceptions.ts'

/** What spans are written to. */
export interface SpanSink {
  write(spans: readonly SpanRecord[], options?: WriteOptions): Promise<void>
}

/** What errors recorded in spans are written to. */
export interface ExceptionSink {
  write(exceptions: readonly ExceptionRecord[], options?: WriteOptions): Promise<void>
}

export interface IngestContext {
  readonly clock: Clock
  readonly limits: Limits
  readonly own: OwnMetrics
  /** How long raw data of the signal are kept; older ones are refused. */
  readonly retentionDays: number
}

const DAY_NS = 86_400_000_000_000n

export class SpanIngest {
  readonly #context: IngestContext
  readonly #batcher: Batcher<readonly SpanRecord[]>
  readonly #accepted: ReturnType<OwnMetrics['counter']>
  readonly #refused: ReturnType<OwnMetrics['counter']>

  constructor(spans: SpanSink, exceptions: ExceptionSink, context: IngestContext) {
    this.#context = context
    this.#accepted = context.own.counter('andon_ingest_spans_total', 'Spans that were stored.')
    this.#refused = context.own.counter('andon_ingest_spans_refused_total', 'Spans that were refused, by reason.')
    this.#batcher = new Batcher({
      signal: 'spans',
      ...context,
      store: async (contents, batch) => {
        const options = batch === undefined ? {} : { batch }
        const all = contents.flat()
        await spans.write(all, options)
        await exceptions.write(exceptionsOf(all), options)
      },
    })
  }

  /**
   * Takes one export request; settles when its spans are stored.
   *
   * @param batch - PROCESS/SEQUENCE of a numbered batch
   * @returns how many spans were refused, and why
   * @throws AndonError bad_body, overloaded or unavailable; nothing of the request is then stored
   */
  async accept(body: Uint8Array, content: 'protobuf' | 'json', batch?: string): Promise<PartialSuccess> {
    return await this.acceptSpans(content === 'protobuf' ? decodeSpans(body) : decodeSpansJson(new TextDecoder().decode(body)), body.length, batch)
  }

  /**
   * Takes spans, whatever they came as; settles when they are stored.
   *
   * @param bytes - the size of the request, for the bound of the queue
   * @throws AndonError overloaded or unavailable; nothing is then stored
   */
  async acceptSpans(decoded: readonly SpanRecord[], bytes: Bytes, batch?: string): Promise<PartialSuccess> {
    const kept = decoded.filter((span) => this.#isInTime(span)).map((span) => this.#bounded(span))
    const rejected = decoded.length - kept.length
    if (kept.length > 0) await this.#batcher.accept(kept, bytes, batch)
    this.#accepted.add(kept.length)
    if (rejected > 0) this.#refused.add(rejected, { reason: 'time' })
    return { rejected, message: rejected === 0 ? '' : `${rejected} spans begin in the future or before the retention of ${this.#context.retentionDays} days` }
  }

  /** Settles when no request waits any more. */
  async drained(): Promise<void> {
    await this.#batcher.drained()
  }

  #isInTime({ start, end }: SpanRecord): boolean {
    const { clock, limits, retentionDays } = this.#context
    const now = BigInt(clock.now()) * 1_000_000n
    const latest = now + BigInt(limits.futureMs) * 1_000_000n
    return start >= now - BigInt(retentionDays) * DAY_NS && start <= latest && end <= latest
  }

  #bounded(span: SpanRecord): SpanRecord {
    const { limits } = this.#context
    const { attributes, dropped } = bounded(span.attributes, limits)
    const events = span.events.slice(0, limits.spanEvents)
    const links = span.links.slice(0, limits.spanEvents)
    if (attributes === span.attributes && events.length === span.events.length && links.length === span.links.length) return span
    return {
      ...span,
      attributes,
      droppedAttributes: span.droppedAttributes + dropped,
      events,
      droppedEvents: span.droppedEvents + span.events.length - events.length,
      links,
      droppedLinks: span.droppedLinks + span.links.length - links.length,
    }
  }
}
