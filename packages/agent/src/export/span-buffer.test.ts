// The bound on spans that wait, whoever makes batches of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeSpans } from '@andon/wire'
import { redactionOf } from '../attributes.ts'
import { Sampler } from '../sampler.ts'
import { AgentTracerProvider } from '../tracer.ts'
import { SpanBuffer } from './span-buffer.ts'

const resource = { attributes: { 'service.name': 'test' }, droppedAttributes: 0, schemaUrl: '' }
const MAX = 100_000

function spansInto(buffer: SpanBuffer): (count: number) => void {
  const tracer = new AgentTracerProvider(new Sampler({ parentBased: true, ratio: 1 }), (scope) => buffer.sinkOf(scope)).getTracer('test')
  return (count) => {
    for (let i = 0; i < count; i += 1) tracer.startSpan(`span ${'x'.repeat(100)}`).end()
  }
}

test('batches that were sealed before they were full are bounded together with the open one: the oldest give way, and are counted', () => {
  const buffer = new SpanBuffer(resource, MAX, redactionOf, () => undefined)
  const record = spansInto(buffer)
  let held = 0
  for (let i = 0; i < 1000; i += 1) {
    record(3)
    buffer.seal()
    record(1)
    held = Math.max(held, buffer.bytes)
  }
  assert.ok(held <= MAX, String(held))
  assert.ok(buffer.dropped > 2000, String(buffer.dropped))
  let left = 0
  buffer.seal()
  for (let batch = buffer.take(); batch !== undefined; batch = buffer.take()) left += decodeSpans(batch.body).length
  assert.deepEqual([left + buffer.dropped, buffer.bytes], [4000, 0])
})

test('of small batches the memory of their buffers is counted, not only their bytes', () => {
  const buffer = new SpanBuffer(resource, MAX, redactionOf, () => undefined)
  const record = spansInto(buffer)
  let memory = 0
  for (let i = 0; i < 200; i += 1) {
    record(1)
    buffer.seal()
  }
  const { bytes } = buffer
  for (let batch = buffer.take(); batch !== undefined; batch = buffer.take()) memory += batch.body.buffer.byteLength
  assert.ok(memory <= MAX, String(memory))
  assert.equal(bytes, memory)
})
