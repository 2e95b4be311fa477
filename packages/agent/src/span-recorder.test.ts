// Spans as a server would read them, for the tests beside it.
import type { SpanRecord } from '@andon/model'
import { decodeSpans } from '@andon/wire'
import { redactionOf } from './attributes.ts'
import { SpanBuffer } from './export/span-buffer.ts'
import { Sampler } from './sampler.ts'
import { AgentTracerProvider } from './tracer.ts'

const resource = { attributes: { 'service.name': 'test' }, droppedAttributes: 0, schemaUrl: '' }

/** A provider whose finished spans are decoded from their bytes at once. */
export function recordSpans(ratio = 1, now?: () => number, redaction: typeof redactionOf = redactionOf): { provider: AgentTracerProvider; spans: SpanRecord[]; buffer: SpanBuffer } {
  const spans: SpanRecord[] = []
  const buffer = new SpanBuffer(resource, 1_000_000, redaction, () => undefined)
  const provider = new AgentTracerProvider(new Sampler({ parentBased: true, ratio }, now), (scope) => {
    const sink = buffer.sinkOf(scope)
    return {
      write: (span) => {
        sink.write(span)
        buffer.seal()
        spans.push(...decodeSpans(buffer.take()?.body ?? new Uint8Array()))
      },
      lose: () => sink.lose(),
    }
  })
  return { provider, spans, buffer }
}
