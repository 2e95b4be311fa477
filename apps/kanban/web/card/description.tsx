import { type ReactNode, useId, useState } from 'react'
import { Markdown } from './markdown.tsx'

/** The description: rendered markdown, and an editor with a preview. */
export function Description({ text, canEdit, onSave }: { text: string; canEdit: boolean; onSave: (text: string) => void }): ReactNode {
  const [draft, setDraft] = useState<string | null>(null)
  const [base, setBase] = useState(text)
  const [preview, setPreview] = useState(false)
  const id = useId()
  const begin = (): void => {
    setPreview(false)
    setBase(text)
    setDraft(text)
  }
  return (
    <section aria-labelledby={id}>
      <div className="section-head">
        <h3 id={id} className="grow">
          Description
        </h3>
        {canEdit && draft === null && (
          <button type="button" className="button ghost tiny" onClick={begin}>
            {text === '' ? 'Write one' : 'Edit'}
          </button>
        )}
        {draft !== null && (
          <div className="tabs">
            <button type="button" aria-pressed={!preview} onClick={() => setPreview(false)}>
              Write
            </button>
            <button type="button" aria-pressed={preview} onClick={() => setPreview(true)}>
              Preview
            </button>
          </div>
        )}
      </div>
      {draft === null && (text === '' ? <p className="dim small">No description.</p> : <Markdown text={text} />)}
      {draft !== null && preview && <Markdown text={draft === '' ? '*Nothing yet.*' : draft} />}
      {draft !== null && !preview && <textarea className="input" rows={9} aria-label="Description in markdown" value={draft} onChange={(event) => setDraft(event.target.value)} />}
      {draft !== null && text !== base && (
        <div className="notice stack" role="alert" style={{ marginTop: 8 }}>
          <p>Someone changed the description while you wrote. Saving replaces theirs, which is:</p>
          <Markdown text={text} />
        </div>
      )}
      {draft !== null && (
        <div className="row" style={{ marginTop: 8 }}>
          <button
            type="button"
            className="button primary tiny"
            onClick={() => {
              if (draft !== text) onSave(draft)
              setDraft(null)
            }}
          >
            Save
          </button>
          <button type="button" className="button ghost tiny" onClick={() => setDraft(null)}>
            Cancel
          </button>
          <span className="dim small">Markdown</span>
        </div>
      )}
    </section>
  )
}
