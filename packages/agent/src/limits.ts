// How much one span may hold.
import type { Attributes as ApiAttributes } from '@opentelemetry/api'
import type { Attributes, AttributeValue } from '@andon/model'
import { toAttributes } from './attributes.ts'

/** @see https://opentelemetry.io/docs/specs/otel/common/#attribute-limits */
export interface SpanLimits {
  /** Of one span, set through the API; what instrumentation of our own records is not counted. */
  readonly attributes: number
  readonly events: number
  readonly links: number
  readonly attributesPerEvent: number
  readonly attributesPerLink: number
  /** Characters of an attribute's text, after which it is cut; Infinity: as long as it is. */
  readonly valueLength: number
}

export const DEFAULT_LIMITS: SpanLimits = { attributes: 128, events: 128, links: 128, attributesPerEvent: 128, attributesPerLink: 128, valueLength: Infinity }

/** Those in force; a field of an object that never goes, because spans read it while they run. */
export const limits: { span: SpanLimits } = { span: DEFAULT_LIMITS }

/** What cuts the texts of a key beside what makes them safe; undefined where neither is needed. */
export function cutting(redactionOf: (key: string) => ((value: string) => string) | undefined, length: number): (key: string) => ((value: string) => string) | undefined {
  if (length === Infinity) return redactionOf
  return (key) => {
    const redact = redactionOf(key)
    return redact === undefined ? (value) => value.slice(0, length) : (value) => redact(value).slice(0, length)
  }
}

function cut(value: AttributeValue, length: number): AttributeValue {
  if (typeof value === 'string') return value.slice(0, length)
  return Array.isArray(value) ? value.map((each: AttributeValue) => cut(each, length)) : value
}

/** Attributes of an event or a link, at most `most` of them, with their texts cut. */
export function limited(given: ApiAttributes | undefined, most: number): { readonly attributes: Attributes; readonly droppedAttributes: number } {
  const { valueLength } = limits.span
  const all = toAttributes(given)
  const entries = Object.entries(all)
  if (entries.length <= most && valueLength === Infinity) return { attributes: all, droppedAttributes: 0 }
  const kept = entries.slice(0, most).map(([key, value]) => [key, cut(value, valueLength)] as const)
  return { attributes: Object.fromEntries(kept), droppedAttributes: Math.max(0, entries.length - most) }
}
