import { type ReactNode, useCallback, useEffect, useMemo, useState } from 'react'
import { downloadBoard, useBoard } from '../api/boards.ts'
import { sayError } from '../api/http.ts'
import type { Board, Person } from '../api/model.ts'
import { type Connection, useLive } from '../api/use-live.ts'
import { CardDialog } from '../card/card-dialog.tsx'
import { Failure } from '../shell/failure.tsx'
import { Icon } from '../shell/icon.tsx'
import { Link } from '../shell/link.tsx'
import { setQuery, useAddress } from '../shell/location.ts'
import { Menu } from '../shell/menu.tsx'
import { isTyping } from '../shell/shortcuts.tsx'
import { toast } from '../shell/toasts.tsx'
import { useNow } from '../shell/use-now.ts'
import { ActivityDialog } from './activity-dialog.tsx'
import { BoardBones } from './board-bones.tsx'
import { BoardDialog } from './board-dialog.tsx'
import { BoardView } from './board-view.tsx'
import { filtersOf, select } from './filters.ts'
import { FiltersBar } from './filters-bar.tsx'
import { RulesDialog } from './rules-dialog.tsx'

const SAID: Readonly<Record<Connection, string>> = { connecting: 'Connecting', open: 'Live', lost: 'Reconnecting' }

function newCard(event: KeyboardEvent): void {
  if (event.key !== 'n' || event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target) || document.querySelector('dialog[open]') !== null) return
  const button = document.querySelector<HTMLElement>('[data-add-card]')
  if (button === null) return
  event.preventDefault()
  button.click()
}

/** One board. */
export function BoardPage({ id, me }: { id: string; me: Person }): ReactNode {
  const { data: board, error, refetch } = useBoard(id)
  const connection = useLive(id)
  useEffect(() => {
    window.addEventListener('keydown', newCard)
    return () => window.removeEventListener('keydown', newCard)
  }, [])
  useEffect(() => {
    document.title = board === undefined ? 'Kanban' : `${board.name} – Kanban`
  }, [board])
  if (board === undefined) return error === null ? <BoardBones /> : <Failure what="The board cannot be shown" error={error} onRetry={() => void refetch()} />
  return <Loaded board={board} canEdit={me.role !== 'viewer'} connection={connection} />
}

function Loaded({ board, canEdit, connection }: { board: Board; canEdit: boolean; connection: Connection }): ReactNode {
  const address = useAddress()
  const [dialog, setDialog] = useState<'board' | 'rules' | 'activity' | null>(null)
  const now = useNow()
  const filters = useMemo(() => filtersOf(address), [address])
  const visible = useMemo(() => select(board.cards, filters, now), [board.cards, filters, now])
  const open = useCallback((card: string) => setQuery({ card }, 'push'), [])
  const openCard = new URL(address, location.origin).searchParams.get('card')
  const save = (): void => {
    downloadBoard(board.id, board.name).catch((error: unknown) => toast(sayError(error), 'bad'))
  }
  return (
    <main className="board-page">
      <div className="board-head">
        <Link to="/" className="button ghost icon">
          <Icon name="back" />
          <span className="sr">All boards</span>
        </Link>
        <h1 title={board.name}>{board.name}</h1>
        {!canEdit && <span className="badge">Read only</span>}
        <span className="grow" />
        <span className={`live ${connection}`} role="status">
          {SAID[connection]}
        </span>
        <Menu
          label="Commands of the board"
          items={[
            { label: 'Name and description…', icon: 'edit', disabled: !canEdit, onChoose: () => setDialog('board') },
            { label: 'Rules of moving…', icon: 'rules', disabled: !canEdit, onChoose: () => setDialog('rules') },
            { label: 'Activity…', icon: 'clock', onChoose: () => setDialog('activity') },
            { label: 'Export as markdown', icon: 'download', onChoose: save },
          ]}
        />
      </div>
      <FiltersBar board={board} filters={filters} shown={visible.length} />
      <BoardView board={board} visible={visible} canEdit={canEdit} onOpen={open} />
      {dialog === 'board' && <BoardDialog board={board} onClose={() => setDialog(null)} />}
      {dialog === 'rules' && <RulesDialog board={board} onClose={() => setDialog(null)} />}
      {dialog === 'activity' && <ActivityDialog boardId={board.id} onClose={() => setDialog(null)} />}
      {openCard !== null && <CardDialog key={openCard} id={openCard} board={board} canEdit={canEdit} onClose={() => setQuery({ card: '' })} />}
    </main>
  )
}
