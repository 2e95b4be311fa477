import type { Milliseconds, SpanKind, SpanRecord, TimeRange } from '@andon/model'

/** What traces are searched for; every given condition must hold on one and the same span. */
export interface SpanSearch {
  readonly range: TimeRange
  readonly service?: string
  readonly operation?: string
  readonly kind?: SpanKind
  readonly status?: 'ok' | 'error'
  readonly minDurationNs?: number
  readonly maxDurationNs?: number
  /** Attributes of the span or its resource, by key; compared as text. */
  readonly attributes?: Readonly<Record<string, string>>
  /** The most traces to answer. */
  readonly limit: number
}

/** One found trace. */
export interface TraceSummary {
  readonly traceId: string
  readonly start: Milliseconds
  readonly durationNs: number
  readonly rootService: string
  readonly rootName: string
  readonly spanCount: number
  readonly errorCount: number
  readonly services: readonly { readonly name: string; readonly spans: number }[]
}

/** What spans are read from. */
export interface SpanSource {
  trace(traceId: string, near?: Milliseconds): Promise<readonly SpanRecord[]>
  search(search: SpanSearch): Promise<readonly TraceSummary[]>
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
  search(search: SpanSearch): Promise<readonly TraceSummary[]> {
    return this.#source.search(search)
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
