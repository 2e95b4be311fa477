import type { JSX } from 'react'
import { CopyIcon } from './copy-text.tsx'
import './ui.css'

/** A query, to be read and copied. */
export function Expression({ text }: { readonly text: string }): JSX.Element {
  return (
    <div className="expression">
      <code>{text}</code>
      <CopyIcon text={text} label="Copy the query" />
    </div>
  )
}
