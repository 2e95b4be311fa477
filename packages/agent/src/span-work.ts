// Work that a span stands for: the span ends with it.
import { type Span, SpanStatusCode } from '@opentelemetry/api'
import { getText } from './instrument/wrap.ts'

/** Records that the work of a span failed. */
export function failSpan(span: Span, error: unknown): void {
  // By its properties: an error of another realm is none of ours.
  span.setAttribute('error.type', getText(error, 'name') ?? '_OTHER')
  span.setStatus({ code: SpanStatusCode.ERROR, message: getText(error, 'message') ?? String(error) })
  if (error instanceof Error) span.recordException(error)
}

/** Runs what may give a promise, and ends the span when it has ended. What it gives or throws goes on as it is. */
export function endWith(span: Span, run: () => unknown): unknown {
  let result: unknown
  try {
    result = run()
  } catch (error) {
    failSpan(span, error)
    span.end()
    throw error
  }
  if (!(result instanceof Promise)) {
    span.end()
    return result
  }
  return result.then(
    (value: unknown) => {
      span.end()
      return value
    },
    (error: unknown) => {
      failSpan(span, error)
      span.end()
      throw error
    },
  )
}
