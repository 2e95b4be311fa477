// OTLP spans: decode, check, bound, write.
import type { Bytes, SpanEvent, SpanLink, SpanRecord } from '@andon/model'
import { decodeSpansJson, type PartialSuccess, SpanView, viewSpans } from '@andon/wire'
import type { Clock } from '../runtime/clock.ts'
import type { Limits } from '../runtime/limits.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import type { WeightedException } from '../store/exceptions.ts'
import type { PreparedSpans, SpanBounds, WriteOptions } from '../store/spans.ts'
import { beginning, bounded, BoundedSources, KEY_MAX } from './attributes.ts'
import { Batcher, type Room } from './batcher.ts'
import { EdgeMatcher, type EdgePlan, type EdgeSink } from './edges.ts'
import { exceptionsOf } from './span-exceptions.ts'
import { StatementCounter, type StatementPlan, type StatementSink } from './statements.ts'

/** What spans are written to: their rows are made when they come, while others are being stored. */
export interface SpanSink {
  prepare(spans: readonly SpanRecord[], bounds: SpanBounds): PreparedSpans
  insert(prepared: readonly PreparedSpans[], options?: WriteOptions): Promise<void>
}

/** What errors recorded in spans are written to. */
export interface ExceptionSink {
  write(exceptions: readonly WeightedException[], options?: WriteOptions): Promise<void>
}

/** Where spans go, and what is made of them. */
export interface SpanSinks {
  readonly spans: SpanSink
  readonly exceptions: ExceptionSink
  readonly edges: EdgeSink
  readonly statements: StatementSink
}

interface Plan {
  readonly edges: EdgePlan
  readonly statements: StatementPlan
}

export interface IngestContext {
  readonly clock: Clock
  readonly limits: Limits
  readonly own: OwnMetrics
  /** How long raw data of the signal are kept; older ones are refused. */
  readonly retentionDays: number
  /** Whether the disk has room; absent where it always has. */
  readonly room?: Room
}

const DAY = 86_400_000
const DERIVED_MAX = 1000

export class SpanIngest {
  readonly #context: IngestContext
  readonly #sinks: SpanSinks
  readonly #edges: EdgeMatcher
  readonly #statements: StatementCounter
  /** Numbered batches whose edges and statements were counted, the oldest first; an older repetition is told by the tables. */
  readonly #derived = new Set<string>()
  readonly #sources: BoundedSources
  readonly #bounds: SpanBounds
  readonly #batcher: Batcher<PreparedSpans>
  readonly #accepted: ReturnType<OwnMetrics['counter']>
  readonly #refused: ReturnType<OwnMetrics['counter']>

  constructor(sinks: SpanSinks, context: IngestContext) {
    this.#context = context
    this.#sinks = sinks
    this.#bounds = { attributes: context.limits.attributes, attributeLength: context.limits.attributeLength, nameLength: KEY_MAX, cut: (span) => this.#cut(span) }
    this.#sources = new BoundedSources(context.limits)
    this.#edges = new EdgeMatcher(context)
    this.#statements = new StatementCounter(context)
    this.#accepted = context.own.counter('andon_ingest_spans_total', 'Spans that were stored.')
    this.#refused = context.own.counter('andon_ingest_spans_refused_total', 'Spans that were refused, by reason.')
    // One insert at a time: what is matched in memory is what the inserts before have stored.
    this.#batcher = new Batcher({ signal: 'spans', ...context, store: (contents, options) => this.#store(contents, options) })
  }

  /**
   * What is made of spans is stored before them where tokens tell a repetition, so that a batch whose spans are stored has all of it; of a
   * batch without a number after them, so that what is inserted again because its spans failed does not count twice.
   */
  async #store(prepared: readonly PreparedSpans[], options: WriteOptions): Promise<void> {
    const { spans, exceptions } = this.#sinks
    const all = prepared.flatMap((each) => each.spans)
    if (options.batch === undefined) {
      const inserted = spans.insert(prepared, options)
      // Meanwhile the database is busy and this thread is not.
      const plan = this.#plan(all)
      await inserted
      await exceptions.write(exceptionsOf(all), options)
      await this.#derive(plan, options)
      return
    }
    if (!this.#derived.has(options.batch)) await this.#derive(this.#plan(all), options)
    await spans.insert(prepared, options)
    await exceptions.write(exceptionsOf(all), options)
  }

  #plan(all: readonly SpanRecord[]): Plan {
    return { edges: this.#edges.plan(all), statements: this.#statements.plan(all) }
  }

  async #derive({ edges, statements }: Plan, options: WriteOptions): Promise<void> {
    const { batch } = options
    await this.#sinks.edges.write(edges.edges, options)
    await this.#sinks.statements.write(statements.rows, statements.statements, options)
    edges.commit()
    statements.commit()
    if (batch === undefined) return
    this.#derived.add(batch)
    const [oldest] = this.#derived
    if (this.#derived.size > DERIVED_MAX && oldest !== undefined) this.#derived.delete(oldest)
  }

