import DOMPurify from 'dompurify'
import { Marked } from 'marked'
import { type ReactNode, useMemo } from 'react'

const ALLOWED = ['a', 'b', 'blockquote', 'br', 'code', 'del', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'li', 'ol', 'p', 'pre', 'strong', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul']

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
// HTML in the text is shown as it was typed.
const writer = new Marked({ gfm: true, breaks: true, renderer: { html: ({ text }) => escape(text) } })

/** Markdown that others wrote: pictures, styles and scripts do not pass; links open elsewhere. */
export function Markdown({ text }: { text: string }): ReactNode {
  const html = useMemo(() => {
    const fragment = DOMPurify.sanitize(writer.parse(text, { async: false }), { ALLOWED_TAGS: ALLOWED, ALLOWED_ATTR: ['href', 'title', 'start'], RETURN_DOM_FRAGMENT: true })
    for (const link of fragment.querySelectorAll('a')) {
      link.target = '_blank'
      link.rel = 'noreferrer noopener'
    }
    const holder = document.createElement('div')
    holder.append(fragment)
    return holder.innerHTML
  }, [text])
  // Safe: sanitized just above.
  return <div className="markdown" dangerouslySetInnerHTML={{ __html: html }} />
}
