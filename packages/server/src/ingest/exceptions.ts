// OTLP logs: exceptions and the events that Andon knows; decode, check, bound, write.
import { type ExceptionRecord, nanosecondsToMilliseconds } from '@andon/model'
import { decodeExceptions, decodeExceptionsJson, type LogEvent, type PartialSuccess } from '@andon/wire'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import { bounded } from './attributes.ts'
import { Batcher } from './batcher.ts'
import type { ExceptionSink, IngestContext } from './spans.ts'

const DAY = 86_400_000

/** Takes the events among the logs; answers how many it did not take. */
export interface EventSink {
  accept(events: readonly LogEvent[], batch?: string): Promise<number>
}

export class ExceptionIngest {
  readonly #context: IngestContext
  readonly #events: EventSink
  readonly #batcher: Batcher<readonly ExceptionRecord[]>
  readonly #accepted: ReturnType<OwnMetrics['counter']>
  readonly #refused: ReturnType<OwnMetrics['counter']>

  constructor(exceptions: ExceptionSink, events: EventSink, context: IngestContext) {
    this.#events = events
    this.#context = context
    this.#accepted = context.own.counter('andon_ingest_exceptions_total', 'Errors that were stored.')
    this.#refused = context.own.counter('andon_ingest_logs_refused_total', 'Log records that were refused, by reason.')
    this.#batcher = new Batcher({ signal: 'exceptions', ...context, store: (contents, batch) => exceptions.write(contents.flat(), batch === undefined ? {} : { batch }) })
  }

  /**
   * Takes one export request of logs; settles when its errors and events are stored. Other log records are refused:
   * Andon keeps no logs.
   *
   * @returns how many records were refused, and why
   * @throws AndonError bad_body, overloaded or unavailable; nothing of the request is then stored
   */
  async accept(body: Uint8Array, content: 'protobuf' | 'json', batch?: string): Promise<PartialSuccess> {
    const { exceptions, events, refused } = content === 'protobuf' ? decodeExceptions(body) : decodeExceptionsJson(new TextDecoder().decode(body))
    const kept = exceptions.filter((exception) => this.#isInTime(exception)).map((exception) => this.#bounded(exception))
    if (kept.length > 0) await this.#batcher.accept(kept, body.length, batch)
    this.#accepted.add(kept.length)
    const late = exceptions.length - kept.length
    const known = events.filter(({ name }) => name.startsWith('andon.'))
    const unknown = known.length === 0 ? 0 : await this.#events.accept(known, batch)
    const noError = refused + events.length - known.length + unknown
    if (late > 0) this.#refused.add(late, { reason: 'time' })
    if (noError > 0) this.#refused.add(noError, { reason: 'no_error' })
    const reasons = [...(noError > 0 ? [`${noError} log records are neither errors nor events that Andon knows, and it keeps no logs`] : []), ...(late > 0 ? [`${late} errors lie in the future or before the retention`] : [])]
    return { rejected: noError + late, message: reasons.join('; ') }
  }

  /** Settles when no request waits any more. */
  async drained(): Promise<void> {
    await this.#batcher.drained()
  }

  #isInTime({ time }: ExceptionRecord): boolean {
    const { clock, limits, retentionDays } = this.#context
    const at = nanosecondsToMilliseconds(time)
    return at >= clock.now() - retentionDays * DAY && at <= clock.now() + limits.futureMs
  }

  #bounded(exception: ExceptionRecord): ExceptionRecord {
    const { limits } = this.#context
    const { attributes } = bounded(exception.attributes, limits)
    return { ...exception, message: exception.message.slice(0, limits.attributeLength), stack: exception.stack.slice(0, limits.attributeLength * 4), attributes }
  }
}
