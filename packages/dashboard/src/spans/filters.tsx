import { Autocomplete, Button, Input, SegmentedControl, TextInput } from '@mantine/core'
import { type JSX, useState } from 'react'
import type { Facets } from '../api/client.ts'
import { Icon } from '../ui/icons.tsx'
import type { SpansSearch } from '../ui/url-state.ts'
import { parseDuration } from './duration-text.ts'

type Change = Record<string, string | readonly string[] | undefined>

export interface FiltersProps {
  readonly search: SpansSearch
  readonly facets: Facets | undefined
  readonly onChange: (change: Change) => void
}

const orNone = (text: string): string | undefined => (text.trim() === '' ? undefined : text.trim())
const checkDuration = (text: string): string | null => (text.trim() === '' || parseDuration(text) !== null ? null : 'Write 100ms or 1.5s')

/** The filters of a search. They hold what is typed until Enter; a choice applies at once. The URL holds what applies. */
export function Filters({ search, facets, onChange }: FiltersProps): JSX.Element {
  const [typed, setTyped] = useState({
    service: search.service ?? '',
    operation: search.operation ?? '',
    min: search.minDuration ?? '',
    max: search.maxDuration ?? '',
    attr: '',
  })
  const [open, setOpen] = useState(false)
  const [wrong, setWrong] = useState<string | null>(null)
  const set = (key: keyof typeof typed) => (value: string): void => setTyped((before) => ({ ...before, [key]: value }))
  const services = facets?.services ?? []
  const operations = services
    .filter((service) => typed.service === '' || service.name === typed.service)
    .flatMap((service) => service.operations)
  const attrs = search.attr ?? []
  const submit = (event: { preventDefault(): void }): void => {
    event.preventDefault()
    const attr = typed.attr.trim()
    if (attr !== '' && attr.indexOf('=') < 1) {
      setWrong('Write key=value, such as http.route=/api/boards')
      return
    }
    if (checkDuration(typed.min) !== null || checkDuration(typed.max) !== null) return
    onChange({
      service: orNone(typed.service),
      operation: orNone(typed.operation),
      minDuration: orNone(typed.min),
      maxDuration: orNone(typed.max),
      attr: attr === '' ? search.attr : [...attrs, attr],
    })
  }
  return (
    <form className={open ? 'filters open' : 'filters'} onSubmit={submit} role="search" aria-label="Filter traces">
      <button type="button" className="filters-toggle" aria-expanded={open} onClick={() => setOpen(!open)}>
        Filters
        <Icon name={open ? 'up' : 'down'} size={14} />
      </button>
      <Autocomplete label="Service" size="xs" placeholder="any" data={services.map((service) => service.name)} value={typed.service} onChange={set('service')} onOptionSubmit={(service) => onChange({ service })} limit={50} />
      <Autocomplete
        label="Operation"
        size="xs"
        placeholder="any"
        data={[...new Set(operations)].toSorted()}
        value={typed.operation}
        onChange={set('operation')}
        onOptionSubmit={(operation) => onChange({ operation })}
        limit={100}
        className="wide"
      />
      <Status status={search.status} onChange={onChange} />
      <TextInput label="At least" size="xs" placeholder="100ms" value={typed.min} error={checkDuration(typed.min)} onChange={(event) => set('min')(event.currentTarget.value)} className="short" />
      <TextInput label="At most" size="xs" placeholder="2s" value={typed.max} error={checkDuration(typed.max)} onChange={(event) => set('max')(event.currentTarget.value)} className="short" />
      <TextInput label="Attribute" size="xs" placeholder="key=value" value={typed.attr} error={wrong} onChange={(event) => set('attr')(event.currentTarget.value)} className="wide" />
      <Button type="submit" size="xs">
        Search
      </Button>
      <Chips search={search} onChange={onChange} />
    </form>
  )
}

function Status({ status, onChange }: { readonly status: SpansSearch['status']; readonly onChange: (change: Change) => void }): JSX.Element {
  return (
    <Input.Wrapper label="Status" size="xs" labelElement="div" labelProps={{ id: 'status-label' }} className="filter-status">
      <SegmentedControl
        size="xs"
        aria-labelledby="status-label"
        value={status ?? 'any'}
        onChange={(chosen) => onChange({ status: chosen === 'any' ? undefined : chosen })}
        data={[
          { value: 'any', label: 'Any' },
          { value: 'ok', label: 'OK' },
          { value: 'error', label: 'Error' },
        ]}
      />
    </Input.Wrapper>
  )
}

/** What applies, each with a cross that takes it away. */
function Chips({ search, onChange }: { readonly search: SpansSearch; readonly onChange: (change: Change) => void }): JSX.Element | null {
  const attrs = search.attr ?? []
  const chips: { readonly text: string; readonly without: Change }[] = [
    ...(search.service === undefined ? [] : [{ text: `service: ${search.service}`, without: { service: undefined, operation: undefined } }]),
    ...(search.operation === undefined ? [] : [{ text: `operation: ${search.operation}`, without: { operation: undefined } }]),
    ...(search.status === undefined ? [] : [{ text: `status: ${search.status}`, without: { status: undefined } }]),
    ...(search.minDuration === undefined ? [] : [{ text: `≥ ${search.minDuration}`, without: { minDuration: undefined } }]),
    ...(search.maxDuration === undefined ? [] : [{ text: `≤ ${search.maxDuration}`, without: { maxDuration: undefined } }]),
    ...attrs.map((attr) => ({ text: attr, without: { attr: attrs.length === 1 ? undefined : attrs.filter((one) => one !== attr) } })),
  ]
  if (chips.length === 0) return null
  const all: Change = { service: undefined, operation: undefined, status: undefined, minDuration: undefined, maxDuration: undefined, attr: undefined }
  return (
    <div className="chips">
      {chips.map((chip) => (
        <button key={chip.text} type="button" className="chip" onClick={() => onChange(chip.without)} aria-label={`Remove the filter ${chip.text}`}>
          {chip.text}
          <Icon name="close" size={11} />
        </button>
      ))}
      <button type="button" className="chip-clear" onClick={() => onChange(all)}>
        Clear all
      </button>
    </div>
  )
}
