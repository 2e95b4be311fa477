// What has just been done, or could not be: said at the edge of the page, with a way back where there is one.

export interface NoticeAction {
  readonly label: string
  readonly run: () => void
}

export interface Notice {
  readonly id: number
  readonly tone: 'done' | 'failed'
  readonly text: string
  readonly hint?: string
  readonly action?: NoticeAction
}

/** More than these are not shown at once; the oldest goes. */
const MOST = 4
/** How long one stays while nobody points at it, milliseconds. What failed stays longer, because it has to be read. */
const STAYS_MS: Readonly<Record<Notice['tone'], number>> = { done: 8000, failed: 20_000 }

type Watcher = () => void

class Notices {
  #list: readonly Notice[] = []
  #next = 1
  readonly #watchers = new Set<Watcher>()
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>()

  readonly subscribe = (watcher: Watcher): (() => void) => {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  readonly list = (): readonly Notice[] => this.#list

  /** Shows a notice; it goes by itself. */
  add(notice: Omit<Notice, 'id'>): void {
    const made = { ...notice, id: this.#next++ }
    for (const gone of this.#list.slice(0, Math.max(0, this.#list.length + 1 - MOST))) this.hold(gone.id)
    this.#set([...this.#list.slice(1 - MOST), made])
    this.release(made)
  }

  remove(id: number): void {
    this.hold(id)
    this.#set(this.#list.filter((one) => one.id !== id))
  }

  /** It stays while somebody points at it. */
  hold(id: number): void {
    clearTimeout(this.#timers.get(id))
    this.#timers.delete(id)
  }

  /** It goes after its time, from now. */
  release({ id, tone }: Pick<Notice, 'id' | 'tone'>): void {
    this.hold(id)
    this.#timers.set(id, setTimeout(() => this.remove(id), STAYS_MS[tone]))
  }

  #set(list: readonly Notice[]): void {
    this.#list = list
    for (const watcher of this.#watchers) watcher()
  }
}

export const notices: Notices = new Notices()
