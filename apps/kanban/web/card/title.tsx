import { type KeyboardEvent, type ReactNode, useState } from 'react'

function leaveOnEnter(event: KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key !== 'Enter' || event.nativeEvent.isComposing) return
  event.preventDefault()
  event.currentTarget.blur()
}

/** The title, changed in place: Enter or leaving the field saves it. */
export function Title({ title, canEdit, onSave }: { title: string; canEdit: boolean; onSave: (title: string) => void }): ReactNode {
  const [draft, setDraft] = useState<string | null>(null)
  const save = (): void => {
    const text = draft?.trim() ?? ''
    if (text !== '' && text !== title) onSave(text)
    setDraft(null)
  }
  return (
    <textarea
      className="title-input"
      aria-label="Title"
      rows={1}
      maxLength={200}
      readOnly={!canEdit}
      value={draft ?? title}
      onChange={(event) => setDraft(event.target.value.replaceAll('\n', ' '))}
      onBlur={save}
      onKeyDown={leaveOnEnter}
    />
  )
}
