import { useEffect, useRef } from 'react'

/** Keys of the whole page; a value of two keys (`g o`) is typed one after the other. */
export type KeyMap = Readonly<Record<string, () => void>>

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))

/** Listens for single keys while nobody types into a field, and for Ctrl/Cmd+K always. */
export function useKeys(keys: KeyMap): void {
  const current = useRef(keys)
  useEffect(() => {
    current.current = keys
  })
  useEffect(() => {
    let prefix = ''
    const onKey = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        current.current['mod+k']?.()
        return
      }
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return
      const action = current.current[prefix === '' ? event.key : `${prefix} ${event.key}`]
      prefix = event.key === 'g' && prefix === '' ? 'g' : ''
      if (action === undefined) return
      event.preventDefault()
      action()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}
