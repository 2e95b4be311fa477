import { TextInput } from '@mantine/core'
import { type JSX, useEffect, useRef, useState } from 'react'
import { Icon } from './icons.tsx'

/** A text that narrows a list; what is typed applies after a moment, so that the URL does not change at every key. */
export function SearchField(props: { readonly label: string; readonly value: string; readonly placeholder?: string; readonly onChange: (value: string) => void }): JSX.Element {
  const { label, value, placeholder, onChange } = props
  const [typed, setTyped] = useState(value)
  const [shown, setShown] = useState(value)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  // The URL may change under it: by the back button, or by a filter that was picked elsewhere.
  if (shown !== value) {
    setShown(value)
    setTyped(value)
  }
  useEffect(() => () => clearTimeout(timer.current), [])
  return (
    <TextInput
      size="xs"
      type="search"
      aria-label={label}
      placeholder={placeholder ?? label}
      leftSection={<Icon name="search" size={14} />}
      value={typed}
      className="search-field"
      onChange={(event) => {
        const text = event.currentTarget.value
        setTyped(text)
        clearTimeout(timer.current)
        timer.current = setTimeout(() => onChange(text), 250)
      }}
    />
  )
}
