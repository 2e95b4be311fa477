import { useDroppable } from '@dnd-kit/core'
import { type ReactNode, memo, useState } from 'react'
import type { CardSummary, Column } from '../api/model.ts'
import { AddCard } from './add-card.tsx'
import { CardTile } from './card-tile.tsx'
import { ColumnHead } from './column-head.tsx'

interface Props {
  readonly boardId: string
  readonly column: Column
  /** All columns from left to right, for moving this one. */
  readonly columns: readonly Column[]
  readonly cards: readonly CardSummary[]
  /** Unarchived cards of the column, shown or not: what its limit counts. */
  readonly total: number
  readonly canEdit: boolean
  readonly liftedId: string | null
  /** Where a dragged card would land: before this card, at the end (null), or not here (undefined). */
  readonly gapBefore: string | null | undefined
  /** A dragged card may not come here by the rules of the board. */
  readonly forbidden: boolean
  readonly onOpen: (id: string) => void
}

function Shown({ boardId, column, columns, cards, total, canEdit, liftedId, gapBefore, forbidden, onOpen }: Props): ReactNode {
  const { setNodeRef } = useDroppable({ id: column.id })
  const [adding, setAdding] = useState(false)
  const over = gapBefore !== undefined && !forbidden
  return (
    <section ref={setNodeRef} className={`column${over ? ' over' : ''}${forbidden ? ' forbidden' : ''}`} data-column={column.id} aria-label={column.name}>
      <ColumnHead boardId={boardId} column={column} columns={columns} total={total} canEdit={canEdit} onAdd={() => setAdding(true)} />
      <ul className="cards" aria-label={`Cards in ${column.name}`}>
        {cards.map((card) => (
          <CardTile key={card.id} card={card} canMove={canEdit} lifted={card.id === liftedId} gap={over && gapBefore === card.id} onOpen={onOpen} />
        ))}
        {over && gapBefore === null && <li className="cards-end gap" aria-hidden="true" />}
        {cards.length === 0 && !over && <li className="dim small">{total === 0 ? 'No cards yet.' : 'No card here passes the filter.'}</li>}
      </ul>
      {canEdit && <AddCard boardId={boardId} columnId={column.id} columnName={column.name} open={adding} onOpen={setAdding} />}
    </section>
  )
}

/** A column of the board with its cards. */
export const BoardColumn: typeof Shown = memo(Shown)
