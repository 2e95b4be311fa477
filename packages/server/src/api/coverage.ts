import type { Milliseconds } from '@andon/model'
import type { FastifyInstance } from 'fastify'
import type { CoverageReader, ServiceCoverage } from '../query/coverage.ts'
import type { Clock } from '../runtime/clock.ts'
import { type Query, text, timeRange } from './parameters.ts'

export interface CoverageDeps {
  readonly coverage: Pick<CoverageReader, 'read'>
  readonly clock: Pick<Clock, 'now'>
}

interface CoverageAnswer {
  readonly from: Milliseconds
  readonly to: Milliseconds
  readonly services: readonly ServiceCoverage[]
}

/** An answer is given again for so many times as long as it took to read: a page that follows it takes a tenth of the time. */
const REST = 9
const REST_MS_MAX: Milliseconds = 60_000
/** Different questions whose answers are held at the same time; past it the oldest is let go. */
const HELD_MAX = 200

/** Reads each question's answer at most a tenth of the time; who asks while it is read waits for the same answer. */
class Paced {
  readonly #clock: Pick<Clock, 'now'>
  readonly #held = new Map<string, { readonly answer: Promise<CoverageAnswer>; until: Milliseconds }>()

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  get(question: string, read: () => Promise<CoverageAnswer>): Promise<CoverageAnswer> {
    const begun = this.#clock.now()
    const known = this.#held.get(question)
    if (known !== undefined && begun < known.until) return known.answer
    const held = { answer: read(), until: Infinity }
    this.#held.delete(question)
    this.#held.set(question, held)
    const [oldest] = this.#held.keys()
    if (this.#held.size > HELD_MAX && oldest !== undefined) this.#held.delete(oldest)
    const rest = (): void => {
      const now = this.#clock.now()
      held.until = now + Math.min(REST_MS_MAX, (now - begun) * REST)
    }
    // A failure is told to who waited, and is not held.
    held.answer.then(rest, () => this.#held.get(question) === held && this.#held.delete(question))
    return held.answer
  }
}

/** GET /api/coverage: critical operations of one service or all, which of them have metrics and traces, and the share. */
export function registerCoverage(app: FastifyInstance, { coverage, clock }: CoverageDeps): void {
  const paced = new Paced(clock)
  app.get<{ Querystring: Query }>('/api/coverage', { config: { role: 'viewer', live: true } }, ({ query }) => {
    const asked = { ...query, from: text(query, 'from') ?? 'now-1d' }
    const service = text(query, 'service')
    const range = timeRange(asked, clock.now())
    return paced.get(JSON.stringify([asked.from, text(query, 'to'), service]), async () => ({ from: range.start, to: range.end, services: await coverage.read(range, service) }))
  })
}
