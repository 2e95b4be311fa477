import { type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query'
import { type Context, createContext, useContext, useEffect, useState, useSyncExternalStore } from 'react'
import { ApiError, getJson } from './client.ts'
import { live } from './live.ts'
import type { LiveMode } from './live-state.ts'

/** True where data may move: the range is relative and nobody pressed pause. Given by the shell. */
export const LiveAllowed: Context<boolean> = createContext(false)

const POLL_EVERY_MS = 10_000
const HEAL_EVERY_MS = 5000

async function read<T>(path: string, signal: AbortSignal): Promise<T> {
  try {
    const body = await getJson<T>(path, signal)
    live.report(true)
    return body
  } catch (error) {
    if (error instanceof ApiError) live.report(error.status !== 0)
    throw error
  }
}

/** A server that could not be reached is asked again, so that the page heals by itself. */
const healing = (error: Error | null): number | false => (error instanceof ApiError && error.status === 0 ? HEAL_EVERY_MS : false)

const routeOf = (path: string): string => path.split('?')[0] ?? path

/**
 * A route's newest answer: asked for at once and, while live, pushed by the stream (or asked for every 10 s where it cannot be had).
 * While the next range loads, the same route's last answer stays on the screen (`isPlaceholderData`).
 *
 * @param path - from client.ts; null asks nothing
 */
export function useLive<T>(path: string | null): UseQueryResult<T> {
  const allowed = useContext(LiveAllowed)
  const client = useQueryClient()
  useSyncExternalStore(live.subscribe, live.version)
  const moving = allowed && path !== null
  useEffect(() => {
    if (!moving) return
    return live.want(path, {
      data: (body) => client.setQueryData(['get', path], body),
      // Asked for once more by a plain request: its answer carries the error whole.
      problem: () => void client.invalidateQueries({ queryKey: ['get', path], exact: true }),
    })
  }, [moving, path, client])
  const { polling } = live
  useEffect(() => {
    // At once, so that a server that is gone is noticed now and not at the first poll.
    if (moving && polling) void client.invalidateQueries({ queryKey: ['get', path], exact: true })
  }, [moving, polling, path, client])
  return useQuery<T>({
    queryKey: ['get', path],
    enabled: path !== null,
    queryFn: ({ signal }) => read<T>(path ?? '', signal),
    refetchInterval: (query) => (moving && live.polling ? POLL_EVERY_MS : healing(query.state.error)),
    placeholderData: (before, query) => {
      const key = query?.queryKey[1]
      return typeof key === 'string' && path !== null && routeOf(key) === routeOf(path) ? before : undefined
    },
  })
}

/** A route's answer that the stream does not carry: asked for now and then while live, the last one staying meanwhile. */
export function usePolled<T>(path: string): UseQueryResult<T> {
  const allowed = useContext(LiveAllowed)
  return useQuery<T>({
    queryKey: ['get', path],
    queryFn: ({ signal }) => read<T>(path, signal),
    refetchInterval: (query) => (allowed ? POLL_EVERY_MS : healing(query.state.error)),
    placeholderData: (before, query) => (typeof query?.queryKey[1] === 'string' && routeOf(query.queryKey[1]) === routeOf(path) ? before : undefined),
  })
}

/** A route's answer that does not move, such as one trace. */
export function useOnce<T>(path: string | null): UseQueryResult<T> {
  return useQuery<T>({
    queryKey: ['get', path],
    enabled: path !== null,
    queryFn: ({ signal }) => read<T>(path ?? '', signal),
    staleTime: 60_000,
    refetchInterval: (query) => healing(query.state.error),
  })
}

/** What the live indicator says; looks again every second, because answers age. */
export function useLiveMode(moving: boolean, pausedByUser: boolean): { readonly mode: LiveMode; readonly answered: number | null; readonly now: number } {
  useSyncExternalStore(live.subscribe, live.version)
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return { mode: live.mode(moving, pausedByUser, now), answered: live.answered, now }
}
