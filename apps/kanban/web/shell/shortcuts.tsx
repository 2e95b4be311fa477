import { type ReactNode, useEffect, useState } from 'react'
import { Modal } from './modal.tsx'

const KEYS: readonly (readonly [string, string])[] = [
  ['?', 'This list'],
  ['/', 'Search the board'],
  ['n', 'A new card in the first column'],
  ['Tab', 'Walk from card to card'],
  ['o', 'Open the focused card'],
  ['Space or Enter', 'Lift the focused card; Enter or Space again drops it'],
  ['← → ↑ ↓', 'Move a lifted card; walk between cards when none is lifted'],
  ['Esc', 'Put a lifted card back; close a dialog'],
]

/** Whether a key press belongs to a field and is no command. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
}

/** The list of keys, opened by `?`. */
export function Shortcuts(): ReactNode {
  const [open, setOpen] = useState(false)
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== '?' || isTyping(event.target) || document.querySelector('dialog[open]') !== null) return
      event.preventDefault()
      setOpen(true)
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
  if (!open) return null
  return (
    <Modal title="Keys" onClose={() => setOpen(false)}>
      <dl className="keys">
        {KEYS.map(([key, meaning]) => (
          <div key={key} style={{ display: 'contents' }}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  )
}
