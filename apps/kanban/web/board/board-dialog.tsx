import { type ReactNode, type SyntheticEvent, useId, useState } from 'react'
import { useChangeBoard } from '../api/boards.ts'
import { sayError } from '../api/http.ts'
import type { Board } from '../api/model.ts'
import { navigate } from '../shell/location.ts'
import { Modal } from '../shell/modal.tsx'
import { toast } from '../shell/toasts.tsx'

/** Name and description of a board, and putting it away. */
export function BoardDialog({ board, onClose }: { board: Board; onClose: () => void }): ReactNode {
  const [name, setName] = useState(board.name)
  const [description, setDescription] = useState(board.description)
  const [sure, setSure] = useState(false)
  const change = useChangeBoard(board.id)
  const id = useId()
  const save = (event: SyntheticEvent): void => {
    event.preventDefault()
    change.mutate({ name: name.trim(), description: description.trim() }, { onSuccess: onClose })
  }
  const archive = (): void => {
    if (!sure) return setSure(true)
    change.mutate(
      { archived: true },
      {
        onSuccess: () => {
          toast(`“${board.name}” is archived.`)
          navigate('/')
        },
      },
    )
  }
  return (
    <Modal title="Board" onClose={onClose}>
      <form className="stack" onSubmit={save}>
        <div className="field">
          <label htmlFor={`${id}-name`}>Name</label>
          <input id={`${id}-name`} className="input" required maxLength={120} value={name} onChange={(event) => setName(event.target.value)} />
        </div>
        <div className="field">
          <label htmlFor={`${id}-description`}>Description</label>
          <textarea id={`${id}-description`} className="input" maxLength={2000} value={description} onChange={(event) => setDescription(event.target.value)} />
        </div>
        {change.error !== null && (
          <p className="notice" role="alert">
            {sayError(change.error)}
          </p>
        )}
        <div className="actions">
          <button type="button" className="button danger" onClick={archive} disabled={change.isPending}>
            {sure ? 'Really archive it?' : 'Archive board'}
          </button>
          <span className="grow" />
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button primary" disabled={change.isPending}>
            Save
          </button>
        </div>
      </form>
    </Modal>
  )
}
