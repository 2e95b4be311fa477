import type { MouseEvent, ReactNode } from 'react'
import { navigate } from './location.ts'

/** A link inside the page; modified clicks stay the browser's. */
export function Link({ to, className, children }: { to: string; className?: string; children: ReactNode }): ReactNode {
  const follow = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) return
    event.preventDefault()
    navigate(to)
  }
  return (
    <a href={to} className={className} onClick={follow}>
      {children}
    </a>
  )
}
