import type { Milliseconds } from '@andon/model'
import type { JSX } from 'react'
import type { Zone } from './time-range.ts'
import { agoText, shortTimeText, timeText } from './time-text.ts'
import { useNow, useShell } from './use-shell.ts'

/** A point in time in the chosen zone, short; the whole of it on pointing. With `ago`, how long it is past stands beside it. */
export function When({ time, ago = false }: { readonly time: Milliseconds; readonly ago?: boolean }): JSX.Element {
  const { zone } = useShell()
  const now = useNow(10_000)
  return (
    <time className="when" dateTime={new Date(time).toISOString()} title={wholeText(time, zone)}>
      {shortTimeText(time, now, zone)}
      {ago && <small> {agoText(time, now)}</small>}
    </time>
  )
}

const wholeText = (time: Milliseconds, zone: Zone): string => `${timeText(time, zone)} ${zone === 'utc' ? 'UTC' : 'local time'}`
