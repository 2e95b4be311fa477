import type { JSX } from 'react'
import { SubPages } from '../ui/sub-pages.tsx'

/** The pages about alerts. */
export function AlertPages({ active, silences }: { readonly active?: number; readonly silences?: number }): JSX.Element {
  return (
    <SubPages
      label="About alerts"
      pages={[
        { to: '/alerts', text: 'Active', ...(active === undefined ? {} : { count: active }) },
        { to: '/alerts/history', text: 'History' },
        { to: '/alerts/rules', text: 'Rules' },
        { to: '/silences', text: 'Silences', ...(silences === undefined ? {} : { count: silences }) },
      ]}
    />
  )
}
