import { type SyntheticEvent, type ReactNode, useId, useState } from 'react'
import { useCreateBoard } from '../api/boards.ts'
import { sayError } from '../api/http.ts'
import { navigate } from '../shell/location.ts'
import { Modal } from '../shell/modal.tsx'

/** A new board, empty or from a markdown file. */
export function NewBoard({ from, onClose }: { from: 'new' | 'import'; onClose: () => void }): ReactNode {
  const [text, setText] = useState('')
  const create = useCreateBoard()
  const id = useId()
  const send = (event: SyntheticEvent): void => {
    event.preventDefault()
    create.mutate(from === 'new' ? { name: text.trim() } : { markdown: text }, { onSuccess: (board) => navigate(`/boards/${encodeURIComponent(board.id)}`) })
  }
  const read = async (file: File | undefined): Promise<void> => {
    if (file !== undefined) setText(await file.text())
  }
  return (
    <Modal title={from === 'new' ? 'New board' : 'Import a board'} onClose={onClose}>
      <form className="stack" onSubmit={send}>
        {from === 'new' ? (
          <div className="field">
            <label htmlFor={id}>Name</label>
            <input id={id} className="input" required maxLength={120} value={text} onChange={(event) => setText(event.target.value)} />
            <p className="dim small">It starts with the columns To do, Doing and Done.</p>
          </div>
        ) : (
          <>
            <div className="field">
              <label htmlFor={`${id}-file`}>A markdown file that a board was exported to</label>
              <input id={`${id}-file`} className="input" type="file" accept=".md,.markdown,text/markdown,text/plain" onChange={(event) => void read(event.target.files?.[0])} />
            </div>
            <div className="field">
              <label htmlFor={id}>Or its text</label>
              <textarea id={id} className="input" required rows={8} value={text} onChange={(event) => setText(event.target.value)} />
            </div>
          </>
        )}
        {create.error !== null && (
          <p className="notice" role="alert">
            {sayError(create.error)}
          </p>
        )}
        <div className="actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button primary" disabled={create.isPending || text.trim() === ''}>
            {from === 'new' ? 'Create board' : 'Import'}
          </button>
        </div>
      </form>
    </Modal>
  )
}
