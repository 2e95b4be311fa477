import { Button, Skeleton } from '@mantine/core'
import type { JSX, ReactNode } from 'react'
import { CopyText } from './copy-text.tsx'
import './ui.css'

/** What an error of the server says; the same fields as its envelope. */
export interface Failure {
  readonly message: string
  readonly hint?: string
  readonly code?: string
}

/** A failed query, in place of what it should have shown. */
export function Failed({ error, retry }: { readonly error: Failure; readonly retry?: () => void }): JSX.Element {
  return (
    <div className="state failed" role="alert">
      <b>{error.message}</b>
      {error.hint !== undefined && error.hint !== '' && <p>{error.hint}</p>}
      <div className="state-row">
        {retry !== undefined && (
          <Button size="xs" variant="default" onClick={retry}>
            Try again
          </Button>
        )}
        {error.code !== undefined && <span className="mono dim">{error.code}</span>}
      </div>
    </div>
  )
}

/** Said above data that are still shown although a newer answer failed. */
export function Trouble({ error, has }: { readonly error: Failure | null; readonly has: boolean }): JSX.Element | null {
  if (error === null || !has) return null
  return (
    <p className="trouble" role="status">
      What you see is the last answer. The newest request failed: {error.message}
    </p>
  )
}

/** Grey shapes where content will be. */
export function Loading({ rows = 4, height = 32 }: { readonly rows?: number; readonly height?: number }): JSX.Element {
  return (
    <div className="state-loading" role="status">
      <span className="sr">Loading</span>
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} height={height} radius="sm" />
      ))}
    </div>
  )
}

/** Nothing to show, and what to do about it. */
export function Nothing({ title, children }: { readonly title: string; readonly children?: ReactNode }): JSX.Element {
  return (
    <div className="state">
      <b>{title}</b>
      {children}
    </div>
  )
}

/** How to send data here; shown where no service has been seen. */
export function HowToSend({ endpoint }: { readonly endpoint: string }): JSX.Element {
  return (
    <div className="how">
      <div className="how-lamp" aria-hidden="true" />
      <h2>Waiting for the first data</h2>
      <p className="dim">Start a Node.js application with the agent of Andon; no change of its code is needed.</p>
      <CopyText text="node --import @andon/agent/register app.js" />
      <p className="dim">Anything that speaks OpenTelemetry can send as well. Point its exporter (OTLP over HTTP) here:</p>
      <CopyText text={`OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}`} />
      <p className="dim">The page fills by itself, some ten seconds after the first request.</p>
    </div>
  )
}
