import type { ReactNode } from 'react'

const HUES = 8

/** A small number that is always the same for a text, to choose a colour by. */
export function hueOf(text: string): number {
  let sum = 0
  for (const char of text) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 9973
  return sum % HUES
}

function initials(name: string): string {
  const words = name.split(/[\s._-]+/).filter((word) => word !== '')
  const [first = '?', second] = words
  return (second === undefined ? first.slice(0, 2) : `${first.slice(0, 1)}${second.slice(0, 1)}`).toUpperCase()
}

/** A person as their initials. */
export function Avatar({ name, silent = false }: { name: string; silent?: boolean }): ReactNode {
  return (
    <span className={`avatar h${hueOf(name)}`} title={name} {...(silent ? { 'aria-hidden': true } : { role: 'img', 'aria-label': name })}>
      {initials(name)}
    </span>
  )
}
