import { ActionIcon, Button, Popover, TextInput, Tooltip } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { type JSX, useState } from 'react'
import { Icon } from './icons.tsx'
import { absoluteSelection, isValidSelection, parseTypedTime, PRESETS, resolveRange, shift, type TimeSelection, type Zone } from './time-range.ts'
import { selectionText, timeText } from './time-text.ts'
import './ui.css'

export interface TimePickerProps {
  readonly selection: TimeSelection
  readonly zone: Zone
  readonly open: boolean
  readonly onOpen: (open: boolean) => void
  readonly onSelect: (selection: TimeSelection) => void
  readonly onZoomOut: () => void
}

/** The one time picker: earlier, the range, later, zoom out. */
export function TimePicker(props: TimePickerProps): JSX.Element {
  const { selection, zone, open, onOpen, onSelect } = props
  const choose = (next: TimeSelection): void => {
    onOpen(false)
    onSelect(next)
  }
  return (
    <div className="time-picker" role="group" aria-label="Time range">
      <Step label="Earlier" icon="left" onClick={() => onSelect(shift(selection, -1, Date.now()))} />
      <Popover opened={open} onChange={onOpen} position="bottom-end" shadow="md" width="min(520px, calc(100vw - 24px))" trapFocus returnFocus>
        <Popover.Target>
          <button type="button" className="time-button" aria-haspopup="dialog" aria-expanded={open} onClick={() => onOpen(!open)}>
            <Icon name="clock" size={15} />
            <span>{selectionText(selection, zone)}</span>
            {zone === 'utc' && <small>UTC</small>}
          </button>
        </Popover.Target>
        <Popover.Dropdown p={0} aria-label="Choose a time range">
          <div className="time-drop">
            <Absolute key={`${selection.from}/${selection.to}/${zone}`} selection={selection} zone={zone} onSelect={choose} />
            <ul className="time-presets">
              {PRESETS.map((preset) => {
                const chosen = selection.from === preset.from && selection.to === 'now'
                return (
                  <li key={preset.from}>
                    <button type="button" aria-pressed={chosen} onClick={() => choose({ from: preset.from, to: 'now' })}>
                      {preset.label}
                    </button>
                  </li>
                )
              })}
            </ul>
          </div>
        </Popover.Dropdown>
      </Popover>
      <Step label="Later" icon="right" onClick={() => onSelect(shift(selection, 1, Date.now()))} />
      <Step label="Zoom out (z)" icon="zoomOut" onClick={props.onZoomOut} />
    </div>
  )
}

function Step({ label, icon, onClick }: { readonly label: string; readonly icon: 'left' | 'right' | 'zoomOut'; readonly onClick: () => void }): JSX.Element {
  return (
    <Tooltip label={label} withArrow openDelay={400}>
      <ActionIcon variant="subtle" color="gray" size={30} className="time-step" aria-label={label} onClick={onClick}>
        <Icon name={icon} size={15} />
      </ActionIcon>
    </Tooltip>
  )
}

/** A link that shows the same to whoever opens it whenever. */
function fixedLink(href: string, { from, to }: TimeSelection): string {
  const url = new URL(href)
  url.searchParams.set('from', from)
  url.searchParams.set('to', to)
  return url.href
}

function CopyLink({ label, href }: { readonly label: string; readonly href: () => string }): JSX.Element {
  const { copied, copy } = useClipboard({ timeout: 1500 })
  return (
    <Button size="compact-xs" variant="subtle" leftSection={<Icon name={copied ? 'check' : 'link'} size={13} />} onClick={() => copy(href())}>
      {copied ? 'Copied' : label}
    </Button>
  )
}

function Absolute({ selection, zone, onSelect }: { readonly selection: TimeSelection; readonly zone: Zone; readonly onSelect: (next: TimeSelection) => void }): JSX.Element {
  const shown = (text: string): string => (text.startsWith('now') ? text : timeText(Date.parse(text), zone))
  const [from, setFrom] = useState(shown(selection.from))
  const [to, setTo] = useState(shown(selection.to))
  const [wrong, setWrong] = useState<string | null>(null)
  const submit = (event: { preventDefault(): void }): void => {
    event.preventDefault()
    const [start, end] = [parseTypedTime(from, zone), parseTypedTime(to, zone)]
    if (start === null || end === null) {
      setWrong(`“${start === null ? from : to}” is not a time. Write 2026-01-31 13:00, 2h, or now-2h.`)
    } else if (isValidSelection({ from: start, to: end }, Date.now())) onSelect({ from: start, to: end })
    else setWrong('The end must lie after the start, and at most 400 days after it.')
  }
  const freeze = (): void => onSelect(absoluteSelection(resolveRange(selection, Date.now())))
  return (
    <form className="time-absolute" onSubmit={submit}>
      <TextInput label={`From (${zone === 'utc' ? 'UTC' : 'local time'})`} size="xs" value={from} onChange={(event) => setFrom(event.currentTarget.value)} data-autofocus />
      <TextInput label="To" size="xs" value={to} onChange={(event) => setTo(event.currentTarget.value)} error={wrong} />
      <Button type="submit" size="xs">
        Apply
      </Button>
      <Button size="xs" variant="default" onClick={freeze}>
        Fix this range in time
      </Button>
      <div className="time-links">
        <CopyLink label="Copy link" href={() => location.href} />
        <CopyLink label="Copy link to these minutes" href={() => fixedLink(location.href, absoluteSelection(resolveRange(selection, Date.now())))} />
      </div>
      <p className="dim">Drag on any chart to zoom in; double-click to zoom out.</p>
    </form>
  )
}
