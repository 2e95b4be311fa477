import type { AttributeValue, SpanRecord } from '@andon/model'
import type { WeightedException } from '../store/exceptions.ts'
import { weightOf } from '../store/span-row.ts'

function text(value: AttributeValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

/**
 * Errors that spans recorded as events named `exception`. Our own agent sends errors as log records as well and marks the
 * event of such a span with `andon.exception.logged`: the log record is the one that counts. Each counts for as many as its span.
 */
export function exceptionsOf(spans: readonly SpanRecord[]): WeightedException[] {
  return spans.flatMap((span) =>
    span.events
      .filter(({ name, attributes }) => name === 'exception' && attributes['andon.exception.logged'] !== true)
      .map(({ time, attributes }) => ({
        // An event may name any time; an error is of the time of its span.
        time: time >= span.start && time <= span.end ? time : span.start,
        type: text(attributes['exception.type']),
        message: text(attributes['exception.message']),
        stack: text(attributes['exception.stacktrace']),
        handled: attributes['exception.escaped'] !== true && attributes['exception.escaped'] !== 'true',
        traceId: span.traceId,
        spanId: span.spanId,
        attributes: text(span.attributes['http.route']) === '' ? {} : { 'http.route': text(span.attributes['http.route']) },
        resource: span.resource,
        scope: span.scope,
        weight: weightOf(span),
      })),
  )
}
