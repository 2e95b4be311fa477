import { Button } from '@mantine/core'
import { type JSX, useState } from 'react'
import { ApiError, getJson } from '../api/client.ts'
import { type Postmortem as Draft, postmortemPath } from '../api/incidents.ts'
import { CopyIcon } from '../ui/copy-text.tsx'
import { saveText } from '../ui/save-text.ts'
import { Icon } from '../ui/icons.tsx'
import { Markdown } from '../ui/markdown.tsx'
import { Panel } from '../ui/panel.tsx'
import { Failed, Loading } from '../ui/states.tsx'

type Shown = { readonly kind: 'none' | 'asking' } | { readonly kind: 'draft'; readonly draft: Draft } | { readonly kind: 'failed'; readonly error: Error }

/** The draft of a post-mortem, made when it is asked for: its figures are those of that moment. */
export function Postmortem({ id }: { readonly id: string }): JSX.Element {
  const [shown, setShown] = useState<Shown>({ kind: 'none' })
  const make = async (): Promise<void> => {
    setShown({ kind: 'asking' })
    try {
      setShown({ kind: 'draft', draft: await getJson<Draft>(postmortemPath(id)) })
    } catch (error) {
      setShown({ kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) })
    }
  }
  return (
    <Panel
      className="in-postmortem"
      title="Post-mortem"
      aside={
        shown.kind === 'draft' && (
          <>
            <CopyIcon text={shown.draft.markdown} label="Copy as Markdown" />
            <Button size="compact-xs" variant="default" leftSection={<Icon name="download" size={13} />} onClick={() => saveText(`postmortem-${id}.md`, 'text/markdown', shown.draft.markdown)}>
              Markdown
            </Button>
          </>
        )
      }
    >
      {shown.kind === 'none' && (
        <div className="postmortem-ask">
          <p className="dim">Summary, impact, timeline, figures and the suspected cause, from what was recorded; what went well and what to change is for you to write.</p>
          <Button size="xs" variant="default" onClick={() => void make()}>
            Write the draft
          </Button>
        </div>
      )}
      {shown.kind === 'asking' && <Loading rows={4} height={20} />}
      {shown.kind === 'failed' && <Failed error={{ message: shown.error.message, ...(shown.error instanceof ApiError ? { hint: shown.error.hint } : {}) }} retry={() => void make()} />}
      {shown.kind === 'draft' && <Markdown text={shown.draft.markdown} level={3} />}
    </Panel>
  )
}
