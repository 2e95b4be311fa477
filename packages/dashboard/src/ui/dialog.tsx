import { Button, Modal } from '@mantine/core'
import { type JSX, type ReactNode, useState } from 'react'
import './ui.css'

/** A window over the page with a title; Esc closes it and the focus goes back to where it was. */
export function Dialog(props: { readonly title: string; readonly open: boolean; readonly onClose: () => void; readonly children: ReactNode; readonly size?: 'sm' | 'md' | 'lg' | 'xl' }): JSX.Element {
  const { title, open, onClose, children, size = 'md' } = props
  return (
    <Modal opened={open} onClose={onClose} title={title} size={size} transitionProps={{ duration: 0 }} closeButtonProps={{ 'aria-label': 'Close' }} classNames={{ title: 'dialog-title' }}>
      {children}
    </Modal>
  )
}

/** A button that asks before it does. */
export function ConfirmButton(props: {
  readonly children: ReactNode
  readonly title: string
  /** What will happen, and whether it can be undone. */
  readonly text: ReactNode
  readonly confirm: string
  readonly danger?: boolean
  readonly busy?: boolean
  readonly onConfirm: () => void
  readonly variant?: 'default' | 'filled' | 'subtle'
  readonly label?: string
}): JSX.Element {
  const { children, title, text, confirm, danger = false, busy = false, onConfirm, variant = 'default', label } = props
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button size="xs" variant={variant} loading={busy} onClick={() => setOpen(true)} {...(label === undefined ? {} : { 'aria-label': label })}>
        {children}
      </Button>
      <Dialog title={title} open={open} onClose={() => setOpen(false)} size="sm">
        <div className="form">
          <div>{text}</div>
          <div className="form-end">
            <Button size="xs" variant="default" onClick={() => setOpen(false)}>
              Cancel
            </Button>
            <Button
              size="xs"
              data-autofocus
              {...(danger ? { color: 'red' } : {})}
              onClick={() => {
                setOpen(false)
                onConfirm()
              }}
            >
              {confirm}
            </Button>
          </div>
        </div>
      </Dialog>
    </>
  )
}
