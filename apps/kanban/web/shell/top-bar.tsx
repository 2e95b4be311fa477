import type { ReactNode } from 'react'
import { sayError } from '../api/http.ts'
import type { Person } from '../api/model.ts'
import { useLogout } from '../api/session.ts'
import { Avatar } from './avatar.tsx'
import { Link } from './link.tsx'
import { ThemeToggle } from './theme-toggle.tsx'
import { toast } from './toasts.tsx'

/** The same on every page: home, colours, who is here. */
export function TopBar({ me }: { me: Person }): ReactNode {
  const logout = useLogout()
  return (
    <header className="top">
      <Link to="/" className="brand">
        <img src="/kanban.svg" alt="" width="24" height="24" />
        Kanban
      </Link>
      <span className="grow" />
      <ThemeToggle />
      <Avatar name={me.name} silent />
      <span className="wide-only">{me.name}</span>
      <button type="button" className="button ghost" onClick={() => logout.mutate(undefined, { onError: (error) => toast(sayError(error), 'bad') })}>
        Sign out
      </button>
    </header>
  )
}
