import { type ReactNode, useState } from 'react'
import { Icon } from './icon.tsx'

const KEY = 'kanban-color-scheme'
const SCHEMES = ['system', 'light', 'dark'] as const
type Scheme = (typeof SCHEMES)[number]
const ICONS = { system: 'system', light: 'sun', dark: 'moon' } as const

function remembered(): Scheme {
  const named = document.documentElement.dataset['theme']
  return named === 'light' || named === 'dark' ? named : 'system'
}

function apply(scheme: Scheme): void {
  if (scheme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = scheme
  try {
    localStorage.setItem(KEY, scheme)
  } catch {
    // Storage is denied: the choice lasts as long as the page.
  }
}

/** Colours: those of the system, light, or dark; remembered in this browser. */
export function ThemeToggle(): ReactNode {
  const [scheme, setScheme] = useState(remembered)
  const next = SCHEMES[(SCHEMES.indexOf(scheme) + 1) % SCHEMES.length] ?? 'system'
  const change = (): void => {
    apply(next)
    setScheme(next)
  }
  return (
    <button type="button" className="button ghost icon" onClick={change} aria-label={`Colours: ${scheme}. Change to ${next}.`} title={`Colours: ${scheme}`}>
      <Icon name={ICONS[scheme]} />
    </button>
  )
}
