import { ActionIcon } from '@mantine/core'
import type { JSX, ReactNode } from 'react'
import type { Trace, TraceSpan } from '../api/client.ts'
import { AppLink } from '../ui/app-link.tsx'
import { CopyIcon } from '../ui/copy-text.tsx'
import { Icon } from '../ui/icons.tsx'
import { Num } from '../ui/number.tsx'
import { attributeText } from './trace-text.ts'

/** All that is known of one span, beside the waterfall (on narrow screens above it). */
export function SpanDetail(props: { readonly trace: Trace; readonly span: TraceSpan; readonly colour: string; readonly onClose: () => void }): JSX.Element {
  const { trace, span, colour, onClose } = props
  const failed = span.status === 'error'
  return (
    <aside className="detail panel" aria-label={`Span ${span.name}`}>
      <header className="detail-head" style={{ '--swatch': `var(${colour})` }}>
        <div>
          <h2>{span.name}</h2>
          <p className="dim">
            <i className="swatch square" /> {span.service} · {span.kind}
          </p>
        </div>
        <ActionIcon variant="subtle" color="gray" aria-label="Close the detail" onClick={onClose}>
          <Icon name="close" />
        </ActionIcon>
      </header>
      <dl className="facts">
        <Fact name="Duration">
          <Num value={span.durationUs} unit="microseconds" />
        </Fact>
        <Fact name="Starts after">
          <Num value={span.startOffsetUs} unit="microseconds" />
        </Fact>
        <Fact name="Status">
          <span className={failed ? 'tag bad' : span.status === 'ok' ? 'tag good' : 'tag'}>{span.status}</span>
        </Fact>
      </dl>
      {span.statusMessage !== '' && <p className="detail-message">{span.statusMessage}</p>}
      <Section title="Attributes" values={span.attributes} open />
      {span.events.map((event) => (
        <Section
          key={`${event.name}@${event.offsetUs}`}
          title={
            <>
              Event {event.name} <small className="dim">after {<Num value={event.offsetUs} unit="microseconds" />}</small>
            </>
          }
          values={event.attributes}
          open
        />
      ))}
      {span.links.map((link) => (
        <details key={`${link.traceId}/${link.spanId}`} className="section" open>
          <summary>Link</summary>
          <p className="mono">
            <AppLink to="/trace/$traceId" params={{ traceId: link.traceId }} search={{ span: link.spanId }}>
              {link.traceId}
            </AppLink>
          </p>
        </details>
      ))}
      <Section title="Resource" values={trace.resources[span.resource] ?? {}} />
      {span.scope.name !== '' && (
        <p className="detail-scope dim">
          Recorded by {span.scope.name} {span.scope.version}
        </p>
      )}
      <div className="detail-id">
        <span className="dim">Span id</span> <span className="mono">{span.id}</span>
        <CopyIcon text={span.id} label="Copy the span id" />
        <CopyIcon text={JSON.stringify(span, null, 2)} label="Copy the span as JSON" />
      </div>
    </aside>
  )
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** Keys with their values, each with a button that copies it. */
function Section({ title, values, open = false }: { readonly title: ReactNode; readonly values: Readonly<Record<string, unknown>>; readonly open?: boolean }): JSX.Element | null {
  const entries = Object.entries(values).toSorted(([a], [b]) => a.localeCompare(b))
  if (entries.length === 0) return null
  return (
    <details className="section" open={open}>
      <summary>
        {title} <small className="dim">{entries.length}</small>
      </summary>
      <dl className="attributes">
        {entries.map(([key, value]) => {
          const text = attributeText(value)
          return (
            <div key={key}>
              <dt>{key}</dt>
              <dd>
                <span className={text.length > 80 || text.includes('\n') ? 'mono long' : 'mono'}>{text}</span>
                <CopyIcon text={text} label={`Copy ${key}`} />
              </dd>
            </div>
          )
        })}
      </dl>
    </details>
  )
}
