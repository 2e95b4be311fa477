import { Link } from '@tanstack/react-router'
import type { JSX } from 'react'
import { readShellSearch } from './url-state.ts'
import './ui.css'

export interface SubPage {
  readonly to: string
  readonly text: string
  /** Beside the text: how many there are. */
  readonly count?: number
}

/** The pages that belong together, side by side; each keeps the time range. */
export function SubPages({ label, pages }: { readonly label: string; readonly pages: readonly SubPage[] }): JSX.Element {
  return (
    <nav className="sub-pages" aria-label={label}>
      {pages.map(({ to, text, count }, index) => (
        <Link key={to} to={to} search={(before: Record<string, unknown>) => readShellSearch(before)} activeOptions={{ exact: index === 0, includeSearch: false }}>
          {text}
          {count !== undefined && count > 0 && <b>{count}</b>}
        </Link>
      ))}
    </nav>
  )
}
