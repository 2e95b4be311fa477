import type { JSX } from 'react'
import { Icon } from './icons.tsx'
import { severityTone } from './severity-rank.ts'
import './ui.css'

/** A severity by shape, colour and word. */
export function Severity({ severity }: { readonly severity: string }): JSX.Element {
  const tone = severityTone(severity)
  return (
    <span className={`severity ${tone}`}>
      <Icon name={tone === 'critical' ? 'octagon' : tone === 'warning' ? 'warning' : 'info'} size={14} />
      {severity === '' ? 'none' : severity}
    </span>
  )
}
