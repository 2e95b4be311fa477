import type { Bytes, Milliseconds } from '@andon/model'

/** The sizes, counts and times that bound every input. docs/reference/limits.md lists them; a test compares the two. */
export interface Limits {
  /** Of a request's body as it arrives. */
  readonly bodyBytes: Bytes
  /** Of a request's body after decompression. */
  readonly inflatedBytes: Bytes
  /** Of telemetry that waits to be stored; past it, requests are answered 429. */
  readonly queueBytes: Bytes
  /** How long requests without a batch number are gathered into one insert. */
  readonly gatherMs: Milliseconds
  /** How much is gathered at most: by span, an insert of 512 spans takes about four times the CPU of one of 8,192. */
  readonly gatherBytes: Bytes
  /** Attributes of one span, point, event or error; the rest is dropped and counted. */
  readonly attributes: number
  /** UTF-16 units of one attribute's text; the rest is cut off. */
  readonly attributeLength: number
  /** Events and, apart from them, links of one span; the rest is dropped and counted. */
  readonly spanEvents: number
  /** Series of one service and metric that were active in the last hour. */
  readonly seriesPerMetric: number
  /** Series remembered by the ingester in all. */
  readonly seriesInMemory: number
  /** Spans that wait in memory for the other half of their call. */
  readonly edgeSpans: number
  /** How long they wait. */
  readonly edgeWaitMs: Milliseconds
  /** How far in the future a point may lie. */
  readonly futureMs: Milliseconds
  /** Samples that one query may read, and that one of its vectors may hold over all steps. */
  readonly querySamples: number
  /** Steps of one range query. */
  readonly querySteps: number
  /** How long one query may take. */
  readonly queryMs: Milliseconds
}

export const defaultLimits: Limits = {
  bodyBytes: 16 * 1024 * 1024,
  inflatedBytes: 64 * 1024 * 1024,
  queueBytes: 128 * 1024 * 1024,
  gatherMs: 25,
  gatherBytes: 8 * 1024 * 1024,
  attributes: 128,
  attributeLength: 8192,
  spanEvents: 128,
  seriesPerMetric: 2000,
  seriesInMemory: 200_000,
  edgeSpans: 100_000,
  edgeWaitMs: 120_000,
  futureMs: 10 * 60_000,
  querySamples: 50_000_000,
  querySteps: 11_000,
  queryMs: 120_000,
}
