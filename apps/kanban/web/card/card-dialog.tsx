import { type ReactNode, useState } from 'react'
import { ActivityList } from '../board/activity-dialog.tsx'
import { useCard } from '../api/boards.ts'
import { useDeleteCard, useEditCard } from '../api/card-changes.ts'
import { sayError } from '../api/http.ts'
import type { Board, CardPage } from '../api/model.ts'
import { Modal } from '../shell/modal.tsx'
import { CardSide } from './card-side.tsx'
import { Checklist } from './checklist.tsx'
import { Comments } from './comments.tsx'
import { Description } from './description.tsx'
import { Title } from './title.tsx'

interface Props {
  readonly id: string
  readonly board: Board
  readonly canEdit: boolean
  readonly onClose: () => void
}

/** Everything about one card. */
export function CardDialog({ id, board, canEdit, onClose }: Props): ReactNode {
  const { data, error, refetch } = useCard(id)
  return (
    <Modal title={data === undefined ? 'Card' : (board.columns.find((column) => column.id === data.card.columnId)?.name ?? 'Card')} onClose={onClose} size="large">
      {data !== undefined && <Loaded page={data} board={board} canEdit={canEdit} onClose={onClose} />}
      {data === undefined && error === null && <div className="bone" style={{ height: 300 }} />}
      {data === undefined && error !== null && (
        <div className="stack">
          <p className="notice" role="alert">
            {sayError(error)}
          </p>
          <div className="actions">
            <button type="button" className="button" onClick={() => void refetch()}>
              Try again
            </button>
          </div>
        </div>
      )}
    </Modal>
  )
}

function Loaded({ page: { card, comments, activity }, board, canEdit: mayEdit, onClose }: { page: CardPage; board: Board; canEdit: boolean; onClose: () => void }): ReactNode {
  const edit = useEditCard(card.id)
  const canEdit = mayEdit && !card.archived
  return (
    <div className="card-dialog">
      <div>
        {card.archived && <Archived id={card.id} canEdit={mayEdit} onRestore={() => edit({ archived: false }, 'The card is back on the board.')} onDeleted={onClose} />}
        <Title title={card.title} canEdit={canEdit} onSave={(title) => edit({ title })} />
        <Description text={card.description} canEdit={canEdit} onSave={(description) => edit({ description })} />
        <Checklist items={card.checklist} canEdit={canEdit} onChange={(checklist) => edit({ checklist })} />
        <Comments cardId={card.id} comments={comments} canEdit={canEdit} />
        <details>
          <summary>
            <strong>Activity</strong> <span className="dim small">{activity.length}</span>
          </summary>
          <ActivityList activity={activity} />
        </details>
      </div>
      <CardSide card={card} board={board} canEdit={canEdit} onEdit={edit} />
    </div>
  )
}

function Archived({ id, canEdit, onRestore, onDeleted }: { id: string; canEdit: boolean; onRestore: () => void; onDeleted: () => void }): ReactNode {
  const [sure, setSure] = useState(false)
  const remove = useDeleteCard(id)
  return (
    <div className="row wrap notice">
      <span className="grow">This card is archived.</span>
      {canEdit && (
        <>
          <button type="button" className="button tiny" onClick={onRestore}>
            Restore
          </button>
          <button type="button" className="button danger tiny" disabled={remove.isPending} onClick={() => (sure ? remove.mutate(undefined, { onSuccess: onDeleted }) : setSure(true))}>
            {sure ? 'Really delete it?' : 'Delete for good'}
          </button>
        </>
      )}
    </div>
  )
}
