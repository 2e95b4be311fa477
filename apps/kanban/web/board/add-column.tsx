import { type SyntheticEvent, type ReactNode, useState } from 'react'
import { useColumnChanges } from '../api/board-changes.ts'
import { Icon } from '../shell/icon.tsx'

/** A new column at the right end. */
export function AddColumn({ boardId }: { boardId: string }): ReactNode {
  const [open, setOpen] = useState(false)
  const [name, setName] = useState('')
  const { create } = useColumnChanges(boardId)
  const add = (event: SyntheticEvent): void => {
    event.preventDefault()
    create(name.trim())
    setName('')
    setOpen(false)
  }
  if (!open) {
    return (
      <div className="add-column">
        <button type="button" className="button" onClick={() => setOpen(true)}>
          <Icon name="plus" />
          Add a column
        </button>
      </div>
    )
  }
  return (
    <form className="add-column panel" onSubmit={add}>
      <input ref={(field) => field?.focus()} className="input" aria-label="Name of the new column" placeholder="Name" required maxLength={80} value={name} onChange={(event) => setName(event.target.value)} />
      <div className="row">
        <button type="submit" className="button primary tiny">
          Add column
        </button>
        <button type="button" className="button ghost tiny" onClick={() => setOpen(false)}>
          Cancel
        </button>
      </div>
    </form>
  )
}
