// Variables that say how much a span may hold.
// @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#attribute-limits
import { DEFAULT_LIMITS, type SpanLimits } from '../limits.ts'
import { type Environment, whole } from './environment.ts'

export function readLimits(env: Environment): SpanLimits {
  const attributes = whole(env, 'OTEL_ATTRIBUTE_COUNT_LIMIT', DEFAULT_LIMITS.attributes)
  return {
    attributes: whole(env, 'OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', attributes),
    events: whole(env, 'OTEL_SPAN_EVENT_COUNT_LIMIT', DEFAULT_LIMITS.events),
    links: whole(env, 'OTEL_SPAN_LINK_COUNT_LIMIT', DEFAULT_LIMITS.links),
    attributesPerEvent: whole(env, 'OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT', attributes),
    attributesPerLink: whole(env, 'OTEL_LINK_ATTRIBUTE_COUNT_LIMIT', attributes),
    valueLength: whole(env, 'OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', whole(env, 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', DEFAULT_LIMITS.valueLength)),
  }
}
