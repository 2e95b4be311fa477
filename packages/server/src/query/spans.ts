import type { Milliseconds, SpanRecord, TimeRange } from '@andon/model'
import type { TraceQuery, TraceSummary } from '../store/spans.ts'

export type { TraceQuery, TraceSummary }

/** What spans are read from. */
export interface SpanSource {
  trace(traceId: string, near?: Milliseconds): Promise<readonly SpanRecord[]>
  search(query: TraceQuery): Promise<readonly TraceSummary[]>
  services(range: TimeRange): Promise<readonly string[]>
  operations(service: string, range: TimeRange): Promise<readonly { readonly name: string; readonly kind: string }[]>
}

/** The services of which facets are told; the store answers for each in turn. */
const FACET_SERVICES_MAX = 200

/** What the routes of traces read. Holds nothing; may be called concurrently. */
export class SpanReader {
  readonly #source: SpanSource

  constructor(source: SpanSource) {
    this.#source = source
  }

  /** Traces that match, the newest first. */
  search(query: TraceQuery): Promise<readonly TraceSummary[]> {
    return this.#source.search(query)
  }

  /**
   * All spans of one trace.
   *
   * @param near - a time at which the trace is known to have run, which narrows the search
   * @returns [] for an unknown trace
   */
  trace(traceId: string, near?: Milliseconds): Promise<readonly SpanRecord[]> {
    return this.#source.trace(traceId, near)
  }

  /** Names of the services that sent spans, in order. */
  async services(range: TimeRange): Promise<readonly string[]> {
    return (await this.#source.services(range)).toSorted()
  }

  /** Names and kinds of the operations of one service. */
  operations(service: string, range: TimeRange): Promise<readonly { readonly name: string; readonly kind: string }[]> {
    return this.#source.operations(service, range)
  }

  /** Services with the names of their operations, both in order: what a search can be narrowed to. */
  async facets(range: TimeRange): Promise<readonly { readonly name: string; readonly operations: readonly string[] }[]> {
    const facets = []
    for (const name of (await this.services(range)).slice(0, FACET_SERVICES_MAX)) {
      const operations = await this.operations(name, range)
      facets.push({ name, operations: [...new Set(operations.map((one) => one.name))].toSorted() })
    }
    return facets
  }
}
