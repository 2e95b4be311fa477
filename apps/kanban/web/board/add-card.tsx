import { type SyntheticEvent, type KeyboardEvent, type ReactNode, useState } from 'react'
import { useCreateCard } from '../api/card-changes.ts'
import { sayError } from '../api/http.ts'
import { Icon } from '../shell/icon.tsx'
import { toast } from '../shell/toasts.tsx'

interface Props {
  readonly boardId: string
  readonly columnId: string
  readonly columnName: string
  readonly open: boolean
  readonly onOpen: (open: boolean) => void
}

/** Titles of new cards, one after the other: Enter adds, Escape ends. */
export function AddCard({ boardId, columnId, columnName, open, onOpen }: Props): ReactNode {
  const [title, setTitle] = useState('')
  const create = useCreateCard(boardId)
  const add = (event?: SyntheticEvent): void => {
    event?.preventDefault()
    const text = title.trim()
    if (text === '' || create.isPending) return
    create.mutate({ columnId, title: text }, { onSuccess: () => setTitle(''), onError: (error) => toast(sayError(error), 'bad') })
  }
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') onOpen(false)
    else if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) add()
    else return
    event.preventDefault()
  }
  return (
    <div className="add-card">
      {open ? (
        <form className="stack" style={{ gap: 8 }} onSubmit={add}>
          {/* The person has just asked for this field. */}
          <textarea ref={(field) => field?.focus()} className="input" aria-label={`Title of a new card in ${columnName}`} placeholder="What is to be done?" maxLength={200} value={title} onChange={(event) => setTitle(event.target.value)} onKeyDown={onKey} />
          <div className="row">
            <button type="submit" className="button primary tiny" disabled={title.trim() === '' || create.isPending}>
              Add card
            </button>
            <button type="button" className="button ghost tiny" onClick={() => onOpen(false)}>
              Done
            </button>
          </div>
        </form>
      ) : (
        <button type="button" className="button ghost" data-add-card aria-label={`Add a card to ${columnName}`} onClick={() => onOpen(true)}>
          <Icon name="plus" />
          Add a card
        </button>
      )}
    </div>
  )
}
