import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SpanStatusCode, trace, TraceFlags, type SpanContext } from '@opentelemetry/api'
import type { SpanRecord } from '@andon/model'
import fc from 'fast-check'
import { NO_CONTEXT, withSpan } from './context.ts'
import { samplingLimit } from './governor/level.ts'
import { TraceState } from './propagation/trace-state.ts'
import { SamplingPlan } from './sampling-plan.ts'
import type { Sampler } from './sampler.ts'
import { recordSpans } from './span-recorder.test.ts'

const COUNT = 20_000
const hex = (): string => Math.floor(Math.random() * 2 ** 32).toString(16).padStart(8, '0')

/** @param low - the last 32 bits, by which a gateway may have chosen */
function remote(low: string, more: Partial<SpanContext> = {}): SpanContext {
  return { traceId: `${hex()}${hex()}${hex()}${low}`, spanId: 'b7ad6b7169203331', traceFlags: TraceFlags.SAMPLED, isRemote: true, ...more }
}

/** How many requests the kept roots stand for. */
function represented(spans: readonly SpanRecord[]): number {
  return spans.filter(({ kind }) => kind === 'server').reduce((sum, { attributes }) => sum + Number(attributes['andon.weight'] ?? 1), 0)
}

/** Serves requests one after another; one in a thousand is slow, one in a thousand fails. */
function serve(steps: number, above: () => SpanContext | undefined): { spans: SpanRecord[]; passedOn: number } {
  const clock = { ms: 0 }
  const { provider, spans } = recordSpans(1, () => clock.ms)
  provider.sampler.setSampling({ parentBased: true, ratio: 1 }, samplingLimit({ sampling: steps, profile: 0 }))
  const tracer = provider.getTracer('t')
  let passedOn = 0
  for (let i = 0; i < COUNT; i += 1) {
    clock.ms += 10
    const parent = above()
    const span = tracer.begin('GET /boards', 2, parent === undefined ? NO_CONTEXT : trace.setSpanContext(NO_CONTEXT, parent), clock.ms)
    const child = tracer.begin('SELECT', 3, withSpan(NO_CONTEXT, span), clock.ms)
    passedOn += child.spanContext().traceFlags & TraceFlags.SAMPLED
    if (i % 1000 === 500) child.setStatus({ code: SpanStatusCode.ERROR })
    child.endAt(clock.ms + 1)
    span.endAt(clock.ms + (i % 1000 === 700 ? 900 : 5 + (i % 7)))
  }
  return { spans, passedOn }
}

function assertNear(value: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(value - expected) <= expected * tolerance, `${value}, not about ${expected}`)
}

for (const [who, above] of [
  ['roots of this process', () => undefined],
  ['requests that a gateway has sampled', () => remote(hex())],
  ['requests of which a gateway chose the tenth whose ids end low', () => remote(Math.floor(Math.random() * 2 ** 32 * 0.1).toString(16).padStart(8, '0'))],
] as const) {
  test(`${who}: with the limit lowered to a quarter fewer are kept, they stand for all, and no slow or failed one is lost`, () => {
    const { spans } = serve(2, above)
    assertNear(represented(spans), COUNT, 0.08)
    assertNear(spans.filter(({ kind }) => kind === 'server').length, COUNT / 4, 0.15)
    assert.equal(spans.filter(({ status }) => status.code === 'error').length, 20)
    assert.equal(spans.filter(({ start, end }) => end - start > 800_000_000n).length, 20)
  })

  test(`${who}: at the lowest limit most are not even recorded, and those that are kept still stand for all`, () => {
    const { spans } = serve(7, above)
    const roots = spans.filter(({ kind }) => kind === 'server').length
    assert.ok(roots < COUNT / 32, String(roots))
    assertNear(represented(spans), COUNT, 0.35)
  })
}

test('services below a sampled gateway are told its decision, whatever this one keeps; below a root of this process its own', () => {
  assert.equal(serve(7, () => remote(hex())).passedOn, COUNT)
  assertNear(serve(2, () => undefined).passedOn, COUNT / 4, 0.1)
})

test('what was not sampled above is not recorded at any limit', () => {
  for (const steps of [0, 7]) assert.equal(serve(steps, () => remote(hex(), { traceFlags: 0 })).spans.length, 0)
})

test('where the sampler above tells its threshold, what is kept here stands for those as well', () => {
  // th:c keeps a quarter.
  const traceState = TraceState.parse('ot=th:c;rv:0,other=1') ?? assert.fail()
  const { spans } = serve(1, () => remote(hex(), { traceState }))
  assertNear(represented(spans), COUNT * 4, 0.08)
})

test('the sampler counts what it begins, what of it is recorded, and the spans below', () => {
  const { provider } = recordSpans()
  const tracer = provider.getTracer('t')
  const root = tracer.begin('a', 2, NO_CONTEXT)
  tracer.begin('b', 3, withSpan(NO_CONTEXT, root)).end()
  tracer.begin('c', 2, trace.setSpanContext(NO_CONTEXT, remote(hex(), { traceFlags: 0 })))
  const { traces, recorded, children } = provider.sampler
  assert.deepEqual([traces, recorded, children], [2, 1, 1])
})

test('server and governor together: the share is what is wanted times what is left, never above what is wanted (property)', () => {
  const ratio = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }))
  const act = fc.oneof(fc.record({ want: fc.option(ratio, { nil: undefined }) }), fc.record({ steps: fc.integer({ min: 0, max: 7 }) }))
  fc.assert(
    fc.property(ratio, fc.boolean(), fc.array(act, { maxLength: 30 }), (own, parentBased, acts) => {
      const set: Parameters<Sampler['setSampling']>[] = []
      const plan = new SamplingPlan({ ratio: own, parentBased }, { setSampling: (...given) => void set.push(given) })
      let wanted = own
      let keep = 1
      for (const each of acts) {
        if ('steps' in each) {
          keep = 2 ** -each.steps
          plan.limit(samplingLimit({ sampling: each.steps, profile: 0 }))
        } else {
          wanted = each.want ?? own
          plan.want(each.want)
        }
        const [sampling, limit] = set.at(-1) ?? assert.fail()
        assert.deepEqual([sampling, limit?.keep], [{ ratio: wanted, parentBased }, keep])
        assert.ok(plan.ratio === wanted * keep && plan.ratio <= wanted)
      }
      assert.equal(set.length, acts.length)
    }),
  )
})
