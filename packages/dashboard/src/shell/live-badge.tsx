import { Tooltip } from '@mantine/core'
import type { JSX } from 'react'
import type { LiveMode } from '../api/live-state.ts'
import { useLiveMode } from '../api/use-live.ts'
import { Icon } from '../ui/icons.tsx'
import { agoText } from '../ui/time-text.ts'
import { useShell } from '../ui/use-shell.ts'

const WORDS: Readonly<Record<LiveMode, { readonly text: string; readonly why: string }>> = {
  live: { text: 'Live', why: 'New data are shown as they arrive. Press to pause.' },
  still: { text: 'Static', why: 'This page shows something finished; it does not move. Press to pause the others.' },
  connecting: { text: 'Connecting', why: 'Opening the live stream. Press to pause.' },
  paused: { text: 'Paused', why: 'Data stand still until you press again.' },
  fixed: { text: 'Fixed time', why: 'The chosen range does not move. Press to go back to the last 15 minutes, live.' },
  stale: { text: 'Stale', why: 'No answer for more than 30 s. What you see may be old.' },
  polling: { text: 'Polling', why: 'The live stream cannot be had; asking every 10 s instead. Press to pause.' },
  offline: { text: 'Offline', why: 'The server does not answer. Trying again.' },
}

/** Says how fresh the page is; a press pauses or goes on. */
export function LiveBadge(): JSX.Element {
  const shell = useShell()
  const { mode, answered, now } = useLiveMode(shell.moving, shell.paused)
  const { text, why } = WORDS[mode]
  const press = (): void => (mode === 'fixed' ? shell.select({ from: 'now-15m', to: 'now' }) : shell.setPaused(!shell.paused))
  const last = answered === null ? '' : ` Last answer ${agoText(answered, now)}.`
  return (
    <Tooltip label={why + last} withArrow multiline w={240}>
      <button type="button" className={`live mode-${mode}`} onClick={press} aria-label={`${text}. ${why}`} aria-pressed={shell.paused}>
        {mode === 'paused' || mode === 'fixed' ? <Icon name={mode === 'paused' ? 'play' : 'pause'} size={13} /> : <i key={answered} className="live-dot" />}
        <span>{text}</span>
      </button>
    </Tooltip>
  )
}
