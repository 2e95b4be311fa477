// Changes of a board, told to everyone who looks at it.
import type { ServerResponse } from 'node:http'

export interface Change {
  readonly kind: 'card' | 'column' | 'board' | 'comment'
  readonly id: string
  readonly by: string
}

const MAX_VIEWERS = 500
const HEARTBEAT = 15_000
/** A viewer that takes its events so slowly is cut off; its page connects again and loads the board. */
const MAX_UNSENT = 256 * 1024

export class LiveHub {
  readonly #viewers = new Map<string, Set<ServerResponse>>()
  readonly #heartbeat: NodeJS.Timeout
  #count = 0

  constructor() {
    this.#heartbeat = setInterval(() => this.#each((response) => response.write(': still here\n\n')), HEARTBEAT).unref()
  }

  #each(run: (response: ServerResponse) => void): void {
    for (const viewers of this.#viewers.values()) for (const viewer of viewers) run(viewer)
  }

  /** Adds a viewer. @returns false when there are too many */
  join(board: string, response: ServerResponse): boolean {
    if (this.#count >= MAX_VIEWERS) return false
    const viewers = this.#viewers.get(board) ?? new Set()
    this.#viewers.set(board, viewers)
    viewers.add(response)
    this.#count += 1
    response.once('close', () => {
      viewers.delete(response)
      this.#count -= 1
      if (viewers.size === 0) this.#viewers.delete(board)
    })
    return true
  }

  tell(board: string, change: Change): void {
    for (const viewer of this.#viewers.get(board) ?? []) {
      if (viewer.writableLength > MAX_UNSENT) viewer.destroy()
      else viewer.write(`event: change\ndata: ${JSON.stringify(change)}\n\n`)
    }
  }

  close(): void {
    clearInterval(this.#heartbeat)
    this.#each((response) => response.end())
  }
}
