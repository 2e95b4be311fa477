import { ActionIcon, CopyButton, Tooltip } from '@mantine/core'
import type { JSX } from 'react'
import { Icon } from './icons.tsx'
import './ui.css'

/** A button that copies a text and says so. */
export function CopyIcon({ text, label }: { readonly text: string; readonly label: string }): JSX.Element {
  return (
    <CopyButton value={text} timeout={1500}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? 'Copied' : label} withArrow>
          <ActionIcon variant="subtle" color="gray" size="sm" onClick={copy} aria-label={copied ? 'Copied' : label}>
            <Icon name={copied ? 'check' : 'copy'} size={14} />
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  )
}

/** A line of code with a button that copies it. */
export function CopyText({ text }: { readonly text: string }): JSX.Element {
  return (
    <div className="copy-text">
      <code>{text}</code>
      <CopyIcon text={text} label={`Copy ${text}`} />
    </div>
  )
}
