import { AndonError, type Milliseconds, type SpanRecord, type TimeRange } from '@andon/model'
import type { SpanField } from '../store/span-filter.ts'
import type { AttributeNames, AttributeQuery, TypedValue } from '../store/spans-attributes.ts'
import type { FoundTrace, TracePosition, TraceQuery, TraceSummary } from '../store/spans-search.ts'
import type { ServiceCalls } from './service-calls.ts'
import { withOwnIds } from './shared-ids.ts'

export type { FoundTrace, TraceQuery, TraceSummary }

/** What spans are read from. */
export interface SpanSource {
  trace(traceId: string, near?: Milliseconds): Promise<readonly SpanRecord[]>
  services(range: TimeRange): Promise<readonly string[]>
  operations(service: string, range: TimeRange): Promise<readonly { readonly name: string; readonly kind: string }[]>
}

/** What searches traces. */
export interface SpanSearchSource {
  search(query: TraceQuery): Promise<readonly FoundTrace[]>
  matchedSpans(query: TraceQuery, traces: readonly string[], perTrace: number): Promise<ReadonlyMap<string, readonly SpanRecord[]>>
}

/** What is known of attributes. */
export interface SpanAttributeSource {
  names(query: AttributeQuery): Promise<AttributeNames>
  values(field: SpanField, query: AttributeQuery): Promise<readonly TypedValue[]>
}

/** Who calls whom. */
export interface ServiceCallSource {
  between(range: TimeRange): Promise<readonly ServiceCalls[]>
}

export interface SpanSources {
  readonly spans: SpanSource
  readonly search: SpanSearchSource
  readonly attributes: SpanAttributeSource
  readonly calls: ServiceCallSource
}

/** A page of a search. */
export interface TracePage {
  /** Those with the newest matching span first. */
  readonly traces: readonly FoundTrace[]
  /** Where the next page begins; null when this is the last one. */
  readonly next: string | null
}

/** The services of which facets are told; the store answers for each in turn. */
const FACET_SERVICES_MAX = 200

/** What the routes of traces read. Holds nothing; may be called concurrently. */
export class SpanReader {
  readonly #source: SpanSource
  readonly #search: SpanSearchSource
  readonly #attributes: SpanAttributeSource
  readonly #calls: ServiceCallSource

  constructor({ spans, search, attributes, calls }: SpanSources) {
    this.#source = spans
    this.#search = search
    this.#attributes = attributes
    this.#calls = calls
  }

  /** Traces that match, those with the newest matching span first. */
  search(query: TraceQuery): Promise<readonly FoundTrace[]> {
    return this.#search.search(query)
  }

  /**
   * A page of traces that match.
   *
   * @param cursor - `next` of the page before
   * @throws AndonError bad_parameter when the cursor is none
   */
  async page(query: TraceQuery, cursor?: string): Promise<TracePage> {
    // One more than asked for says whether there are more.
    const found = await this.#search.search({ ...query, limit: query.limit + 1, ...(cursor !== undefined && { after: positionOf(cursor) }) })
    const traces = found.slice(0, query.limit)
    const last = traces.at(-1)
    return { traces, next: found.length > query.limit && last !== undefined ? `${last.latest}-${last.traceId}` : null }
  }

  /** Spans of found traces that fulfil the conditions of the search, by trace; at most `perTrace` of each. */
  matchedSpans(query: TraceQuery, traces: readonly string[], perTrace: number): Promise<ReadonlyMap<string, readonly SpanRecord[]>> {
    return this.#search.matchedSpans(query, traces, perTrace)
  }

  /** Names of attributes by where they stand. */
  attributeNames(query: AttributeQuery): Promise<AttributeNames> {
    return this.#attributes.names(query)
  }

  /** Values of an attribute, or of what else has values to choose from; the most frequent first. */
  attributeValues(field: SpanField, query: AttributeQuery): Promise<readonly TypedValue[]> {
    return this.#attributes.values(field, query)
  }

  /**
   * All spans of one trace, each with an id of its own, by their start.
   *
   * @param near - a time at which the trace is known to have run, which narrows the search
   * @returns [] for an unknown trace
   */
  async trace(traceId: string, near?: Milliseconds): Promise<readonly SpanRecord[]> {
    return withOwnIds(await this.#source.trace(traceId, near))
  }

  /** The same with the ids that were sent: in Zipkin's format the two sides of a call may share one. */
  sentTrace(traceId: string, near?: Milliseconds): Promise<readonly SpanRecord[]> {
    return this.#source.trace(traceId, near)
  }

  /** How often services call each other. */
  calls(range: TimeRange): Promise<readonly ServiceCalls[]> {
    return this.#calls.between(range)
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

function positionOf(cursor: string): TracePosition {
  const [, latest, traceId] = /^(\d{1,18}|[1-8]\d{18})-([\da-f]{32})$/.exec(cursor) ?? []
  if (latest === undefined || traceId === undefined) throw new AndonError('bad_parameter', `cursor="${cursor.slice(0, 100)}" is no cursor.`, { hint: 'Send `next` of the page before, unchanged.' })
  return { latest: BigInt(latest), traceId }
}
