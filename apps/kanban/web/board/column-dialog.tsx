import { type SyntheticEvent, type ReactNode, useId, useState } from 'react'
import { useColumnChanges } from '../api/board-changes.ts'
import type { Column } from '../api/model.ts'
import { Modal } from '../shell/modal.tsx'

/** Name and limit of a column. */
export function ColumnDialog({ boardId, column, onClose }: { boardId: string; column: Column; onClose: () => void }): ReactNode {
  const [name, setName] = useState(column.name)
  const [limit, setLimit] = useState(column.wipLimit === null ? '' : String(column.wipLimit))
  const { change } = useColumnChanges(boardId)
  const id = useId()
  const save = (event: SyntheticEvent): void => {
    event.preventDefault()
    change(column, { name: name.trim(), wipLimit: limit === '' ? null : Number(limit) })
    onClose()
  }
  return (
    <Modal title={`Column “${column.name}”`} onClose={onClose}>
      <form className="stack" onSubmit={save}>
        <div className="field">
          <label htmlFor={`${id}-name`}>Name</label>
          <input id={`${id}-name`} className="input" required maxLength={80} value={name} onChange={(event) => setName(event.target.value)} />
        </div>
        <div className="field">
          <label htmlFor={`${id}-limit`}>Most cards at the same time (work in progress)</label>
          <input id={`${id}-limit`} className="input" type="number" min={1} max={1000} placeholder="No limit" value={limit} onChange={(event) => setLimit(event.target.value)} />
        </div>
        <div className="actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button primary">
            Save
          </button>
        </div>
      </form>
    </Modal>
  )
}
