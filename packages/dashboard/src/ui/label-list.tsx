import type { Labels } from '@andon/model'
import type { JSX } from 'react'
import './ui.css'

/** Names and values, each as `name=value`. With `onPick`, each is a button. */
export function LabelList(props: { readonly labels: Labels; readonly without?: readonly string[]; readonly onPick?: (name: string, value: string) => void }): JSX.Element | null {
  const { labels, without = [], onPick } = props
  const shown = Object.entries(labels).filter(([name]) => !without.includes(name))
  if (shown.length === 0) return null
  return (
    <ul className="labels" aria-label="Labels">
      {shown.map(([name, value]) => (
        <li key={name}>
          {onPick === undefined ? (
            <Pair name={name} value={value} />
          ) : (
            <button type="button" title={`Show only ${name}=${value}`} onClick={() => onPick(name, value)}>
              <Pair name={name} value={value} />
            </button>
          )}
        </li>
      ))}
    </ul>
  )
}

function Pair({ name, value }: { readonly name: string; readonly value: string }): JSX.Element {
  return (
    <>
      <i>{name}=</i>
      <span>{value}</span>
    </>
  )
}
