import { type ReactNode, useEffect, useId, useRef } from 'react'
import { Icon } from './icon.tsx'

interface Props {
  readonly title: string
  readonly onClose: () => void
  readonly size?: 'small' | 'large'
  readonly children: ReactNode
}

/** A modal dialog of the browser: it holds the focus, Escape closes it, and the focus returns to where it was. */
export function Modal({ title, onClose, size = 'small', children }: Props): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useId()
  useEffect(() => {
    const element = dialog.current
    const before = document.activeElement
    element?.showModal()
    return () => {
      element?.close()
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  useEffect(() => {
    const element = dialog.current
    // A press on the veil is a short cut of the pointer; the keyboard has Escape and the button.
    const outside = (event: Event): void => {
      if (event.target === element) onClose()
    }
    element?.addEventListener('mousedown', outside)
    return () => element?.removeEventListener('mousedown', outside)
  }, [onClose])
  return (
    <dialog
      ref={dialog}
      className={`modal ${size}`}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
    >
      <header className="modal-head">
        <h2 id={heading} className="grow">
          {title}
        </h2>
        <button type="button" className="button ghost icon" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div className="modal-body">{children}</div>
    </dialog>
  )
}
