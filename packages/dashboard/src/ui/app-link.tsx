import { Link } from '@tanstack/react-router'
import type { JSX, ReactNode } from 'react'
import { readShellSearch } from './url-state.ts'

export interface AppLinkProps {
  readonly to: string
  readonly params?: Record<string, string>
  /** Keys of the target page; the time and zone are always kept. */
  readonly search?: Record<string, string | readonly string[] | undefined>
  readonly className?: string
  readonly children: ReactNode
  readonly label?: string
  readonly tabIndex?: number
}

/** A link to another page of the dashboard that keeps the time range. */
export function AppLink({ to, params, search, className, children, label, tabIndex }: AppLinkProps): JSX.Element {
  return (
    <Link
      to={to}
      params={params ?? {}}
      search={(before: Record<string, unknown>) => ({ ...readShellSearch(before), ...search })}
      {...(className === undefined ? {} : { className })}
      {...(label === undefined ? {} : { 'aria-label': label })}
      {...(tabIndex === undefined ? {} : { tabIndex })}
    >
      {children}
    </Link>
  )
}
