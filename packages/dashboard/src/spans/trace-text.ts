import type { Trace, TraceSpan } from '../api/client.ts'

/** A value of an attribute as text: texts as they are, everything else as JSON. */
export function attributeText(value: unknown): string {
  if (typeof value === 'string') return value
  return value === undefined ? '' : JSON.stringify(value)
}

/**
 * The spans that a text is found in: their name, service, or an attribute (`key=value` finds what it writes).
 *
 * @returns ids; null when nothing is searched for
 */
export function matchingSpans(spans: readonly TraceSpan[], find: string): ReadonlySet<string> | null {
  const text = find.trim().toLowerCase()
  if (text === '') return null
  const has = (part: string): boolean => part.toLowerCase().includes(text)
  const matches = (span: TraceSpan): boolean =>
    has(span.name) ||
    has(span.service) ||
    span.id === text ||
    (text === 'error' && span.status === 'error') ||
    Object.entries(span.attributes).some(([key, value]) => has(`${key}=${attributeText(value)}`))
  return new Set(spans.filter(matches).map((span) => span.id))
}

/** Offers the trace as a file. */
export function saveJson(trace: Trace): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(trace, null, 2)], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = url
  link.download = `trace-${trace.traceId}.json`
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 1000)
}
