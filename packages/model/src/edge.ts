import type { BucketCounts } from './histogram-layout.ts'
import type { Milliseconds, Seconds } from './units.ts'

/** What a service calls: another that may send spans of its own, or what never does. `consumer`: a service that takes messages from a queue. */
export const EDGE_KINDS = ['service', 'database', 'cache', 'queue', 'consumer'] as const
export type EdgeKind = (typeof EDGE_KINDS)[number]

/**
 * Calls from one client within one minute, as the store keeps them and adds them up. Every call of a service counts in a record
 * without `server`, under the address that it called; once its other half is known it counts in a second one that names the server as
 * well. What names no server is the difference.
 */
export interface EdgeRecord {
  /** The service that calls; of a consumer the queue. */
  readonly client: string
  /** The service, database, cache or queue that is called; '' where only its address is known. */
  readonly server: string
  /** The address that was called, such as `cart:8080`; '' where it is not known. */
  readonly peer: string
  readonly kind: EdgeKind
  readonly env: string
  /** Start of the minute in which the calls began. */
  readonly minute: Milliseconds
  /** By weight and repetition: may be a fraction. */
  readonly calls: number
  /** Those that failed, as the client saw it. */
  readonly errors: number
  /** Those that failed at the server although the client saw no error. */
  readonly unseenErrors: number
  /** As the client saw it: the sum of all durations, and how many lie in which bucket of SPAN_SCALE, in seconds. */
  readonly seconds: Seconds
  readonly buckets: BucketCounts
  /** The same as the server saw it; 0 where no server told. */
  readonly serverCalls: number
  readonly serverSeconds: Seconds
  readonly serverBuckets: BucketCounts
}
