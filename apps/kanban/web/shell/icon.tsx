import type { ReactNode } from 'react'

/** Strokes on a grid of 16 by 16. */
const PATHS = {
  alert: 'M8 5v4M8 11.5v.01M7 2.6 1.6 12a1.2 1.2 0 0 0 1 1.8h10.8a1.2 1.2 0 0 0 1-1.8L9 2.6a1.2 1.2 0 0 0-2 0Z',
  archive: 'M2 3h12v3H2zM3 6v7h10V6M6.5 9h3',
  arrow: 'M3 8h10M9 4l4 4-4 4',
  back: 'M13 8H3M7 4 3 8l4 4',
  check: 'm3 8.5 3.2 3L13 4.5',
  checklist: 'm2 4.5 1.3 1.2L5.5 3M8 4.5h6M2 11.5l1.3 1.2 2.2-2.7M8 11.5h6',
  clock: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 5v3.2l2 1.3',
  close: 'm4 4 8 8M12 4l-8 8',
  comment: 'M2.5 3h11v8h-6L4 13.6V11H2.5z',
  download: 'M8 2v8M4.5 7 8 10.5 11.5 7M3 13.5h10',
  edit: 'm3 13 .8-3.2L11 2.6l2.4 2.4-7.2 7.2z',
  left: 'M10 3.5 5.5 8l4.5 4.5',
  moon: 'M13 9.6A5.6 5.6 0 0 1 6.4 3 5.6 5.6 0 1 0 13 9.6Z',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  plus: 'M8 3v10M3 8h10',
  right: 'M6 3.5 10.5 8 6 12.5',
  rules: 'M2.5 4h4v3h-4zM9.5 9h4v3h-4zM6.5 5.5h5V9',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10ZM10.6 10.6 14 14',
  sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7',
  system: 'M2 3h12v8H2zM5.5 13.5h5M8 11v2.5',
  up: 'M8 13V3M4 7l4-4 4 4',
  down: 'M8 3v10M4 9l4 4 4-4',
  upload: 'M8 10.5V2.5M4.5 6 8 2.5 11.5 6M3 13.5h10',
} as const

export type IconName = keyof typeof PATHS

/** A drawing that says nothing to screen readers: its button has the name. */
export function Icon({ name }: { name: IconName }): ReactNode {
  return (
    <svg className="icon" width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth={name === 'more' ? 2.4 : 1.6} strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}
