import { Modal } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { type JSX, type KeyboardEvent, useLayoutEffect, useRef, useState } from 'react'
import { type Facets, facetsPath } from '../api/client.ts'
import { useOnce } from '../api/use-live.ts'
import { Icon } from '../ui/icons.tsx'
import { readShellSearch } from '../ui/url-state.ts'
import { useShell } from '../ui/use-shell.ts'
import { type JumpTarget, jumpTargets } from './jump-targets.ts'

/** Where to, by typing: a page, a service, an operation or a trace id. */
export function Jump({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }): JSX.Element {
  return (
    <Modal.Root opened={open} onClose={onClose} size="lg" padding={0} yOffset="12vh" transitionProps={{ duration: 0 }}>
      <Modal.Overlay />
      <Modal.Content aria-label="Jump to">
        <Modal.Body>
          <Search onClose={onClose} />
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  )
}

function Search({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const shell = useShell()
  const navigate = useNavigate()
  const facets = useOnce<Facets>(facetsPath(shell.selection))
  const [typed, setTyped] = useState('')
  const [active, setActive] = useState(0)
  const input = useRef<HTMLInputElement>(null)
  // Sooner than the focus trap would: what is typed right after Ctrl+K must not be lost, nor be taken for shortcuts.
  useLayoutEffect(() => input.current?.focus(), [])
  const targets = jumpTargets(typed, facets.data?.services ?? [])
  const current = Math.min(active, targets.length - 1)
  const go = (target: JumpTarget | undefined): void => {
    if (target === undefined) return
    onClose()
    void navigate({ to: target.to, search: (before: Record<string, unknown>) => ({ ...readShellSearch(before), ...target.search }) })
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) {
      event.preventDefault()
      setActive((current + step + targets.length) % Math.max(1, targets.length))
    } else if (event.key === 'Enter') {
      event.preventDefault()
      go(targets[current])
    }
  }
  return (
    <div className="jump">
      <label className="jump-field">
        <Icon name="search" />
        <span className="sr">Jump to a service or a trace id</span>
        <input
          ref={input}
          value={typed}
          placeholder="Service, operation or trace id"
          role="combobox"
          aria-expanded="true"
          aria-controls="jump-list"
          aria-activedescendant={targets.length > 0 ? `jump-${current}` : undefined}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
          onChange={(event) => {
            setTyped(event.currentTarget.value)
            setActive(0)
          }}
          onKeyDown={onKeyDown}
        />
      </label>
      <div id="jump-list" className="jump-list" role="listbox" aria-label="Places">
        {targets.map((target, index) => (
          <button
            type="button"
            key={`${target.kind}/${target.label}`}
            id={`jump-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === current}
            onMouseMove={() => setActive(index)}
            onClick={() => go(target)}
          >
            <span>{target.label}</span>
            <small>{target.kind}</small>
          </button>
        ))}
      </div>
      {targets.length === 0 && <p className="jump-none">Nothing of that name in this time range.</p>}
    </div>
  )
}
