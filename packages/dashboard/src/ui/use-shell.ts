import type { TimeRange } from '@andon/model'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { createContext, type Context, useCallback, useContext, useEffect, useMemo, useState } from 'react'
import { absoluteSelection, isRelative, resolveRange, type TimeSelection, type Zone, zoomOut } from './time-range.ts'
import { readShellSearch, selectionOf } from './url-state.ts'

/** The zone to use where the URL names none: what was chosen last in this browser. */
export const RememberedZone: Context<Zone> = createContext<Zone>('local')

/** What every page shares, read from the URL, and how to change it. Each change is a step that the browser's back button undoes. */
export interface Shell {
  readonly selection: TimeSelection
  readonly zone: Zone
  /** The selection's end moves with the clock. */
  readonly moving: boolean
  readonly paused: boolean
  readonly select: (selection: TimeSelection) => void
  /** Milliseconds, as dragged on a chart. */
  readonly selectRange: (start: number, end: number) => void
  readonly zoomOut: () => void
  readonly setPaused: (paused: boolean) => void
}

export function useShell(): Shell {
  const raw = useSearch({ strict: false })
  const remembered = useContext(RememberedZone)
  const search = useMemo(() => readShellSearch(raw), [raw])
  const patch = usePatch()
  return useMemo(() => {
    const selection = selectionOf(search)
    const select = ({ from, to }: TimeSelection): void => patch({ from, to })
    return {
      selection,
      zone: search.tz ?? remembered,
      moving: isRelative(selection),
      paused: search.live === 'off',
      select,
      selectRange: (start, end) => select(absoluteSelection({ start, end })),
      zoomOut: () => select(zoomOut(selection, Date.now())),
      setPaused: (paused) => patch({ live: paused ? 'off' : undefined }),
    }
  }, [search, remembered, patch])
}

/** Changes keys of the query string and keeps the others; `replace` leaves no step for the back button. */
export function usePatch(): (change: Record<string, string | readonly string[] | undefined>, replace?: boolean) => void {
  const navigate = useNavigate()
  return useCallback(
    (change, replace = false) => {
      void navigate({ to: '.', search: (before: Record<string, unknown>) => ({ ...before, ...change }), replace, resetScroll: false })
    },
    [navigate],
  )
}

/**
 * The range that charts show: the answer's where there is one, so that axis and data agree; else the selection now.
 *
 * @param answered - `from` and `to` of the newest answer
 */
export function useShownRange(selection: TimeSelection, answered: { readonly from: number; readonly to: number } | undefined): TimeRange {
  const [from, to] = [answered?.from, answered?.to]
  const now = useNow(5000)
  return useMemo(() => (from === undefined || to === undefined ? resolveRange(selection, now) : { start: from, end: to }), [from, to, selection, now])
}

/** The time that somebody chose, for pages whose own usual time is another than the shell's; null where nobody did. */
export function useChosenTime(): TimeSelection | null {
  const raw = useSearch({ strict: false })
  return useMemo(() => {
    const search = readShellSearch(raw)
    return search.from === undefined ? null : selectionOf(search)
  }, [raw])
}

/** The time now, looked at again every `everyMs`. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}
