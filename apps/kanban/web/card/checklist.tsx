import { type SyntheticEvent, type ReactNode, useId, useState } from 'react'
import type { ChecklistItem } from '../api/model.ts'
import { Icon } from '../shell/icon.tsx'

/** Steps of a card and how many are done. */
export function Checklist({ items, canEdit, onChange }: { items: readonly ChecklistItem[]; canEdit: boolean; onChange: (items: readonly ChecklistItem[]) => void }): ReactNode {
  const [text, setText] = useState('')
  const id = useId()
  const done = items.filter((item) => item.done).length
  const add = (event: SyntheticEvent): void => {
    event.preventDefault()
    if (text.trim() === '') return
    onChange([...items, { text: text.trim(), done: false }])
    setText('')
  }
  if (items.length === 0 && !canEdit) return null
  return (
    <section aria-labelledby={id}>
      <div className="section-head">
        <h3 id={id} className="grow">
          Checklist
        </h3>
        {items.length > 0 && (
          <span className="dim small">
            {done} of {items.length} done
          </span>
        )}
      </div>
      {items.length > 0 && <progress className="progress" max={items.length} value={done} aria-label="Checklist" />}
      <ul>
        {items.map((item, at) => (
          // Items have no identity of their own but their place.
          <li key={`${String(at)} ${item.text}`} className={item.done ? 'check done' : 'check'}>
            <input
              id={`${id}-${at}`}
              type="checkbox"
              checked={item.done}
              disabled={!canEdit}
              onChange={() => onChange(items.map((one, place) => (place === at ? { ...one, done: !one.done } : one)))}
            />
            <label htmlFor={`${id}-${at}`}>{item.text}</label>
            {canEdit && (
              <button type="button" className="button ghost tiny icon" aria-label={`Remove “${item.text}”`} onClick={() => onChange(items.filter((_one, place) => place !== at))}>
                <Icon name="close" />
              </button>
            )}
          </li>
        ))}
      </ul>
      {canEdit && (
        <form className="row" style={{ marginTop: 6 }} onSubmit={add}>
          <input className="input grow" aria-label="New step" placeholder="Add a step" maxLength={300} value={text} onChange={(event) => setText(event.target.value)} />
          <button type="submit" className="button" disabled={text.trim() === ''}>
            Add
          </button>
        </form>
      )}
    </section>
  )
}
