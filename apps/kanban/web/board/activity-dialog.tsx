import type { ReactNode } from 'react'
import { useBoardActivity } from '../api/boards.ts'
import { sayError } from '../api/http.ts'
import type { Activity } from '../api/model.ts'
import { Modal } from '../shell/modal.tsx'

const when = (iso: string): string => new Date(iso).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/** What happened, newest first. */
export function ActivityList({ activity }: { activity: readonly Activity[] }): ReactNode {
  if (activity.length === 0) return <p className="dim small">Nothing happened yet.</p>
  return (
    <ul className="activity">
      {activity.map((one) => (
        <li key={`${one.at} ${one.by} ${one.text}`}>
          <span className="grow">
            <strong>{one.by}</strong> {one.text}
          </span>
          <time dateTime={one.at}>{when(one.at)}</time>
        </li>
      ))}
    </ul>
  )
}

/** The last hundred changes of a board. */
export function ActivityDialog({ boardId, onClose }: { boardId: string; onClose: () => void }): ReactNode {
  const { data, error } = useBoardActivity(boardId)
  return (
    <Modal title="Activity of the board" onClose={onClose}>
      {error !== null && <p className="notice">{sayError(error)}</p>}
      {data === undefined ? error === null && <div className="bone" style={{ height: 160 }} /> : <ActivityList activity={data} />}
    </Modal>
  )
}
