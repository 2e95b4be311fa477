import type { JSX } from 'react'

// Drawn for this page on a grid of 20; one path each, stroked with the colour of the text.
const PATHS = {
  overview: 'M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z',
  traces: 'M3 4.500h9M6 10h8M10 15.500h7',
  status: 'M2.500 10h3.500l2-5.500 4 11 2-5.500h3.500',
  search: 'M9 15A6 6 0 109 3a6 6 0 000 12zM13.500 13.500L17 17',
  clock: 'M10 17.500a7.500 7.500 0 100-15 7.500 7.500 0 000 15zM10 6v4.200l2.800 1.800',
  left: 'M12 4.500L6.500 10l5.500 5.500',
  right: 'M8 4.500l5.500 5.500L8 15.500',
  zoomOut: 'M9 15A6 6 0 109 3a6 6 0 000 12zM13.500 13.500L17 17M6.500 9h5',
  pause: 'M7 4.500v11M13 4.500v11',
  play: 'M6.500 4.200v11.600l9-5.800z',
  sun: 'M10 13.500a3.500 3.500 0 100-7 3.500 3.500 0 000 7zM10 2v1.500M10 16.500V18M2 10h1.500M16.500 10H18M4.300 4.300l1.100 1.100M14.600 14.600l1.100 1.100M15.700 4.300l-1.100 1.100M5.400 14.600l-1.100 1.100',
  moon: 'M16.500 12A7 7 0 018 3.500a7 7 0 108.500 8.500z',
  system: 'M3 4h14v9.500H3zM7.500 16.500h5M10 13.500v3',
  help: 'M10 17.500a7.500 7.500 0 100-15 7.500 7.500 0 000 15zM7.800 8a2.200 2.200 0 114 1.200c-.8.800-1.800 1.100-1.800 2.300M10 14.200v.1',
  close: 'M5 5l10 10M15 5L5 15',
  copy: 'M7 7h9v9H7zM13 4H4v9',
  check: 'M4 10.500l4 4 8-9',
  download: 'M10 3v9.500M6 9l4 4 4-4M4 16.500h12',
  up: 'M5 12.500L10 7.500l5 5',
  down: 'M5 7.500l5 5 5-5',
  link: 'M8.500 11.500a3 3 0 004.300.3l2.600-2.600a3 3 0 00-4.300-4.300l-1 1M11.500 8.500a3 3 0 00-4.300-.3l-2.600 2.600a3 3 0 004.300 4.300l1-1',
  globe: 'M10 17.500a7.500 7.500 0 100-15 7.500 7.500 0 000 15zM2.500 10h15M10 2.500c2.500 2.500 2.500 12.500 0 15M10 2.500c-2.500 2.500-2.500 12.500 0 15',
  alert: 'M10 3a4.500 4.500 0 00-4.500 4.500c0 4-2 5-2 6.500h13c0-1.500-2-2.500-2-6.500A4.500 4.500 0 0010 3zM8.300 16.500a2 2 0 003.400 0',
  incident: 'M3 17V3.500M3 4h11l-2 3.500 2 3.500H3',
  target: 'M10 17.500a7.500 7.500 0 100-15 7.500 7.500 0 000 15zM10 13.500a3.500 3.500 0 100-7 3.500 3.500 0 000 7zM10 10h.1',
  detector: 'M2.500 13c2 0 2.500-6 4.500-6s2 4 3.500 4 2-8 3.500-8 1.500 10 3.500 10M2.500 17h15',
  deploy: 'M10 2.500l6 3.500v8l-6 3.500L4 14V6zM4 6l6 3.500L16 6M10 9.500v8',
  silence: 'M4 8v4h3l4 3.500v-11L7 8zM14 8l3.500 4M17.500 8L14 12',
  warning: 'M10 3L18 16.500H2zM10 8v4M10 14.200v.1',
  octagon: 'M7 2.500h6l4.500 4.500v6L13 17.500H7L2.500 13V7zM10 6.500v4.200M10 13.300v.1',
  info: 'M10 17.500a7.500 7.500 0 100-15 7.500 7.500 0 000 15zM10 9.500v4M10 6.600v.1',
  book: 'M3.500 4c2.500-1 4.500-.5 6.500 1 2-1.500 4-2 6.500-1v11.500c-2.500-1-4.500-.5-6.500 1-2-1.500-4-2-6.500-1zM10 5v11.500',
  person: 'M10 9.500a3.200 3.200 0 100-6.400 3.200 3.200 0 000 6.400zM3.500 17c.5-3.500 3-5 6.500-5s6 1.500 6.500 5',
  comment: 'M3 4h14v9.500H9L5.500 17v-3.500H3z',
  plus: 'M10 4v12M4 10h12',
  edit: 'M4 16l.8-3.500L13 4.300l2.700 2.700L7.500 15.200zM11.500 5.800l2.700 2.700',
  trash: 'M4 5.500h12M8 5.500V3.500h4v2M5.500 5.500l.8 11h7.400l.8-11M8.500 8.500v5M11.500 8.500v5',
  bolt: 'M11 2.500L4.500 11.500H9.500L9 17.500 15.500 8.500H10.500z',
  print: 'M6 7V3h8v4M6 14H3.500V7.500h13V14H14M6 12h8v5H6z',
  more: 'M4.500 10h.1M10 10h.1M15.500 10h.1',
} as const

export type IconName = keyof typeof PATHS

/** A small picture beside text that says the same; hidden from screen readers. */
export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }): JSX.Element {
  const width = name === 'more' ? 2.6 : 1.6
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth={width} strokeLinecap="round" strokeLinejoin="round">
      <path d={PATHS[name]} />
    </svg>
  )
}
