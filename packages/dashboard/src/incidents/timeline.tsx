import type { TimelineEntry, TimelineKind } from '@andon/model'
import { Button, SegmentedControl, Textarea } from '@mantine/core'
import { type JSX, type KeyboardEvent, useMemo, useState } from 'react'
import { AppLink } from '../ui/app-link.tsx'
import { Icon } from '../ui/icons.tsx'
import { Panel } from '../ui/panel.tsx'
import { Nothing } from '../ui/states.tsx'
import { lastedText, timeText } from '../ui/time-text.ts'
import { useShell } from '../ui/use-shell.ts'
import { entryIcon } from './words.ts'

export interface TimelineProps {
  readonly entries: readonly TimelineEntry[]
  /** From when lengths are told. */
  readonly onsetAt: number
  readonly show: string
  readonly onShow: (show: string | undefined) => void
  readonly busy: boolean
  /** @returns whether it was noted */
  readonly onComment: (text: string) => Promise<boolean>
}

const GROUPS: Readonly<Record<string, readonly TimelineKind[]>> = {
  people: ['comment', 'action', 'state', 'step', 'quality', 'opened', 'reopened'],
  messages: ['notification', 'escalation'],
  changes: ['deploy'],
}

/** What happened, the newest first, and a place to say more. */
export function Timeline({ entries, onsetAt, show, onShow, busy, onComment }: TimelineProps): JSX.Element {
  const kinds = GROUPS[show]
  const shown = useMemo(() => entries.filter(({ kind }) => kinds === undefined || kinds.includes(kind)).toSorted((a, b) => b.at - a.at || b.id.localeCompare(a.id)), [entries, kinds])
  return (
    <Panel
      className="in-timeline"
      title="Timeline"
      aside={
        <SegmentedControl
          size="xs"
          aria-label="What the timeline shows"
          value={kinds === undefined ? 'all' : show}
          onChange={(chosen) => onShow(chosen === 'all' ? undefined : chosen)}
          data={[
            { value: 'all', label: 'All' },
            { value: 'people', label: 'People' },
            { value: 'messages', label: 'Messages' },
            { value: 'changes', label: 'Deploys' },
          ]}
        />
      }
    >
      <Comment busy={busy} onComment={onComment} />
      {shown.length === 0 ? (
        <Nothing title="Nothing of this kind has happened" />
      ) : (
        <ol className="timeline">
          {shown.map((entry) => (
            <Entry key={entry.id} entry={entry} onsetAt={onsetAt} />
          ))}
        </ol>
      )}
    </Panel>
  )
}

function Comment({ busy, onComment }: Pick<TimelineProps, 'busy' | 'onComment'>): JSX.Element {
  const [text, setText] = useState('')
  const send = async (): Promise<void> => {
    if (text.trim() === '' || busy) return
    if (await onComment(text.trim())) setText('')
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
    event.preventDefault()
    void send()
  }
  return (
    <form
      className="comment-form"
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      <Textarea size="xs" aria-label="Comment" placeholder="What did you see, or do? Ctrl Enter sends." autosize={false} rows={2} value={text} onChange={(event) => setText(event.currentTarget.value)} onKeyDown={onKeyDown} />
      <Button size="xs" type="submit" variant="default" loading={busy} disabled={text.trim() === ''}>
        Note it
      </Button>
    </form>
  )
}

/** How a delivery is told by colour as well. */
const DELIVERY_TONE: Readonly<Record<string, string>> = { delivered: 'good', retrying: 'warn', 'given-up': 'bad', coalesced: '' }

function Entry({ entry, onsetAt }: { readonly entry: TimelineEntry; readonly onsetAt: number }): JSX.Element {
  const { zone } = useShell()
  const { at, kind, actor, text, detail } = entry
  const [delivery, trace] = [detail['state'], detail['traceId']]
  return (
    <li className={`entry kind-${kind}`}>
      <i className="entry-icon" aria-hidden="true">
        <Icon name={entryIcon(kind)} size={14} />
      </i>
      <div className="entry-body">
        <p>
          {kind === 'comment' ? <span className="said">{text}</span> : text}
          {kind === 'notification' && typeof delivery === 'string' && <span className={`tag ${DELIVERY_TONE[delivery] ?? ''}`}>{delivery}</span>}
        </p>
        {typeof trace === 'string' && trace !== '' && (
          <AppLink to="/trace/$traceId" params={{ traceId: trace }}>
            Open the trace
          </AppLink>
        )}
        <p className="entry-meta">
          <time dateTime={new Date(at).toISOString()}>{timeText(at, zone)}</time>
          <span>{at >= onsetAt ? `${lastedText(at - onsetAt)} in` : `${lastedText(onsetAt - at)} before it began`}</span>
          {actor !== '' && actor !== 'andon' && <span>{actor}</span>}
        </p>
      </div>
    </li>
  )
}
