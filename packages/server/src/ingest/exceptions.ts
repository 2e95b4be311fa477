// OTLP logs: exceptions and the events that Andon knows; decode, check, bound, write.
import { AndonError, type ExceptionRecord, nanosecondsToMilliseconds, type Resource } from '@andon/model'
import { decodeExceptions, decodeExceptionsJson, type LogEvent, type PartialSuccess } from '@andon/wire'
import type { Log } from '../runtime/log.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import { describeSource } from '../store/source.ts'
import { beginning, bounded, BoundedSources, KEY_MAX } from './attributes.ts'
import { Batcher } from './batcher.ts'
import type { ExceptionSink, IngestContext } from './spans.ts'

const DAY = 86_400_000
/** Services of which it was said that their logs are refused. */
const TOLD_MAX = 1000

/** Takes the events among the logs; answers how many it did not take. */
export interface EventSink {
  accept(events: readonly LogEvent[], batch?: string): Promise<number>
}

export class ExceptionIngest {
  readonly #context: IngestContext
  readonly #events: EventSink
  readonly #log: Pick<Log, 'info'>
  readonly #sources: BoundedSources
  readonly #told = new Set<string>()
  readonly #batcher: Batcher<readonly ExceptionRecord[]>
  readonly #accepted: ReturnType<OwnMetrics['counter']>
  readonly #refused: ReturnType<OwnMetrics['counter']>

  constructor(exceptions: ExceptionSink, events: EventSink, context: IngestContext, log: Pick<Log, 'info'>) {
    this.#events = events
    this.#log = log
    this.#sources = new BoundedSources(context.limits)
    this.#context = context
    this.#accepted = context.own.counter('andon_ingest_exceptions_total', 'Errors that were stored.')
    this.#refused = context.own.counter('andon_ingest_logs_refused_total', 'Log records that were refused, by reason.')
    this.#batcher = new Batcher({ signal: 'exceptions', ...context, store: (contents, options) => exceptions.write(contents.flat(), options) })
  }

  /**
   * Takes one export request of logs; settles when its errors and events are stored. Other log records are refused:
   * Andon keeps no logs. It is said once for each service that sends some.
   *
   * @returns how many records were refused, and why
   * @throws AndonError bad_body, too_large, overloaded, disk_full or unavailable: what is sent again under its number counts once
   */
  async accept(body: Uint8Array, content: 'protobuf' | 'json', batch?: string): Promise<PartialSuccess> {
    const { exceptions, events, refused, refusedFrom } = content === 'protobuf' ? decodeExceptions(body) : decodeExceptionsJson(new TextDecoder().decode(body))
    const kept = exceptions.filter((exception) => this.#isInTime(exception)).map((exception) => this.#bounded(exception))
    if (kept.length > 0) await this.#batcher.accept(kept, body.length, batch)
    this.#accepted.add(kept.length)
    const late = exceptions.length - kept.length
    const known = events.filter(({ name }) => name.startsWith('andon.')).map((event) => ({ ...event, resource: this.#sources.resource(event.resource) }))
    const unknown = known.length === 0 ? 0 : await this.#acceptEvents(known, batch)
    if (refusedFrom !== undefined) this.#tell(refusedFrom)
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

  async #acceptEvents(events: readonly LogEvent[], batch: string | undefined): Promise<number> {
    try {
      return await this.#events.accept(events, batch)
    } catch (error) {
      if (error instanceof AndonError && error.code !== 'query_failed') throw error
      throw new AndonError('unavailable', 'the store did not take the events', { cause: error })
    }
  }

  #tell(resource: Resource): void {
    const { service } = describeSource(this.#sources.resource(resource))
    if (this.#told.has(service) || this.#told.size >= TOLD_MAX) return
    this.#told.add(service)
    this.#log.info('Log records are refused: Andon keeps errors and the events that it knows, and no other logs.', { service })
  }

  #isInTime({ time }: ExceptionRecord): boolean {
    const { clock, limits, retentionDays } = this.#context
    const at = nanosecondsToMilliseconds(time)
    return at >= clock.now() - retentionDays * DAY && at <= clock.now() + limits.futureMs
  }

  #bounded(exception: ExceptionRecord): ExceptionRecord {
    const { limits } = this.#context
    const { attributes } = bounded(exception.attributes, limits)
    return {
      ...exception,
      type: beginning(exception.type, KEY_MAX),
      message: beginning(exception.message, limits.attributeLength),
      stack: beginning(exception.stack, limits.attributeLength * 4),
      attributes,
      resource: this.#sources.resource(exception.resource),
    }
  }
}
