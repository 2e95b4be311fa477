import { useEffect, useRef } from 'react'

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName) || target.closest('[role="dialog"]') !== null)

/** Single keys of one page, while nobody types and no window is open. The shell's own keys must not be among them. */
export function usePageKeys(keys: Readonly<Record<string, () => void>>): void {
  const current = useRef(keys)
  useEffect(() => {
    current.current = keys
  })
  useEffect(() => {
    let afterG = false
    const onKey = (event: KeyboardEvent): void => {
      // `g a` goes to another page: it must not do what `a` does on this one.
      const isSecond = afterG
      afterG = event.key === 'g' && !isSecond
      if (isSecond || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target)) return
      const action = current.current[event.key]
      if (action === undefined) return
      event.preventDefault()
      action()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}