  /**
   * Takes one export request; settles when its spans are stored.
   *
   * @param batch - PROCESS/SEQUENCE of a numbered batch
   * @returns how many spans were refused, and why
   * @throws AndonError bad_body, too_large, overloaded, disk_full or unavailable; nothing of the request is then stored
   */
  async accept(body: Uint8Array, content: 'protobuf' | 'json', batch?: string): Promise<PartialSuccess> {
    let refused = 0
    let problem = ''
    const refuse = (told: string): void => {
      refused += 1
      problem ||= told
    }
    const spans = content === 'protobuf' ? viewSpans(body, refuse) : decodeSpansJson(new TextDecoder().decode(body), refuse)
    const { rejected, message } = await this.acceptSpans(spans, body.length, batch)
    if (refused === 0) return { rejected, message }
    this.#refused.add(refused, { reason: 'ids' })
    const told = `${refused} spans have ids that are none, the first: ${problem}`
    return { rejected: rejected + refused, message: message === '' ? told : `${message}; ${told}` }
  }

  /**
   * Takes spans, whatever they came as; settles when they are stored.
   *
   * @param bytes - the size of the request, for the bound of the queue
   * @throws AndonError overloaded, disk_full or unavailable; nothing is then stored
   */
  async acceptSpans(decoded: readonly SpanRecord[], bytes: Bytes, batch?: string): Promise<PartialSuccess> {
    const isInTime = this.#times()
    const kept = decoded.filter(isInTime).map((span) => this.#bounded(span))
    const rejected = decoded.length - kept.length
    if (kept.length > 0) await this.#batcher.accept(this.#sinks.spans.prepare(kept, this.#bounds), bytes, batch)
    this.#accepted.add(kept.length)
    if (rejected > 0) this.#refused.add(rejected, { reason: 'time' })
    return { rejected, message: rejected === 0 ? '' : `${rejected} spans begin or end in the future, or begin before the retention of ${this.#context.retentionDays} days` }
  }

  /** Settles when no request waits any more. */
  async drained(): Promise<void> {
    await this.#batcher.drained()
  }

  /** Whether a span lies between the retention and the near future. */
  #times(): (span: SpanRecord) => boolean {
    const { clock, limits, retentionDays } = this.#context
    const now = clock.now()
    const [first, last] = [now - retentionDays * DAY, now + limits.futureMs]
    // Well within, where a double's precision does no harm.
    const [earliest, latest] = [(first + 1) * 1e6, (last - 1) * 1e6]
    const [exactFirst, exactLast] = [BigInt(first) * 1_000_000n, BigInt(last) * 1_000_000n]
    return (span) => (span instanceof SpanView && span.startTime >= earliest && span.startTime <= latest && span.endTime <= latest) || (span.start >= exactFirst && span.start <= exactLast && span.end <= exactLast)
  }

  /** A view is bounded where its row is made, but for what it shares with others. */
  #bounded(span: SpanRecord): SpanRecord {
    if (!(span instanceof SpanView)) return this.#cut(span)
    span.resource = this.#sources.resource(span.resource)
    span.scope = this.#sources.scope(span.scope)
    return span
  }

  #cut(span: SpanRecord): SpanRecord {
    const { limits } = this.#context
    const { attributes, dropped } = bounded(span.attributes, limits)
    const events = boundedParts(span.events, limits, ({ name }) => name.length > KEY_MAX, (event, more) => ({ ...event, ...more, name: beginning(event.name, KEY_MAX) }))
    const links = boundedParts(span.links, limits, ({ traceState }) => traceState.length > KEY_MAX, (link: SpanLink, more) => ({ ...link, ...more, traceState: beginning(link.traceState, KEY_MAX) }))
    const [resource, scope] = [this.#sources.resource(span.resource), this.#sources.scope(span.scope)]
    const { name, traceState, status } = span
    const areShort = name.length <= KEY_MAX && traceState.length <= KEY_MAX && status.message.length <= limits.attributeLength
    if (areShort && attributes === span.attributes && events === span.events && links === span.links && resource === span.resource && scope === span.scope) return span
    return {
      ...span,
      name: beginning(name, KEY_MAX),
      traceState: beginning(traceState, KEY_MAX),
      status: { code: status.code, message: beginning(status.message, limits.attributeLength) },
      attributes,
      droppedAttributes: span.droppedAttributes + dropped,
      events,
      droppedEvents: span.droppedEvents + span.events.length - events.length,
      links,
      droppedLinks: span.droppedLinks + span.links.length - links.length,
      resource,
      scope,
    }
  }
}

type Part = SpanEvent | SpanLink

/** Events or links within the limits; the same list when nothing is to be done. */
function boundedParts<P extends Part>(parts: readonly P[], limits: Limits, isLong: (part: P) => boolean, shorter: (part: P, more: Pick<Part, 'attributes' | 'droppedAttributes'>) => P): readonly P[] {
  let changed = parts.length > limits.spanEvents
  const kept = (changed ? parts.slice(0, limits.spanEvents) : parts).map((part) => {
    const { attributes, dropped } = bounded(part.attributes, limits)
    if (attributes === part.attributes && !isLong(part)) return part
    changed = true
    return shorter(part, { attributes, droppedAttributes: part.droppedAttributes + dropped })
  })
  return changed ? kept : parts
}
