// How fast this machine and this version of Node are, beside the one whose prices are known.
import { redactionOf } from '../attributes.ts'
import { NO_CONTEXT } from '../context.ts'
import { SpanBuffer } from '../export/span-buffer.ts'
import { Sampler } from '../sampler.ts'
import { AgentTracer } from '../tracer.ts'

/** Nanoseconds of one span of a round on the machine of the prices. */
const REFERENCE_SPAN = 700
/** Spans of a round: it takes less than a tenth of a millisecond, and at first, not compiled yet, two. */
const SPANS = 50
/** The fastest of so many rounds counts: what is slower was disturbed, or not compiled yet. */
const ROUNDS = 24
const LIMITS = { least: 0.3, most: 4 } as const

/** Records spans for nobody, with what records those of the application. */
export class Calibration {
  readonly #buffer: SpanBuffer
  readonly #tracer: AgentTracer
  readonly #rounds: number[] = []

  constructor() {
    this.#buffer = new SpanBuffer({ attributes: {}, droppedAttributes: 0, schemaUrl: '' }, 1024 * 1024, redactionOf, () => undefined)
    this.#tracer = new AgentTracer(new Sampler({ parentBased: true, ratio: 1 }), this.#buffer.sinkOf({ name: '', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }))
  }

  /** Whether so many rounds were run that their result is to be believed. */
  get isDone(): boolean {
    return this.#rounds.length >= ROUNDS
  }

  /** Times one round. */
  round(now: () => number = () => performance.now()): void {
    const began = now()
    for (let index = 0; index < SPANS; index += 1) {
      const span = this.#tracer.begin('GET /boards/:id', 2, NO_CONTEXT)
      span.append('http.request.method', 'GET')
      span.append('http.route', '/boards/:id')
      span.append('http.response.status_code', 200)
      span.end()
    }
    const nanoseconds = ((now() - began) * 1e6) / SPANS
    this.#buffer.seal()
    this.#buffer.take()
    this.#rounds.push(nanoseconds)
    if (this.#rounds.length > ROUNDS) this.#rounds.shift()
  }

  /** How many times longer a span takes here, 0.3 to 4; 1 until it is known. */
  get slowness(): number {
    if (!this.isDone) return 1
    return Math.min(LIMITS.most, Math.max(LIMITS.least, Math.min(...this.#rounds) / REFERENCE_SPAN))
  }
}
