import { type SpanContext, TraceFlags } from '@opentelemetry/api'
import type { Sampling } from './options.ts'

const SPACE = 2 ** 32

/**
 * Whether a trace is recorded. A share of traces is chosen by their id, so that every service chooses the same ones.
 *
 * @param parent - the span above; undefined for the root of a trace
 */
export function isSampled({ parentBased, ratio }: Sampling, traceId: string, parent: SpanContext | undefined): boolean {
  if (parent !== undefined && (parentBased || parent.isRemote !== true)) return (parent.traceFlags & TraceFlags.SAMPLED) !== 0
  if (ratio >= 1) return true
  return ratio > 0 && Number.parseInt(traceId.slice(-8), 16) / SPACE < ratio
}
