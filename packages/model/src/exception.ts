import type { Attributes, Resource, Scope } from './attributes.ts'
import type { Nanoseconds } from './units.ts'

/**
 * One recorded error as it is sent, stored and shown.
 *
 * @see OpenTelemetry semantic conventions, exceptions in logs
 */
export interface ExceptionRecord {
  readonly time: Nanoseconds
  /** The class, such as `TypeError`. */
  readonly type: string
  readonly message: string
  /** Node's stack text; '' when there is none. */
  readonly stack: string
  /** False when nothing caught it. */
  readonly handled: boolean
  /** 32 lower-case hex digits; '' outside a trace. */
  readonly traceId: string
  /** 16 lower-case hex digits; '' outside a span. */
  readonly spanId: string
  /** What the caller gave as context, and `http.route` where it is known. */
  readonly attributes: Attributes
  readonly resource: Resource
  readonly scope: Scope
}
