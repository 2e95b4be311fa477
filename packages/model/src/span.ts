import type { Attributes, Resource, Scope } from './attributes.ts'
import type { Nanoseconds } from './units.ts'

/** OTLP's kinds, in the order of their numbers 0..5. */
export const SPAN_KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const
export type SpanKind = (typeof SPAN_KINDS)[number]

/** OTLP's status codes, in the order of their numbers 0..2. */
export const SPAN_STATUSES = ['unset', 'ok', 'error'] as const
export type SpanStatus = (typeof SPAN_STATUSES)[number]

/** Something that happened at one time within a span. */
export interface SpanEvent {
  readonly time: Nanoseconds
  readonly name: string
  readonly attributes: Attributes
  readonly droppedAttributes: number
}

/** A span of the same or another trace that this one refers to. */
export interface SpanLink {
  /** 32 lower-case hex digits. */
  readonly traceId: string
  /** 16 lower-case hex digits. */
  readonly spanId: string
  readonly traceState: string
  readonly flags: number
  readonly attributes: Attributes
  readonly droppedAttributes: number
}

/**
 * One finished operation as it is sent, stored and shown. The live handle in the monitored process is the agent's `Span`.
 *
 * @see OTLP trace.proto, message Span
 */
export interface SpanRecord {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string
  /** 16 lower-case hex digits, not all zero. */
  readonly spanId: string
  /** 16 lower-case hex digits; '' when the span is the root of its trace. */
  readonly parentSpanId: string
  /** The W3C tracestate header; '' when there is none. */
  readonly traceState: string
  /** OTLP's flags: the W3C trace flags in bits 0..7, "parent is remote" known and set in bits 8 and 9. */
  readonly flags: number
  readonly name: string
  readonly kind: SpanKind
  /** Since the Unix epoch. */
  readonly start: Nanoseconds
  /** Since the Unix epoch; not before `start`. */
  readonly end: Nanoseconds
  readonly attributes: Attributes
  readonly droppedAttributes: number
  readonly events: readonly SpanEvent[]
  readonly droppedEvents: number
  readonly links: readonly SpanLink[]
  readonly droppedLinks: number
  readonly status: { readonly code: SpanStatus; readonly message: string }
  readonly resource: Resource
  readonly scope: Scope
}
