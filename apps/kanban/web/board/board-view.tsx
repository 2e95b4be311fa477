import { DndContext, DragOverlay, MeasuringStrategy } from '@dnd-kit/core'
import { type ReactNode, useCallback, useMemo } from 'react'
import { useMoveCard } from '../api/card-changes.ts'
import type { Board, CardSummary } from '../api/model.ts'
import { AddColumn } from './add-column.tsx'
import { CardFace } from './card-face.tsx'
import { BoardColumn } from './column.tsx'
import { byColumn, type Target } from './placement.ts'
import { useDrag } from './use-drag.ts'
import { useKeyboard } from './use-keyboard.ts'

interface Props {
  readonly board: Board
  /** The cards that pass the filters. */
  readonly visible: readonly CardSummary[]
  readonly canEdit: boolean
  readonly onOpen: (id: string) => void
}

const NO_CARDS: readonly CardSummary[] = []
const MEASURING = { droppable: { strategy: MeasuringStrategy.WhileDragging } }
/** Our own live region speaks; that of the library would speak of ids. */
const SILENT = {
  announcements: { onDragStart: () => undefined, onDragOver: () => undefined, onDragEnd: () => undefined, onDragCancel: () => undefined, onDragMove: () => undefined },
  screenReaderInstructions: { draggable: '' },
}

const isAllowed = (board: Board, from: string, to: string): boolean => from === to || board.rules.length === 0 || board.rules.some((rule) => rule.from === from && rule.to === to)

/** The columns side by side, with everything that moves cards. */
export function BoardView({ board, visible, canEdit, onOpen }: Props): ReactNode {
  const moveCard = useMoveCard(board.id)
  const drag = useDrag()
  const drop = useCallback(
    (id: string, target: Target) => {
      const card = board.cards.find((one) => one.id === id)
      if (card !== undefined) moveCard(card, target)
    },
    [board.cards, moveCard],
  )
  const keys = useKeyboard({ cards: visible, columns: board.columns, canMove: canEdit, onOpen, onDrop: drop })
  const totals = useMemo(() => byColumn(board.cards), [board.cards])
  const shown = useMemo(() => byColumn(keys.cards), [keys.cards])
  const dragged = drag.id === null ? undefined : board.cards.find((card) => card.id === drag.id)
  const end = (): void => {
    const target = drag.end()
    if (target === null || dragged === undefined) return
    const own = board.cards.filter((card) => card.columnId === dragged.columnId)
    const next = own[own.indexOf(dragged) + 1]?.id ?? null
    if (target.columnId !== dragged.columnId || target.before !== next) drop(dragged.id, target)
  }
  return (
    <DndContext
      sensors={drag.sensors}
      collisionDetection={drag.collision}
      measuring={MEASURING}
      accessibility={SILENT}
      onDragStart={({ active }) => drag.start(String(active.id))}
      onDragMove={({ over }) => drag.move(over === null ? null : String(over.id))}
      onDragEnd={end}
      onDragCancel={() => drag.end()}
    >
      <p id="card-keys" hidden>
        Space or Enter lifts the card, arrows move it, O opens it.
      </p>
      <p id="card-keys-viewer" hidden>
        Enter opens the card.
      </p>
      <div className="sr" aria-live="assertive" data-spoken>
        {keys.spoken}
      </div>
      <div className={drag.id === null ? 'columns' : 'columns dragging'} role="presentation" onKeyDown={keys.onKeyDown} onKeyUp={keys.onKeyUp}>
        {board.columns.map((column) => (
          <BoardColumn
            key={column.id}
            boardId={board.id}
            column={column}
            columns={board.columns}
            cards={shown.get(column.id) ?? NO_CARDS}
            total={totals.get(column.id)?.length ?? 0}
            canEdit={canEdit}
            liftedId={keys.liftedId}
            gapBefore={drag.target?.columnId === column.id ? drag.target.before : undefined}
            forbidden={dragged !== undefined && !isAllowed(board, dragged.columnId, column.id)}
            onOpen={onOpen}
          />
        ))}
        {canEdit && <AddColumn boardId={board.id} />}
      </div>
      <DragOverlay dropAnimation={null}>
        {dragged !== undefined && (
          <div className="card drawn">
            <CardFace card={dragged} />
          </div>
        )}
      </DragOverlay>
    </DndContext>
  )
}
