// What protobufjs makes of OTLP, with the code that OpenTelemetry generated.
import { createRequire } from 'node:module'

/** A 64-bit number as protobufjs has it. */
export type Long = number | { readonly low: number; readonly high: number } | null

export interface AnyValue {
  readonly stringValue?: string | null
  readonly boolValue?: boolean | null
  readonly intValue?: Long | null
  readonly doubleValue?: number | null
}

export interface KeyValue {
  readonly key: string
  readonly value?: AnyValue | null
}

export interface DecodedSpan {
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
  readonly parentSpanId: Uint8Array | null
  readonly traceState: string | null
  readonly flags?: number
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: Long
  readonly endTimeUnixNano: Long
  readonly attributes: readonly KeyValue[]
  readonly droppedAttributesCount: number | null
  readonly events: readonly { readonly timeUnixNano: Long; readonly name: string; readonly attributes: readonly KeyValue[] }[]
  readonly droppedEventsCount: number | null
  readonly droppedLinksCount: number | null
  readonly status?: { readonly code: number | null; readonly message: string | null } | null
}

export interface DecodedTraces {
  readonly resourceSpans: readonly { readonly resource: { readonly attributes: readonly KeyValue[] }; readonly scopeSpans: readonly { readonly scope: { readonly name: string; readonly version: string | null }; readonly spans: readonly DecodedSpan[] }[] }[]
}

export interface DecodedPoint {
  readonly attributes: readonly KeyValue[]
  readonly startTimeUnixNano: Long
  readonly timeUnixNano: Long
  readonly asDouble?: number | null
  readonly asInt?: Long | null
}

export interface DecodedMetric {
  readonly name: string
  readonly unit: string | null
  readonly gauge?: { readonly dataPoints: readonly DecodedPoint[] } | null
  readonly sum?: { readonly dataPoints: readonly DecodedPoint[]; readonly isMonotonic: boolean | null } | null
}

export interface DecodedMetrics {
  readonly resourceMetrics: readonly { readonly resource: { readonly attributes: readonly KeyValue[] }; readonly scopeMetrics: readonly { readonly metrics: readonly DecodedMetric[] }[] }[]
}

interface Generated {
  readonly opentelemetry: {
    readonly proto: {
      readonly collector: {
        readonly trace: { readonly v1: { readonly ExportTraceServiceRequest: { decode(bytes: Uint8Array): DecodedTraces } } }
        readonly metrics: { readonly v1: { readonly ExportMetricsServiceRequest: { decode(bytes: Uint8Array): DecodedMetrics } } }
      }
    }
  }
}

export function collector(): Generated['opentelemetry']['proto']['collector'] {
  const root: Generated = createRequire(import.meta.url)('@opentelemetry/otlp-transformer/build/src/generated/root.js')
  return root.opentelemetry.proto.collector
}

/** Of an unsigned one. */
export function bigOf(value: Long): bigint {
  if (value === null) return 0n
  return typeof value === 'number' ? BigInt(value) : (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0)
}

/** Of a signed one. */
export function signedOf(value: Long): bigint {
  return BigInt.asIntN(64, bigOf(value))
}

export type Plain = string | boolean | bigint | number

export function plainOf({ value }: KeyValue): Plain {
  if (typeof value?.stringValue === 'string') return value.stringValue
  if (typeof value?.boolValue === 'boolean') return value.boolValue
  if (value?.intValue !== undefined && value.intValue !== null) return signedOf(value.intValue)
  return value?.doubleValue ?? ''
}

export const SUBJECT = 'protobufjs (generated code of @opentelemetry/otlp-transformer 0.203.0) and the same rows'
