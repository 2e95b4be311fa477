// Pages that are open ask the same expressions over and over, over a range that has moved by seconds: what was answered before
// is asked again only where it may have changed.
import { labelsKey, type Labels, type Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Evaluator, Grid, GridSeries } from './grid.ts'

/** What is measured arrives within this time, unless its sender was cut off. */
const SETTLED_MS: Milliseconds = 120_000
/** After this time all is asked anew, so that what arrived late is seen. */
const FRESH_MS: Milliseconds = 60_000
/** How many expressions are remembered, those asked last. */
const EXPRESSIONS_MAX = 256
/** Values that are remembered of one expression; an answer of more is not. */
const VALUES_MAX = 50_000

type Answer = Awaited<ReturnType<Evaluator['at']>>

interface Course {
  readonly labels: Labels
  readonly values: Map<Milliseconds, number | null>
}

/** What is known of an expression at the steps from `from` to `until`. */
interface Known {
  readonly courses: ReadonlyMap<string, Course>
  readonly from: Milliseconds
  readonly until: Milliseconds
  readonly askedAt: Milliseconds
}

function nothingKnown({ t: [first = 0], step }: Grid, askedAt: Milliseconds): Known {
  return { courses: new Map(), from: first, until: first - step, askedAt }
}

/** Whether what is known is young enough, and leaves no gap before the grid. */
function holds({ from, until, askedAt }: Known, { t: [first = 0], step }: Grid, now: Milliseconds): boolean {
  return now - askedAt < FRESH_MS && from <= first && first <= until + step
}

/** Courses with what was found at the times of `due`, in place of what was told of them before. */
function extended(before: ReadonlyMap<string, Course>, due: readonly Milliseconds[], found: readonly GridSeries[]): Map<string, Course> {
  const courses = new Map([...before].map(([key, { labels, values }]) => [key, { labels, values: new Map(values) }]))
  for (const { values } of courses.values()) for (const time of due) values.delete(time)
  for (const { labels, values } of found) {
    const key = labelsKey(labels)
    const course = courses.get(key) ?? { labels, values: new Map<Milliseconds, number | null>() }
    for (const [index, time] of due.entries()) course.values.set(time, values[index] ?? null)
    courses.set(key, course)
  }
  return courses
}

/** The last so many keys. */
class Recent<T> {
  readonly #entries = new Map<string, T>()

  get(key: string): T | undefined {
    return this.#entries.get(key)
  }

  set(key: string, value: T): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    const [oldest] = this.#entries.keys()
    if (this.#entries.size > EXPRESSIONS_MAX && oldest !== undefined) this.#entries.delete(oldest)
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }
}

/**
 * An evaluator that remembers. Expressions may look only at what lies before their time, as all do that have no `@`. What arrives
 * within two minutes is always seen, and anything else within one more.
 */
export class RecentAnswers implements Evaluator {
  readonly #evaluator: Evaluator
  readonly #clock: Pick<Clock, 'now'>
  readonly #known = new Recent<Promise<Known>>()
  readonly #answers = new Recent<{ readonly time: Milliseconds; readonly askedAt: Milliseconds; readonly answer: Promise<Answer> }>()

  constructor(evaluator: Evaluator, clock: Pick<Clock, 'now'>) {
    this.#evaluator = evaluator
    this.#clock = clock
  }

  async over(expression: string, grid: Grid): Promise<readonly GridSeries[]> {
    const first = grid.t[0]
    // A range shorter than a step is asked at its end, wherever that lies.
    if (first === undefined || first % grid.step !== 0) return await this.#evaluator.over(expression, grid)
    const key = `${grid.step} ${expression}`
    // One after the other, so that a second page waits for what the first asks rather than asking too.
    const before = this.#known.get(key) ?? Promise.resolve(undefined)
    const next = before.catch(() => undefined).then(async (known) => await this.#extended(expression, grid, known))
    this.#known.set(key, next)
    try {
      const { courses } = await next
      if (courses.size * grid.t.length > VALUES_MAX) this.#known.delete(key)
      return [...courses.values()].map(({ labels, values }) => ({ labels, values: grid.t.map((time) => values.get(time) ?? null) })).filter(({ values }) => values.some((value) => value !== null))
    } catch (error) {
      if (this.#known.get(key) === next) this.#known.delete(key)
      throw error
    }
  }

  async #extended(expression: string, grid: Grid, known: Known | undefined): Promise<Known> {
    const now = this.#clock.now()
    const kept = known !== undefined && holds(known, grid, now) ? known : nothingKnown(grid, now)
    const due = grid.t.filter((time) => time > kept.until)
    if (due.length === 0) return kept
    const found = await this.#evaluator.over(expression, { t: due, step: grid.step })
    return { ...kept, courses: extended(kept.courses, due, found), until: due.findLast((time) => time <= now - SETTLED_MS) ?? kept.until }
  }

  async at(expression: string, time: Milliseconds, maxAge: Milliseconds = 0): Promise<Answer> {
    if (maxAge === 0) return await this.#evaluator.at(expression, time)
    const now = this.#clock.now()
    const before = this.#answers.get(expression)
    if (before !== undefined && time >= before.time && time - before.time <= maxAge && now - before.askedAt <= maxAge) return await before.answer
    const answer = this.#evaluator.at(expression, time)
    this.#answers.set(expression, { time, askedAt: now, answer })
    try {
      return await answer
    } catch (error) {
      if (this.#answers.get(expression)?.answer === answer) this.#answers.delete(expression)
      throw error
    }
  }
}
