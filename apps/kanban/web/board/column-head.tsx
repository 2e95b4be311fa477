import { type ReactNode, useState } from 'react'
import { useColumnChanges } from '../api/board-changes.ts'
import type { Column } from '../api/model.ts'
import { Menu } from '../shell/menu.tsx'
import { ColumnDialog } from './column-dialog.tsx'

interface Props {
  readonly boardId: string
  readonly column: Column
  readonly columns: readonly Column[]
  readonly total: number
  readonly canEdit: boolean
  readonly onAdd: () => void
}

/** The name of a column, how full it is, and what can be done with it. */
export function ColumnHead({ boardId, column, columns, total, canEdit, onAdd }: Props): ReactNode {
  const [editing, setEditing] = useState(false)
  const { move, archive } = useColumnChanges(boardId)
  const at = columns.findIndex((one) => one.id === column.id)
  const full = column.wipLimit !== null && total >= column.wipLimit
  const count = column.wipLimit === null ? String(total) : `${total}/${column.wipLimit}`
  const said = column.wipLimit === null ? `${total} cards` : `${total} of at most ${column.wipLimit} cards`
  return (
    <header className="column-head">
      <h2 title={column.name}>{column.name}</h2>
      <span className={full ? 'badge full' : 'badge'} title={full ? `${said}: the limit is reached` : said}>
        <span aria-hidden="true">{count}</span>
        <span className="sr">{said}</span>
      </span>
      {canEdit && (
        <Menu
          label={`Commands of ${column.name}`}
          items={[
            { label: 'Add a card', icon: 'plus', onChoose: onAdd },
            { label: 'Name and limit…', icon: 'edit', onChoose: () => setEditing(true) },
            { label: 'Move left', icon: 'left', disabled: at <= 0, onChoose: () => move(column, at - 1) },
            { label: 'Move right', icon: 'right', disabled: at === columns.length - 1, onChoose: () => move(column, at + 1) },
            { label: 'Archive column', icon: 'archive', onChoose: () => archive(column) },
          ]}
        />
      )}
      {editing && <ColumnDialog boardId={boardId} column={column} onClose={() => setEditing(false)} />}
    </header>
  )
}
