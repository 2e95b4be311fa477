import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TimeInput } from '@opentelemetry/api'
import { recordSpans } from './span-recorder.test.ts'

/** A job that lay in a queue: all of it was before this process started. */
const HOUR_AGO = Math.floor(performance.timeOrigin) - 3_600_000

const FORMS: Readonly<Record<string, (epochMs: number) => TimeInput>> = {
  'a Date': (epochMs) => new Date(epochMs),
  'milliseconds since 1970': (epochMs) => epochMs,
  '[seconds, nanoseconds]': (epochMs) => [Math.floor(epochMs / 1000), (epochMs % 1000) * 1e6],
  'a negative performance.now()': (epochMs) => epochMs - performance.timeOrigin,
}

/** To the microsecond: the recorder's clock is one float. */
const micros = (nanoseconds: bigint | undefined): number => Math.round(Number((nanoseconds ?? 0n) / 100n) / 10)

for (const [name, form] of Object.entries(FORMS)) {
  test(`a span that lies before the start of the process keeps its times, given as ${name}`, () => {
    const { provider, spans } = recordSpans()
    const span = provider.getTracer('t').startSpan('waited', { startTime: form(HOUR_AGO) })
    assert.equal(span.isRecording(), true)
    span.setAttribute('queue', 'mail').addEvent('taken', form(HOUR_AGO + 300))
    span.end(form(HOUR_AGO + 1500))
    assert.equal(span.isRecording(), false)
    span.setAttribute('late', true).updateName('late')
    span.end(form(HOUR_AGO + 9000))
    assert.equal(spans.length, 1)
    const [recorded] = spans
    assert.deepEqual([micros(recorded?.start), micros(recorded?.end), micros(recorded?.events[0]?.time)], [HOUR_AGO * 1000, (HOUR_AGO + 1500) * 1000, (HOUR_AGO + 300) * 1000])
    assert.deepEqual([recorded?.name, { ...recorded?.attributes }], ['waited', { queue: 'mail' }])
  })
}

test('a span ends no earlier than it began; what is no time is now', () => {
  const { provider, spans } = recordSpans()
  const tracer = provider.getTracer('t')
  tracer.startSpan('backwards', { startTime: new Date(HOUR_AGO) }).end(new Date(HOUR_AGO - 1000))
  const before = Date.now()
  const wrong = [new Date('never'), Number.NaN, [1.5, Number.NaN], [Number.POSITIVE_INFINITY, 0]] satisfies TimeInput[]
  for (const time of wrong) {
    const span = tracer.startSpan('wrong', { startTime: time })
    span.addEvent('e', time)
    span.end(time)
  }
  const [backwards, ...others] = spans
  assert.deepEqual([micros(backwards?.start), micros(backwards?.end)], [HOUR_AGO * 1000, HOUR_AGO * 1000])
  assert.equal(others.length, wrong.length)
  for (const { start, end, events } of others) for (const time of [start, end, events[0]?.time]) assert.ok(Math.abs(micros(time) / 1000 - before) < 60_000, String(time))
})
