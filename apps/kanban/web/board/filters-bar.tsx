import { type ReactNode, useEffect, useRef } from 'react'
import { type Board, PRIORITIES } from '../api/model.ts'
import { Icon } from '../shell/icon.tsx'
import { setQuery } from '../shell/location.ts'
import { isTyping } from '../shell/shortcuts.tsx'
import { type Filters, isFiltering } from './filters.ts'

interface Props {
  readonly board: Board
  readonly filters: Filters
  readonly shown: number
}

const DUE: readonly (readonly [string, string])[] = [['overdue', 'Overdue'], ['week', 'Within a week'], ['none', 'No date']]

/** Search and filters; what they say is in the address. */
export function FiltersBar({ board, filters, shown }: Props): ReactNode {
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== '/' || isTyping(event.target) || document.querySelector('dialog[open]') !== null) return
      event.preventDefault()
      field.current?.focus()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
  return (
    <search className="filters" aria-label="Cards">
      <div className="search">
        <Icon name="search" />
        <input ref={field} type="search" className="input" aria-label="Search cards" placeholder="Search cards" value={filters.text} onChange={(event) => setQuery({ q: event.target.value })} />
      </div>
      <Choice name="label" label="Label" value={filters.label} options={board.labels.map((label) => [label, label])} />
      <Choice name="assignee" label="Assignee" value={filters.assignee} options={[['nobody', 'Nobody'], ...board.people.map((person) => [person.id, person.name] as const)]} />
      <Choice name="priority" label="Priority" value={filters.priority} options={PRIORITIES.map((priority) => [priority, `${priority.slice(0, 1).toUpperCase()}${priority.slice(1)}`])} />
      <Choice name="due" label="Due" value={filters.due} options={DUE} />
      <span className="dim small" role="status">
        {isFiltering(filters) ? `${shown} of ${board.cards.length}` : ''}
      </span>
      {isFiltering(filters) && (
        <button type="button" className="button ghost tiny" onClick={() => setQuery({ q: '', label: '', assignee: '', priority: '', due: '' })}>
          Clear
        </button>
      )}
    </search>
  )
}

function Choice({ name, label, value, options }: { name: string; label: string; value: string; options: readonly (readonly [string, string])[] }): ReactNode {
  return (
    <select className="input" aria-label={`Filter by ${label.toLowerCase()}`} value={value} onChange={(event) => setQuery({ [name]: event.target.value })}>
      <option value="">{label}: any</option>
      {options.map(([key, text]) => (
        <option key={key} value={key}>
          {text}
        </option>
      ))}
    </select>
  )
}
