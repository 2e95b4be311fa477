import { type ReactNode, memo } from 'react'
import type { CardSummary } from '../api/model.ts'
import { Avatar, hueOf } from '../shell/avatar.tsx'
import { Icon } from '../shell/icon.tsx'
import { useNow } from '../shell/use-now.ts'
import { dayOf } from './filters.ts'

const SOON_MS = 2 * 86_400_000

/** A label as a dot and a word; the word carries the meaning, the dot only helps. */
export function LabelTag({ name }: { name: string }): ReactNode {
  return <span className={`label dot-${hueOf(name)}`}>{name}</span>
}

function Due({ due }: { due: string }): ReactNode {
  const now = useNow()
  const today = dayOf(now)
  const overdue = due < today
  const soon = !overdue && due <= dayOf(now + SOON_MS)
  const shown = new Date(`${due}T00:00:00`).toLocaleDateString(undefined, { day: 'numeric', month: 'short', ...(due.slice(0, 4) === today.slice(0, 4) ? {} : { year: 'numeric' }) })
  return (
    <span className={overdue ? 'overdue' : soon ? 'soon' : ''} title={`Due ${due}`}>
      <Icon name="clock" />
      <span className="sr">{overdue ? 'Overdue since ' : 'Due '}</span>
      {shown}
    </span>
  )
}

function Face({ card }: { card: CardSummary }): ReactNode {
  const { labels, due, priority, checklistDone, checklistTotal, comments, assignees } = card
  const plain = priority === 'medium' || priority === ''
  return (
    <>
      {labels.length > 0 && (
        <span className="row wrap" style={{ gap: 4 }}>
          {labels.map((name) => (
            <LabelTag key={name} name={name} />
          ))}
        </span>
      )}
      <span className="card-title">{card.title}</span>
      {(due !== null || !plain || checklistTotal > 0 || comments > 0 || assignees.length > 0) && (
        <span className="card-foot">
          {!plain && <span className={`priority ${priority}`}>{priority}</span>}
          {due !== null && <Due due={due} />}
          {checklistTotal > 0 && (
            <span title="Checklist">
              <Icon name="checklist" />
              <span className="sr">Checklist </span>
              {checklistDone}/{checklistTotal}
            </span>
          )}
          {comments > 0 && (
            <span title="Comments">
              <Icon name="comment" />
              {comments}
              <span className="sr"> comments</span>
            </span>
          )}
          {assignees.length > 0 && (
            <span className="people">
              {assignees.map((person) => (
                <Avatar key={person.id} name={person.name} />
              ))}
            </span>
          )}
        </span>
      )}
    </>
  )
}

/** What a card says on the board. */
export const CardFace: typeof Face = memo(Face)
