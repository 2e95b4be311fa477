import type { Milliseconds } from '@andon/model'

// The state of the one live stream as a pure function: events in, the next state and what is to be done out.
// live-connection.ts does it with a real EventSource.

export type LivePhase = 'idle' | 'connecting' | 'open' | 'waiting'

/** The stream, what the tabs want from it, and what the server has been told of it. */
export interface LiveState {
  readonly phase: LivePhase
  /** The server's name of the open stream; null unless open. */
  readonly streamId: string | null
  /** Failures since the last hello. */
  readonly attempt: number
  readonly wanted: ReadonlySet<string>
  readonly announced: ReadonlySet<string>
  /** True while an announcement is on its way: the next one waits for it, so that their order holds. */
  readonly announcing: boolean
}

export type LiveEvent =
  | { readonly kind: 'want'; readonly path: string }
  | { readonly kind: 'unwant'; readonly path: string }
  | { readonly kind: 'hello'; readonly streamId: string }
  | { readonly kind: 'failed' }
  | { readonly kind: 'retry' }
  | { readonly kind: 'announced' }

export type LiveEffect =
  | { readonly kind: 'open' }
  | { readonly kind: 'close' }
  | { readonly kind: 'wait'; readonly delay: Milliseconds }
  | { readonly kind: 'announce'; readonly streamId: string; readonly subscribe: readonly string[]; readonly unsubscribe: readonly string[] }

export type LiveStep = readonly [LiveState, readonly LiveEffect[]]

/** The server refuses more subscriptions on one stream; the tab's query then polls. */
export const MOST_PATHS = 64

export const INITIAL_LIVE_STATE: LiveState = {
  phase: 'idle',
  streamId: null,
  attempt: 0,
  wanted: new Set(),
  announced: new Set(),
  announcing: false,
}

/**
 * How long to wait before the stream is opened again: 0.5 s doubled with each failure, at most 30 s.
 *
 * @param attempt - failures so far, at least 1
 */
export function retryDelay(attempt: number): Milliseconds {
  return Math.min(30_000, 500 * 2 ** Math.min(attempt - 1, 10))
}

/** The next announcement, when the server must be told something and nothing is on its way. */
function announce(state: LiveState): LiveStep {
  if (state.phase !== 'open' || state.streamId === null || state.announcing) return [state, []]
  const wanted = [...state.wanted].slice(0, MOST_PATHS)
  const subscribe = wanted.filter((path) => !state.announced.has(path))
  const unsubscribe = [...state.announced].filter((path) => !wanted.includes(path))
  if (subscribe.length === 0 && unsubscribe.length === 0) return [state, []]
  const next = { ...state, announced: new Set(wanted), announcing: true }
  return [next, [{ kind: 'announce', streamId: state.streamId, subscribe, unsubscribe }]]
}

function want(state: LiveState, path: string): LiveStep {
  if (state.wanted.has(path)) return [state, []]
  const next = { ...state, wanted: new Set([...state.wanted, path]) }
  if (next.phase === 'idle') return [{ ...next, phase: 'connecting' }, [{ kind: 'open' }]]
  return announce(next)
}

/** The last subscription gone closes the stream: a tab that shows nothing live holds no connection. */
function unwant(state: LiveState, path: string): LiveStep {
  if (!state.wanted.has(path)) return [state, []]
  const next = { ...state, wanted: new Set([...state.wanted].filter((one) => one !== path)) }
  return next.wanted.size === 0 ? [INITIAL_LIVE_STATE, [{ kind: 'close' }]] : announce(next)
}

function failed(state: LiveState): LiveStep {
  if (state.phase === 'idle' || state.phase === 'waiting') return [state, []]
  const attempt = state.attempt + 1
  const next: LiveState = { ...state, phase: 'waiting', streamId: null, attempt, announced: new Set(), announcing: false }
  return [next, [{ kind: 'close' }, { kind: 'wait', delay: retryDelay(attempt) }]]
}

/** The state after an event, and what must be done about it, in order. */
export function stepLive(state: LiveState, event: LiveEvent): LiveStep {
  switch (event.kind) {
    case 'want':
      return want(state, event.path)
    case 'unwant':
      return unwant(state, event.path)
    case 'hello':
      if (state.phase === 'idle') return [state, [{ kind: 'close' }]]
      return announce({ ...state, phase: 'open', streamId: event.streamId, attempt: 0, announced: new Set(), announcing: false })
    case 'failed':
      return failed(state)
    case 'retry':
      return state.phase === 'waiting' ? [{ ...state, phase: 'connecting' }, [{ kind: 'open' }]] : [state, []]
    case 'announced':
      return announce({ ...state, announcing: false })
  }
}

export type LiveMode = 'live' | 'connecting' | 'still' | 'paused' | 'fixed' | 'stale' | 'polling' | 'offline'

/** What the indicator is told. */
export interface LiveSituation {
  /** False when the selected range does not move with the clock. */
  readonly moving: boolean
  readonly pausedByUser: boolean
  readonly phase: LivePhase
  /** False when this browser can hold no shared stream, or the stream has failed several times. */
  readonly streaming: boolean
  /** False when the last request of any kind did not reach the server. */
  readonly reachable: boolean
  /** Age of the last answer, by stream or by request; null when there was none yet. */
  readonly age: Milliseconds | null
}

/** After so long without any answer what is on the screen is called stale. */
export const STALE_AFTER: Milliseconds = 30_000

/** What the indicator says. */
export function liveMode(now: LiveSituation): LiveMode {
  if (!now.reachable) return 'offline'
  if (!now.moving) return 'fixed'
  if (now.pausedByUser) return 'paused'
  if (now.phase === 'idle' && now.streaming) return 'still'
  if (now.age !== null && now.age > STALE_AFTER) return 'stale'
  if (!now.streaming) return 'polling'
  return now.phase === 'open' ? 'live' : 'connecting'
}
