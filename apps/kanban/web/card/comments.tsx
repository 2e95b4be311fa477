import { type SyntheticEvent, type ReactNode, useId, useState } from 'react'
import { useAddComment } from '../api/card-changes.ts'
import type { Comment } from '../api/model.ts'
import { Avatar } from '../shell/avatar.tsx'
import { Markdown } from './markdown.tsx'

/** What people said about a card, oldest first. */
export function Comments({ cardId, comments, canEdit }: { cardId: string; comments: readonly Comment[]; canEdit: boolean }): ReactNode {
  const [text, setText] = useState('')
  const add = useAddComment(cardId)
  const id = useId()
  const send = (event: SyntheticEvent): void => {
    event.preventDefault()
    if (text.trim() !== '') add.mutate(text.trim(), { onSuccess: () => setText('') })
  }
  return (
    <section aria-labelledby={id}>
      <div className="section-head">
        <h3 id={id}>Comments</h3>
        <span className="dim small">{comments.length}</span>
      </div>
      {comments.length === 0 && !canEdit && <p className="dim small">No comments.</p>}
      <ul>
        {comments.map((comment) => (
          <li key={comment.id} className="comment">
            <Avatar name={comment.author.name} silent />
            <div className="grow">
              <div className="small">
                <strong>{comment.author.name}</strong>{' '}
                <time className="dim" dateTime={comment.at}>
                  {new Date(comment.at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })}
                </time>
              </div>
              <Markdown text={comment.text} />
            </div>
          </li>
        ))}
      </ul>
      {canEdit && (
        <form className="stack" style={{ gap: 8 }} onSubmit={send}>
          <textarea className="input" rows={2} style={{ minHeight: 58 }} aria-label="New comment" placeholder="Write a comment (markdown)" maxLength={10_000} value={text} onChange={(event) => setText(event.target.value)} />
          <div>
            <button type="submit" className="button tiny" disabled={text.trim() === '' || add.isPending}>
              Comment
            </button>
          </div>
        </form>
      )}
    </section>
  )
}
