import { type ReactNode, useEffect, useRef, useSyncExternalStore } from 'react'
import { Icon } from './icon.tsx'

type Tone = 'good' | 'bad'
interface Toast {
  readonly id: number
  readonly text: string
  readonly tone: Tone
}

const SHOWN_MS: Readonly<Record<Tone, number>> = { good: 4_000, bad: 9_000 }
const MOST = 4
let toasts: readonly Toast[] = []
let last = 0
const listeners = new Set<() => void>()

function set(next: readonly Toast[]): void {
  toasts = next
  listeners.forEach((listener) => listener())
}

/** Says something for a few seconds at the edge of the page. */
export function toast(text: string, tone: Tone = 'good'): void {
  last += 1
  set([...toasts.filter((one) => one.text !== text), { id: last, text, tone }].slice(-MOST))
}

function dismiss(id: number): void {
  set(toasts.filter((one) => one.id !== id))
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Where toasts appear; screen readers are told of them. */
export function Toasts(): ReactNode {
  const shown = useSyncExternalStore(subscribe, () => toasts)
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    // Shown anew each time, to lie above a dialog that was opened meanwhile.
    place.current?.hidePopover()
    if (shown.length > 0) place.current?.showPopover()
  }, [shown])
  return (
    <div ref={place} popover="manual" className="toasts" role="log" aria-live="polite" aria-label="Notices">
      {shown.map((one) => (
        <Shown key={one.id} toast={one} />
      ))}
    </div>
  )
}

function Shown({ toast: { id, text, tone } }: { toast: Toast }): ReactNode {
  useEffect(() => {
    const timer = setTimeout(() => dismiss(id), SHOWN_MS[tone])
    return () => clearTimeout(timer)
  }, [id, tone])
  return (
    <div className={`toast ${tone}`}>
      <Icon name={tone === 'good' ? 'check' : 'alert'} />
      <span className="grow">{text}</span>
      <button type="button" className="button ghost tiny icon" aria-label="Dismiss" onClick={() => dismiss(id)}>
        <Icon name="close" />
      </button>
    </div>
  )
}
