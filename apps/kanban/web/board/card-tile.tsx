import { useDraggable } from '@dnd-kit/core'
import { type ReactNode, memo } from 'react'
import type { CardSummary } from '../api/model.ts'
import { CardFace } from './card-face.tsx'

interface Props {
  readonly card: CardSummary
  readonly canMove: boolean
  readonly lifted: boolean
  /** Whether a dragged card would land just above this one. */
  readonly gap: boolean
  readonly onOpen: (id: string) => void
}

function Tile({ card, canMove, lifted, gap, onOpen }: Props): ReactNode {
  const { setNodeRef, listeners, isDragging } = useDraggable({ id: card.id, disabled: !canMove })
  const classes = `card${lifted ? ' lifted' : ''}${isDragging ? ' moving' : ''}`
  return (
    <li className={gap ? 'slot gap' : 'slot'} data-slot={card.id}>
      <button
        ref={setNodeRef}
        type="button"
        className={classes}
        data-card={card.id}
        aria-describedby={canMove ? 'card-keys' : 'card-keys-viewer'}
        aria-pressed={canMove ? lifted : undefined}
        {...listeners}
        onClick={() => onOpen(card.id)}
      >
        <CardFace card={card} />
      </button>
    </li>
  )
}

/** A card on the board: a press opens it, the mouse and a long touch drag it, the keys are the board's. */
export const CardTile: typeof Tile = memo(Tile)
