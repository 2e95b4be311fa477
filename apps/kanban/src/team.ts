// A team at work: what its people do next, by a seed, and what their requests took.
import type { BoardView } from './board-view.ts'
import { KanbanClient } from './client.ts'
import { DEMO_PEOPLE } from './seed.ts'
import type { CardSummary } from './tasks.ts'

/** Cards that a board may have before the oldest are archived. */
const MAX_CARDS = 60

const WORDS = ['checkout', 'basket', 'search', 'invoice', 'login', 'delivery', 'price', 'stock', 'mail', 'report', 'cache', 'index']
const VERBS = ['Fix', 'Measure', 'Speed up', 'Document', 'Test', 'Simplify', 'Redesign']

/** Numbers within 0..1 that are the same for the same seed. @see mulberry32 by Tommy Ettinger */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What the requests of a run took. */
export class Report {
  readonly #durations = new Map<string, number[]>()
  requests = 0
  /** Answers of 500 and above, and requests without an answer. */
  failures = 0

  add(route: string, duration: number, status: number): void {
    this.requests += 1
    if (status === 0 || status >= 500) this.failures += 1
    const list = this.#durations.get(route) ?? []
    this.#durations.set(route, list)
    // The newest thousand of each are enough for a quantile.
    if (list.length >= 1000) list.shift()
    list.push(duration)
  }

  get mean(): number {
    const all = [...this.#durations.values()].flat()
    return all.length === 0 ? 0 : all.reduce((sum, each) => sum + each, 0) / all.length
  }

  /** A table of routes with their count, mean and 95th percentile in milliseconds. */
  toString(): string {
    const rows = [...this.#durations].toSorted(([a], [b]) => a.localeCompare(b)).map(([route, list]) => {
      const sorted = list.toSorted((a, b) => a - b)
      const mean = sorted.reduce((sum, each) => sum + each, 0) / sorted.length
      const p95 = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))] ?? 0
      return `  ${route.padEnd(12)} ${String(list.length).padStart(6)} requests   mean ${mean.toFixed(1).padStart(8)} ms   p95 ${p95.toFixed(1).padStart(8)} ms`
    })
    return [`${this.requests} requests, ${this.failures} failed, mean ${this.mean.toFixed(1)} ms`, ...rows].join('\n')
  }
}

/** One person of the team, who does one thing after another. */
export class Worker {
  readonly #client: KanbanClient
  readonly #random: () => number
  readonly #person: (typeof DEMO_PEOPLE)[number]
  #board: BoardView | undefined

  constructor(url: string, report: Report, random: () => number, index: number) {
    this.#client = new KanbanClient(url, (route, duration, status) => report.add(route, duration, status))
    this.#random = random
    this.#person = DEMO_PEOPLE[index % DEMO_PEOPLE.length] ?? DEMO_PEOPLE[0]
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.#random() * list.length)]
  }

  /** Logs in and opens a board. @throws Error when the kanban cannot be reached */
  async begin(): Promise<void> {
    await this.#client.logIn(this.#person.name, this.#person.password)
    const first = this.#pick(await this.#client.boards())
    if (first !== undefined) this.#board = await this.#client.board(first.id)
  }

  /** Does one thing, which is one request, now and then with one more for tidying up. @throws Error when the kanban cannot be reached */
  async act(): Promise<void> {
    const board = this.#board
    if (board === undefined) return await this.begin()
    const card = this.#pick(board.cards)
    const chance = this.#random()
    const reads = this.#person.role === 'viewer'
    if (chance < 0.4 || card === undefined) this.#board = await this.#client.board(board.id)
    else if (chance < 0.55) await this.#client.open(card)
    else if (chance < 0.65 || reads) await this.#client.search(board.id, this.#pick(WORDS) ?? '')
    else await this.#write(board, card, chance)
  }

  async #write(board: BoardView, card: CardSummary, chance: number): Promise<void> {
    const column = this.#pick(board.columns)
    if (column === undefined) return
    if (chance < 0.75) {
      await this.#client.create(board.id, { columnId: board.columns[0]?.id ?? column.id, title: `${this.#pick(VERBS) ?? ''} the ${this.#pick(WORDS) ?? ''}`, labels: [this.#pick(WORDS) ?? ''] })
      await this.#tidy(board)
    } else if (chance < 0.9) {
      await this.#client.move(card, column.id, null)
    } else if (chance < 0.95) {
      await this.#client.comment(card, `What about the ${this.#pick(WORDS) ?? ''}?`)
    } else {
      await this.#client.change(card, { priority: this.#pick(['low', 'medium', 'high', 'urgent']) })
    }
    // What was changed has a new version: the board is opened again before the next change.
    this.#board = await this.#client.board(board.id)
  }

  async #tidy(board: BoardView): Promise<void> {
    const [oldest] = board.cards
    if (board.cards.length >= MAX_CARDS && oldest !== undefined) await this.#client.change(oldest, { archived: true })
  }
}
