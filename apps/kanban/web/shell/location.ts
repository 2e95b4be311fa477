import { useSyncExternalStore } from 'react'

const listeners = new Set<() => void>()
const announce = (): void => listeners.forEach((listener) => listener())

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  window.addEventListener('popstate', listener)
  return () => {
    listeners.delete(listener)
    window.removeEventListener('popstate', listener)
  }
}

/** Path and query of the page, as one string. */
export function useAddress(): string {
  return useSyncExternalStore(subscribe, () => location.pathname + location.search)
}

/** Goes to an address of this page without loading it again. */
export function navigate(to: string, how: 'push' | 'replace' = 'push'): void {
  if (to === location.pathname + location.search) return
  history[how === 'push' ? 'pushState' : 'replaceState'](null, '', to)
  announce()
}

/** Sets or (with an empty text) removes parameters of the query and keeps the others. */
export function setQuery(changes: Readonly<Record<string, string>>, how: 'push' | 'replace' = 'replace'): void {
  const query = new URLSearchParams(location.search)
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') query.delete(name)
    else query.set(name, value)
  }
  const text = query.toString()
  navigate(location.pathname + (text === '' ? '' : `?${text}`), how)
}
