import type { JSX } from 'react'
import { quantity, type Unit } from './format.ts'
import './ui.css'

/**
 * A number with its unit. Without a value it is a dash that says why.
 *
 * @param absent - why there may be no value, in a few words
 */
export function Num(props: { readonly value: number | null | undefined; readonly unit: Unit; readonly absent?: string }): JSX.Element {
  const { value, unit } = quantity(props.value, props.unit)
  if (unit === '' && value === '–') {
    const reason = props.absent ?? 'Nothing was measured in this range'
    return (
      <span className="num none" title={reason}>
        –<span className="sr"> {reason}</span>
      </span>
    )
  }
  return (
    <span className="num">
      {value}
      {unit !== '' && <small> {unit}</small>}
    </span>
  )
}
