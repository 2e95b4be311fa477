import type { JSX, ReactNode } from 'react'
import './ui.css'

/** A framed part of a page. */
export function Panel(props: {
  readonly title?: ReactNode
  readonly aside?: ReactNode
  readonly children: ReactNode
  readonly flush?: boolean
  readonly faded?: boolean
  readonly className?: string
}): JSX.Element {
  const { title, aside, children, flush = false, faded = false, className = '' } = props
  return (
    <section className={`panel ${flush ? 'flush' : ''} ${faded ? 'faded' : ''} ${className}`} aria-busy={faded}>
      {title !== undefined && (
        <header className="panel-head">
          <h2>{title}</h2>
          {aside !== undefined && <div className="panel-aside">{aside}</div>}
        </header>
      )}
      {children}
    </section>
  )
}

/** The head of a page: its name and what belongs to all of it. */
export function PageHead(props: { readonly title: ReactNode; readonly note?: ReactNode; readonly actions?: ReactNode }): JSX.Element {
  return (
    <div className="page-head">
      <div>
        <h1>{props.title}</h1>
        {props.note !== undefined && <p className="dim">{props.note}</p>}
      </div>
      {props.actions !== undefined && <div className="page-actions">{props.actions}</div>}
    </div>
  )
}
