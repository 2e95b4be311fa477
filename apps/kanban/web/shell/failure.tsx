import type { ReactNode } from 'react'
import { sayError } from '../api/http.ts'
import { Link } from './link.tsx'

/** What stands where a page cannot. */
export function Failure({ what, error, onRetry }: { what: string; error: Error; onRetry: () => void }): ReactNode {
  return (
    <main className="page">
      <div className="blank" role="alert">
        <h2>{what}</h2>
        <p>{sayError(error)}</p>
        <div className="row">
          <button type="button" className="button primary" onClick={onRetry}>
            Try again
          </button>
          <Link to="/" className="button">
            All boards
          </Link>
        </div>
      </div>
    </main>
  )
}
