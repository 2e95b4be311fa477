import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { boardKey, cardKey } from './boards.ts'

export type Connection = 'connecting' | 'open' | 'lost'

const GATHER_MS = 120
const RETRY_MS = 5_000

/**
 * Follows what others do on a board: what changed is asked for again, many changes in one go.
 *
 * @returns whether changes arrive at the moment
 */
export function useLive(boardId: string): Connection {
  const client = useQueryClient()
  const [state, setState] = useState<Connection>('connecting')
  useEffect(() => {
    let stream: EventSource | null = null
    let missed = false
    let gather: ReturnType<typeof setTimeout> | undefined
    let retry: ReturnType<typeof setTimeout> | undefined
    const refresh = (): void => {
      // An answer from before our own change would take back what is shown of it; the change asks again itself.
      gather = client.isMutating() > 0 ? setTimeout(refresh, GATHER_MS) : undefined
      if (gather !== undefined) return
      void client.invalidateQueries({ queryKey: boardKey(boardId) })
      void client.invalidateQueries({ queryKey: ['activity', boardId] })
      void client.invalidateQueries({ queryKey: cardKey('').slice(0, 1) })
    }
    const connect = (): void => {
      stream = new EventSource(`/api/boards/${encodeURIComponent(boardId)}/live`)
      stream.addEventListener('open', () => {
        setState('open')
        if (missed) refresh()
        missed = false
      })
      stream.addEventListener('error', () => {
        setState('lost')
        missed = true
        // The browser tries again by itself, except after an answer that is no stream.
        if (stream?.readyState === EventSource.CLOSED) retry = setTimeout(connect, RETRY_MS)
      })
      stream.addEventListener('change', () => {
        gather ??= setTimeout(refresh, GATHER_MS)
      })
    }
    connect()
    return () => {
      stream?.close()
      clearTimeout(gather)
      clearTimeout(retry)
    }
  }, [boardId, client])
  return state
}
