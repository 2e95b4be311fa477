import { type SyntheticEvent, type ReactNode, useId, useState } from 'react'
import { type CardEdit, useMoveCard } from '../api/card-changes.ts'
import { type Board, type Card, PRIORITIES } from '../api/model.ts'
import { Avatar, hueOf } from '../shell/avatar.tsx'
import { Icon } from '../shell/icon.tsx'

interface Props {
  readonly card: Card
  readonly board: Board
  readonly canEdit: boolean
  readonly onEdit: (edit: CardEdit, done?: string) => void
}

const without = (list: readonly string[], one: string): string[] => list.filter((other) => other !== one)
const toggled = (list: readonly string[], one: string): string[] => (list.includes(one) ? without(list, one) : [...list, one])

/** The short facts of a card: where, who, when, how urgent. */
export function CardSide({ card, board, canEdit, onEdit }: Props): ReactNode {
  const move = useMoveCard(board.id)
  const id = useId()
  return (
    <aside aria-label="Facts">
      <div className="field">
        <label htmlFor={`${id}-move`}>Move to…</label>
        <select id={`${id}-move`} className="input" disabled={!canEdit} value={card.columnId} onChange={(event) => move(card, { columnId: event.target.value, before: null })}>
          {board.columns.map((column) => (
            <option key={column.id} value={column.id}>
              {column.name}
            </option>
          ))}
        </select>
      </div>
      <People card={card} board={board} canEdit={canEdit} onEdit={onEdit} />
      <Labels card={card} board={board} canEdit={canEdit} onEdit={onEdit} />
      <div className="field">
        <label htmlFor={`${id}-due`}>Due</label>
        <input id={`${id}-due`} className="input" type="date" disabled={!canEdit} value={card.due ?? ''} onChange={(event) => onEdit({ due: event.target.value === '' ? null : event.target.value })} />
      </div>
      <div className="field">
        <label htmlFor={`${id}-priority`}>Priority</label>
        <select id={`${id}-priority`} className="input capital" disabled={!canEdit} value={card.priority} onChange={(event) => onEdit({ priority: event.target.value })}>
          {PRIORITIES.map((priority) => (
            <option key={priority}>{priority}</option>
          ))}
        </select>
      </div>
      {canEdit && (
        <button type="button" className="button danger" onClick={() => onEdit({ archived: true }, 'The card is archived.')}>
          <Icon name="archive" />
          Archive card
        </button>
      )}
    </aside>
  )
}

function People({ card, board, canEdit, onEdit }: Props): ReactNode {
  const chosen = card.assignees.map((person) => person.id)
  return (
    <fieldset className="field bare">
      <legend className="label-text">Assignees</legend>
      <div className="chips">
        {board.people.map((person) => (
          <button key={person.id} type="button" className="chip" aria-pressed={chosen.includes(person.id)} disabled={!canEdit} onClick={() => onEdit({ assignees: toggled(chosen, person.id) })}>
            <Avatar name={person.name} silent />
            {person.name}
          </button>
        ))}
      </div>
    </fieldset>
  )
}

function Labels({ card, board, canEdit, onEdit }: Props): ReactNode {
  const [text, setText] = useState('')
  const known = [...new Set([...board.labels, ...card.labels])]
  const add = (event: SyntheticEvent): void => {
    event.preventDefault()
    const label = text.trim()
    if (label !== '' && !card.labels.includes(label)) onEdit({ labels: [...card.labels, label] })
    setText('')
  }
  return (
    <fieldset className="field bare">
      <legend className="label-text">Labels</legend>
      <div className="chips">
        {known.map((label) => (
          <button key={label} type="button" className={`chip dotted dot-${hueOf(label)}`} aria-pressed={card.labels.includes(label)} disabled={!canEdit} onClick={() => onEdit({ labels: toggled(card.labels, label) })}>
            {label}
          </button>
        ))}
      </div>
      {canEdit && (
        <form className="row" onSubmit={add}>
          <input className="input grow" aria-label="New label" placeholder="New label" maxLength={40} value={text} onChange={(event) => setText(event.target.value)} />
          <button type="submit" className="button" disabled={text.trim() === ''}>
            Add
          </button>
        </form>
      )}
    </fieldset>
  )
}
