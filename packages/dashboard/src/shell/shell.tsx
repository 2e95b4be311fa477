import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'
import { Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import { type JSX, useState } from 'react'
import { type IncidentsAnswer, OPEN_INCIDENTS_PATH } from '../api/incidents.ts'
import { LiveAllowed, useLive } from '../api/use-live.ts'
import { AppLink } from '../ui/app-link.tsx'
import { Icon, type IconName } from '../ui/icons.tsx'
import { NoticeList } from '../ui/notice-list.tsx'
import { TimePicker } from '../ui/time-picker.tsx'
import type { Zone } from '../ui/time-range.ts'
import { readShellSearch } from '../ui/url-state.ts'
import { RememberedZone, usePatch, useShell } from '../ui/use-shell.ts'
import { Jump } from './jump.tsx'
import { LiveBadge } from './live-badge.tsx'
import { Shortcuts } from './shortcuts.tsx'
import { useKeys } from './use-keys.ts'
import './shell.css'

const PLACES: readonly { readonly to: string; readonly icon: IconName; readonly text: string; readonly badge?: true; readonly also?: string }[] = [
  { to: '/', icon: 'overview', text: 'Overview' },
  { to: '/incidents', icon: 'incident', text: 'Incidents', badge: true },
  { to: '/alerts', icon: 'alert', text: 'Alerts', also: '/silences' },
  { to: '/objectives', icon: 'target', text: 'Objectives' },
  { to: '/traces', icon: 'traces', text: 'Traces' },
  { to: '/detectors', icon: 'detector', text: 'Detectors' },
  { to: '/deploys', icon: 'deploy', text: 'Deploys' },
  { to: '/status', icon: 'status', text: 'Status' },
]

/** The frame of every page: navigation, time, freshness, keys. */
export function Shell(): JSX.Element {
  const [zone, setZone] = useLocalStorage<Zone>({ key: 'andon-zone', defaultValue: 'local', getInitialValueInEffect: false })
  return (
    <RememberedZone value={zone === 'utc' ? 'utc' : 'local'}>
      <Frame rememberZone={setZone} />
    </RememberedZone>
  )
}

function Frame({ rememberZone }: { readonly rememberZone: (zone: Zone) => void }): JSX.Element {
  const shell = useShell()
  const patch = usePatch()
  const navigate = useNavigate()
  const scheme = useScheme()
  const [sheet, setSheet] = useState<'none' | 'keys' | 'jump' | 'time'>('none')
  const toggle = (which: 'keys' | 'jump' | 'time') => (): void => setSheet((now) => (now === which ? 'none' : which))
  const switchZone = (): void => {
    const next = shell.zone === 'utc' ? 'local' : 'utc'
    rememberZone(next)
    patch({ tz: next === 'utc' ? 'utc' : undefined }, true)
  }
  const goTo = (to: string) => (): void => void navigate({ to, search: (before: Record<string, unknown>) => readShellSearch(before) })
  useKeys({
    '?': toggle('keys'),
    'mod+k': toggle('jump'),
    t: toggle('time'),
    z: shell.zoomOut,
    l: () => shell.setPaused(!shell.paused),
    d: scheme.flip,
    u: switchZone,
    'g o': goTo('/'),
    'g i': goTo('/incidents'),
    'g a': goTo('/alerts'),
    'g b': goTo('/objectives'),
    'g t': goTo('/traces'),
    'g e': goTo('/detectors'),
    'g d': goTo('/deploys'),
    'g s': goTo('/status'),
  })
  return (
    <LiveAllowed value={shell.moving && !shell.paused}>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <div className="frame">
        <Navigation>
          <ZoneButton zone={shell.zone} onClick={switchZone} />
          <SchemeButton scheme={scheme} />
          <button type="button" className="nav-tool" onClick={toggle('keys')}>
            <Icon name="help" />
            <span>Keyboard</span>
          </button>
        </Navigation>
        <div className="page">
          <header className="bar">
            <button type="button" className="jump-button" onClick={toggle('jump')}>
              <Icon name="search" size={15} />
              <span>Jump to service or trace</span>
              <kbd>Ctrl K</kbd>
            </button>
            <div className="bar-end">
              <LiveBadge />
              <TimePicker
                selection={shell.selection}
                zone={shell.zone}
                open={sheet === 'time'}
                onOpen={(open) => setSheet(open ? 'time' : 'none')}
                onSelect={shell.select}
                onZoomOut={shell.zoomOut}
              />
            </div>
          </header>
          <main id="main" tabIndex={-1}>
            <Outlet />
          </main>
        </div>
      </div>
      <NoticeList />
      <Jump open={sheet === 'jump'} onClose={() => setSheet('none')} />
      <Shortcuts open={sheet === 'keys'} onClose={() => setSheet('none')} />
    </LiveAllowed>
  )
}

function Navigation({ children }: { readonly children: JSX.Element[] }): JSX.Element {
  const [more, setMore] = useState(false)
  const path = useLocation({ select: ({ pathname }) => pathname })
  const [openedAt, setOpenedAt] = useState(path)
  // Whoever has gone to another page is done with the choice of pages.
  if (openedAt !== path) {
    setOpenedAt(path)
    setMore(false)
  }
  return (
    <nav className={more ? 'nav more' : 'nav'} aria-label="Pages">
      <AppLink to="/" className="brand" label="Andon, overview">
        <img src="/andon.svg" width={28} height={28} alt="" />
        <b>Andon</b>
      </AppLink>
      <ul>
        {PLACES.map((place) => (
          <li key={place.to}>
            <AppLink to={place.to} className={place.also === path ? 'nav-link here' : 'nav-link'}>
              <Icon name={place.icon} />
              <span>{place.text}</span>
              {place.badge === true && <OpenBadge />}
            </AppLink>
          </li>
        ))}
      </ul>
      <button type="button" className="nav-more nav-link" aria-expanded={more} onClick={() => setMore(!more)}>
        <Icon name="more" />
        <span>More</span>
      </button>
      <div className="nav-tools">{children}</div>
    </nav>
  )
}

/** How many incidents nobody has acknowledged: the one number that must be seen on every page. */
function OpenBadge(): JSX.Element | null {
  const { data } = useLive<IncidentsAnswer>(OPEN_INCIDENTS_PATH)
  const waiting = data?.incidents.filter(({ state }) => state === 'detected').length ?? 0
  if (waiting === 0) return null
  return (
    <b className="nav-badge">
      {waiting}
      <span className="sr"> not acknowledged</span>
    </b>
  )
}

interface Scheme {
  readonly chosen: 'light' | 'dark' | 'auto'
  /** To the other of what is shown now. */
  readonly flip: () => void
  /** System, light, dark, system … */
  readonly next: () => void
}

function useScheme(): Scheme {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const shown = useComputedColorScheme('light')
  const order = { auto: 'light', light: 'dark', dark: 'auto' } as const
  return {
    chosen: colorScheme,
    flip: () => setColorScheme(shown === 'dark' ? 'light' : 'dark'),
    next: () => setColorScheme(order[colorScheme]),
  }
}

const SCHEMES: Readonly<Record<Scheme['chosen'], { readonly icon: IconName; readonly text: string }>> = {
  auto: { icon: 'system', text: 'System' },
  light: { icon: 'sun', text: 'Light' },
  dark: { icon: 'moon', text: 'Dark' },
}

function SchemeButton({ scheme }: { readonly scheme: Scheme }): JSX.Element {
  const { icon, text } = SCHEMES[scheme.chosen]
  return (
    <button type="button" className="nav-tool" onClick={scheme.next} aria-label={`Colours: ${text}. Press for the next.`}>
      <Icon name={icon} />
      <span>{text}</span>
    </button>
  )
}

function ZoneButton({ zone, onClick }: { readonly zone: Zone; readonly onClick: () => void }): JSX.Element {
  const text = zone === 'utc' ? 'UTC' : 'Local time'
  return (
    <button type="button" className="nav-tool" onClick={onClick} aria-label={`Times in ${text}. Press to change.`}>
      <Icon name="globe" />
      <span>{text}</span>
    </button>
  )
}
