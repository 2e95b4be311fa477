import type { JSX } from 'react'
import { SubPages } from '../ui/sub-pages.tsx'

/** The pages about incidents. */
export function IncidentPages(): JSX.Element {
  return (
    <SubPages
      label="About incidents"
      pages={[
        { to: '/incidents', text: 'Incidents' },
        { to: '/incidents/figures', text: 'Figures' },
        { to: '/incidents/quality', text: 'Alert quality' },
        { to: '/incidents/on-call', text: 'On call and runbooks' },
      ]}
    />
  )
}
