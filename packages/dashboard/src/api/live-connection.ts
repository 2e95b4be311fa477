import { INITIAL_LIVE_STATE, type LiveEffect, type LiveEvent, type LivePhase, type LiveState, stepLive } from './live-state.ts'

/** What a connection tells its owner. */
export interface ConnectionListener {
  data(path: string, body: unknown): void
  problem(path: string, message: string): void
  phase(phase: LivePhase, attempt: number): void
}

interface Pushed {
  readonly path?: unknown
  readonly body?: unknown
  readonly id?: unknown
  readonly message?: unknown
  readonly error?: { readonly message?: unknown }
}

const parse = (event: Event): Pushed => {
  const data: unknown = event instanceof MessageEvent ? event.data : null
  try {
    const value: unknown = typeof data === 'string' ? JSON.parse(data) : null
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

/**
 * The one server-sent-event stream of a browser: opens when a path is wanted, announces what is wanted, opens again with growing
 * delays when it breaks, and closes when nothing is wanted. Owned by a LiveHub; runs in a SharedWorker or in the leading tab.
 */
export class LiveConnection {
  readonly #listener: ConnectionListener
  #state: LiveState = INITIAL_LIVE_STATE
  #source: EventSource | null = null
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(listener: ConnectionListener) {
    this.#listener = listener
  }

  /** Takes an event; every effect is started before this returns. */
  take(event: LiveEvent): void {
    const before = this.#state
    const [state, effects] = stepLive(before, event)
    this.#state = state
    for (const effect of effects) this.#perform(effect)
    if (state.phase !== before.phase || state.attempt !== before.attempt) this.#listener.phase(state.phase, state.attempt)
  }

  #perform(effect: LiveEffect): void {
    switch (effect.kind) {
      case 'open':
        this.#open()
        return
      case 'close':
        this.#source?.close()
        this.#source = null
        clearTimeout(this.#timer)
        return
      case 'wait':
        this.#timer = setTimeout(() => this.take({ kind: 'retry' }), effect.delay)
        return
      case 'announce':
        void this.#announce(effect.streamId, effect.subscribe, effect.unsubscribe)
    }
  }

  #open(): void {
    const source = new EventSource('/api/live')
    this.#source = source
    source.addEventListener('hello', (event) => {
      const { id } = parse(event)
      if (this.#source === source && typeof id === 'string') this.take({ kind: 'hello', streamId: id })
    })
    source.addEventListener('data', (event) => {
      const { path, body } = parse(event)
      if (typeof path === 'string') this.#listener.data(path, body)
    })
    source.addEventListener('problem', (event) => {
      const pushed = parse(event)
      const message = pushed.error?.message ?? pushed.message
      if (typeof pushed.path === 'string') this.#listener.problem(pushed.path, typeof message === 'string' ? message : 'The query failed.')
    })
    // The browser would open the stream again by itself, but without delay growth and under an id we would not notice.
    source.addEventListener('error', () => {
      if (this.#source === source) this.take({ kind: 'failed' })
    })
  }

  async #announce(streamId: string, subscribe: readonly string[], unsubscribe: readonly string[]): Promise<void> {
    const ok = await fetch(`/api/live/${encodeURIComponent(streamId)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ subscribe, unsubscribe }),
    }).then(
      (response) => response.ok,
      () => false,
    )
    if (this.#state.streamId !== streamId) return
    this.take(ok ? { kind: 'announced' } : { kind: 'failed' })
  }
}
