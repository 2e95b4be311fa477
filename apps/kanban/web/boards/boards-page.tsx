import { type ReactNode, useEffect, useState } from 'react'
import { useBoards } from '../api/boards.ts'
import type { BoardSummary, Person } from '../api/model.ts'
import { Failure } from '../shell/failure.tsx'
import { Icon } from '../shell/icon.tsx'
import { Link } from '../shell/link.tsx'
import { NewBoard } from './new-board.tsx'

/** All boards of the team. */
export function BoardsPage({ me }: { me: Person }): ReactNode {
  const { data, error, refetch } = useBoards()
  const [making, setMaking] = useState<'new' | 'import' | null>(null)
  useEffect(() => {
    document.title = 'Boards – Kanban'
  }, [])
  if (data === undefined && error !== null) return <Failure what="The boards cannot be shown" error={error} onRetry={() => void refetch()} />
  return (
    <main className="page">
      <div className="column-page">
        <div className="row wrap">
          <h1 className="grow">Boards</h1>
          {me.role !== 'viewer' && (
            <>
              <button type="button" className="button" onClick={() => setMaking('import')}>
                <Icon name="upload" />
                Import
              </button>
              <button type="button" className="button primary" onClick={() => setMaking('new')}>
                <Icon name="plus" />
                New board
              </button>
            </>
          )}
        </div>
        <List boards={data} />
      </div>
      {making !== null && <NewBoard from={making} onClose={() => setMaking(null)} />}
    </main>
  )
}

function List({ boards }: { boards: readonly BoardSummary[] | undefined }): ReactNode {
  if (boards === undefined) {
    return (
      <div className="boards" aria-busy="true">
        {['a', 'b', 'c'].map((key) => (
          <div key={key} className="bone" style={{ height: 108 }} />
        ))}
      </div>
    )
  }
  if (boards.length === 0) {
    return (
      <div className="blank">
        <h2>No boards yet</h2>
        <p>A board is a list of columns that cards wander through. Make one, or import one from markdown.</p>
      </div>
    )
  }
  return (
    <ul className="boards">
      {boards.map((board) => (
        <li key={board.id}>
          <Link to={`/boards/${encodeURIComponent(board.id)}`} className="board-tile">
            <h2>{board.name}</h2>
            {board.description !== '' && <p className="dim small">{board.description}</p>}
            <span className="foot dim small">{board.cards === 1 ? '1 card' : `${board.cards} cards`}</span>
          </Link>
        </li>
      ))}
    </ul>
  )
}
