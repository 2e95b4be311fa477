import { useSyncExternalStore } from 'react'

const EVERY_MS = 60_000
let now = Date.now()

function subscribe(listener: () => void): () => void {
  const timer = setInterval(() => {
    now = Date.now()
    listener()
  }, EVERY_MS)
  return () => clearInterval(timer)
}

/** The time in ms since the epoch, a minute old at most: a card becomes overdue while one looks. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now)
}
