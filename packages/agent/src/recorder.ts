// The recorder without the agent around it: for programs that send by themselves, and for benchmarks.
export { redactionOf } from './attributes.ts'
export { type SpanBatch, SpanBuffer } from './export/span-buffer.ts'
export { AgentMeterProvider } from './metrics/meter.ts'
export { Sampler } from './sampler.ts'
export { AgentTracerProvider } from './tracer.ts'
