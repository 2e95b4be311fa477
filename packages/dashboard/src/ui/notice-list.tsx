import { type JSX, useSyncExternalStore } from 'react'
import { Icon } from './icons.tsx'
import { type Notice, notices } from './notices.ts'
import './ui.css'

/** Where notices stand; once per page. */
export function NoticeList(): JSX.Element {
  const list = useSyncExternalStore(notices.subscribe, notices.list)
  return (
    <section className="notices" aria-label="Notices" aria-live="polite">
      {list.map((notice) => (
        <One key={notice.id} notice={notice} />
      ))}
    </section>
  )
}

function One({ notice }: { readonly notice: Notice }): JSX.Element {
  const { id, tone, text, hint, action } = notice
  const hold = (): void => notices.hold(id)
  const release = (): void => notices.release(notice)
  return (
    <div className={`notice ${tone}`} role={tone === 'failed' ? 'alert' : 'status'} onMouseEnter={hold} onMouseLeave={release} onFocus={hold} onBlur={release}>
      <Icon name={tone === 'failed' ? 'warning' : 'check'} size={16} />
      <p>
        {text}
        {hint !== undefined && hint !== '' && <small>{hint}</small>}
      </p>
      {action !== undefined && (
        <button
          type="button"
          className="notice-action"
          onClick={() => {
            notices.remove(id)
            action.run()
          }}
        >
          {action.label}
        </button>
      )}
      <button type="button" className="notice-close" aria-label="Close this notice" onClick={() => notices.remove(id)}>
        <Icon name="close" size={14} />
      </button>
    </div>
  )
}
