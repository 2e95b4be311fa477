// A person at work over the REST API, for the traffic and the load test.
import type { BoardView } from './board-view.ts'
import type { BoardSummary } from './boards.ts'
import type { Card, CardSummary } from './tasks.ts'

/** What one request took and gave. */
export interface Answer<T> {
  readonly status: number
  readonly body: T
  /** Milliseconds until the whole answer was there. */
  readonly duration: number
}

const TIMEOUT = 30_000

export class KanbanClient {
  readonly #url: string
  readonly #done: (route: string, duration: number, status: number) => void
  #cookie = ''

  /** @param done - told each request: its route, milliseconds, and status (0 when there was no answer) */
  constructor(url: string, done: (route: string, duration: number, status: number) => void = () => undefined) {
    this.#url = url.replace(/\/$/, '')
    this.#done = done
  }

  async #request<T>(route: string, method: string, path: string, body?: object): Promise<Answer<T>> {
    const begun = performance.now()
    try {
      const response = await fetch(this.#url + path, {
        method,
        headers: { cookie: this.#cookie, ...(body !== undefined && { 'content-type': 'application/json' }) },
        signal: AbortSignal.timeout(TIMEOUT),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      const duration = performance.now() - begun
      this.#done(route, duration, response.status)
      const cookie = response.headers.get('set-cookie')
      if (cookie !== null) this.#cookie = cookie.split(';', 1)[0] ?? ''
      return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : {}, duration }
    } catch (error) {
      this.#done(route, performance.now() - begun, 0)
      throw error
    }
  }

  /** @throws Error when the kanban cannot be reached or refuses */
  async logIn(name: string, password: string): Promise<void> {
    const { status } = await this.#request('log in', 'POST', '/api/login', { name, password })
    if (status !== 200) throw new Error(`the kanban answered ${status} to the log-in of ${name}`)
  }

  async boards(): Promise<readonly BoardSummary[]> {
    return (await this.#request<{ boards?: readonly BoardSummary[] }>('boards', 'GET', '/api/boards')).body.boards ?? []
  }

  async board(id: string): Promise<BoardView | undefined> {
    return (await this.#request<{ board?: BoardView }>('open board', 'GET', `/api/boards/${id}`)).body.board
  }

  async create(board: string, card: { columnId: string; title: string; labels?: readonly string[]; priority?: string }): Promise<Answer<{ card?: Card }>> {
    return await this.#request('create', 'POST', `/api/boards/${board}/tasks`, card)
  }

  async move(card: CardSummary, columnId: string, before: string | null): Promise<void> {
    await this.#request('move', 'POST', `/api/tasks/${card.id}/move`, { columnId, before, version: card.version })
  }

  async change(card: CardSummary, changes: object): Promise<void> {
    await this.#request('change', 'PATCH', `/api/tasks/${card.id}`, { version: card.version, ...changes })
  }

  async open(card: CardSummary): Promise<void> {
    await this.#request('open card', 'GET', `/api/tasks/${card.id}`)
  }

  async comment(card: CardSummary, text: string): Promise<void> {
    await this.#request('comment', 'POST', `/api/tasks/${card.id}/comments`, { text })
  }

  async search(board: string, text: string): Promise<void> {
    await this.#request('search', 'GET', `/api/boards/${board}/search?text=${encodeURIComponent(text)}`)
  }
}
