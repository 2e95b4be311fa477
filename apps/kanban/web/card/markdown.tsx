import DOMPurify from 'dompurify'
import { marked } from 'marked'
import { type ReactNode, useMemo } from 'react'

const ALLOWED = ['a', 'b', 'blockquote', 'br', 'code', 'del', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'li', 'ol', 'p', 'pre', 'strong', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul']

/** Markdown that others wrote: raw HTML, pictures and scripts do not pass; links open elsewhere. */
export function Markdown({ text }: { text: string }): ReactNode {
  const html = useMemo(() => {
    const fragment = DOMPurify.sanitize(marked.parse(text, { async: false, gfm: true, breaks: true }), { ALLOWED_TAGS: ALLOWED, ALLOWED_ATTR: ['href', 'title', 'start'], RETURN_DOM_FRAGMENT: true })
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
