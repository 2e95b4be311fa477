import type { ReactNode } from 'react'
import type { Person } from './api/model.ts'
import { useMe } from './api/session.ts'
import { BoardPage } from './board/board-page.tsx'
import { BoardsPage } from './boards/boards-page.tsx'
import { Failure } from './shell/failure.tsx'
import { Link } from './shell/link.tsx'
import { useAddress } from './shell/location.ts'
import { LoginPage } from './shell/login-page.tsx'
import { Shortcuts } from './shell/shortcuts.tsx'
import { Toasts } from './shell/toasts.tsx'
import { TopBar } from './shell/top-bar.tsx'

function Page({ me }: { me: Person }): ReactNode {
  const { pathname } = new URL(useAddress(), location.origin)
  const board = /^\/boards\/([^/]+)\/?$/.exec(pathname)?.[1]
  if (board !== undefined) return <BoardPage key={board} id={decodeURIComponent(board)} me={me} />
  if (pathname === '/') return <BoardsPage me={me} />
  return (
    <main className="page">
      <div className="blank">
        <h2>There is no such page</h2>
        <Link to="/" className="button">
          All boards
        </Link>
      </div>
    </main>
  )
}

/** The page: signing in, then the boards. */
export function App(): ReactNode {
  const { data: me, error, refetch } = useMe()
  if (me === undefined) return error === null ? null : <Failure what="Kanban cannot be reached" error={error} onRetry={() => void refetch()} />
  if (me === null) return <LoginPage />
  return (
    <div className="app">
      <TopBar me={me} />
      <Page me={me} />
      <Shortcuts />
      <Toasts />
    </div>
  )
}
